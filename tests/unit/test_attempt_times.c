/* The times in the record: those of the backend that is named, and of the last attempt there. */
#include "config.h"

#include "exchange/attempt.h"

#include "exchange_scene.h"

static const char get[] = "GET / HTTP/1.1\r\nHost: h\r\n\r\n";
static const char post[] = "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n";
static const char ok[] = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n";

#define NEVER UINT64_MAX

/* Milliseconds since the begin, or NEVER. */
static void assert_time(uint64_t us, uint64_t ms)
{
	assert_int_equal(us, ms == NEVER ? 0 : POOLS_BEGIN_US + ms * POOLS_MS);
}

/* Of the only record. */
static void assert_times(
	const struct memory_stream *named, uint64_t sought, uint64_t connected, uint64_t answered)
{
	const struct record *record = &scene.records[0];

	assert_int_equal(scene.count, 1);
	assert_slice(
		record->backend.text, w.backends[memory_index_of(named->stream.backend)].url_text);
	assert_time(record->sought_us, sought);
	assert_time(record->connected_us, connected);
	assert_time(record->answered_us, answered);
}

/* After so many milliseconds the last stream is connected, answers whole, or fails. */
static void connect_after(uint64_t ms)
{
	scene_pass(ms);
	stream_connect(stream_last());
}

static void answer_after(uint64_t ms)
{
	scene_pass(ms);
	stream_answer(stream_last(), ok, "hi");
}

static void fail_after(uint64_t ms, int error)
{
	scene_pass(ms);
	stream_fail(stream_last(), error);
}

static void test_fresh(void **state)
{
	(void)state;
	scene_start();
	(void)scene_request(get);
	connect_after(20);
	answer_after(30);
	assert_times(stream_last(), 0, 20, 50);
}

static void test_kept(void **state)
{
	(void)state;
	scene_only(1);
	scene_start();
	upstream_memory.kept[1] = 1;
	(void)scene_request(get);
	answer_after(30);
	assert_times(stream_last(), 0, 0, 30);
}

/* Closed before it answered, with no other one to ask: the method makes no difference. */
static void test_closed(void **state)
{
	static const char *const requests[] = { get, post };

	for (size_t i = 0; i < sizeof requests / sizeof *requests; i++) {
		if (i > 0) {
			scene_end(state);
			scene_begin(state);
		}
		scene_only(1);
		scene_start();
		(void)scene_request(requests[i]);
		connect_after(20);
		fail_after(30, 0);
		assert_record(1, 502, REASON_BACKEND_CLOSED, 1);
		assert_times(stream_last(), 0, 20, NEVER);
	}
}

/* The time that the first one took is no part of the other one's. */
static void test_closed_and_another_one_asked(void **state)
{
	(void)state;
	scene_start();
	(void)scene_request(get);
	stream_connect(stream_last());
	fail_after(500, 0);
	connect_after(20);
	answer_after(30);
	assert_record(1, 200, REASON_DONE, 2);
	assert_times(stream_last(), 500, 520, 550);
}

static void test_stale(void **state)
{
	(void)state;
	scene_only(1);
	scene_start();
	upstream_memory.kept[1] = 1;
	(void)scene_request(get);
	fail_after(500, 0);
	connect_after(20);
	fail_after(30, 0);
	assert_record(1, 502, REASON_BACKEND_CLOSED, 2);
	assert_times(stream_last(), 500, 520, NEVER);
}

/* It was to be sent again, and for that there was no connection. */
static void test_stale_and_refused(void **state)
{
	(void)state;
	scene_only(1);
	scene_start();
	upstream_memory.kept[1] = 1;
	(void)scene_request(get);
	fail_after(500, 0);
	stream_fail(stream_last(), ECONNREFUSED);
	assert_record(1, 502, REASON_CONNECT_FAILED, 2);
	assert_times(stream_last(), 500, NEVER, NEVER);
}

static void test_refused_at_one_address(void **state)
{
	(void)state;
	scene_only(1);
	scene_addresses(1, 2);
	scene_start();
	(void)scene_request(get);
	fail_after(100, ECONNREFUSED);
	connect_after(20);
	answer_after(0);
	assert_record(1, 200, REASON_DONE, 2);
	assert_times(stream_last(), 0, 120, 120);
}

static void test_refused_by_one_backend(void **state)
{
	(void)state;
	scene_start();
	(void)scene_request(get);
	fail_after(100, ECONNREFUSED);
	connect_after(20);
	answer_after(0);
	assert_record(1, 200, REASON_DONE, 2);
	assert_times(stream_last(), 100, 120, 120);
}

static void test_timeout(void **state)
{
	(void)state;
	scene_only(1);
	scene_start();
	(void)scene_request(get);
	connect_after(20);
	scene_pass(SCENE_RESPONSE + DEADLINE_TICK_MS);
	assert_record(1, 504, REASON_BACKEND_TIMEOUT, 1);
	assert_times(stream_last(), 0, 20, NEVER);
}

static void test_client_gone(void **state)
{
	struct memory_request *r;

	(void)state;
	scene_only(1);
	scene_start();
	r = scene_request(get);
	connect_after(20);
	exchange_client_ended(r->x, 0);
	assert_times(stream_last(), 0, 20, NEVER);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_fresh, scene_begin, scene_end),
		cmocka_unit_test_setup_teardown(test_kept, scene_begin, scene_end),
		cmocka_unit_test_setup_teardown(test_closed, scene_begin, scene_end),
		cmocka_unit_test_setup_teardown(
			test_closed_and_another_one_asked, scene_begin, scene_end),
		cmocka_unit_test_setup_teardown(test_stale, scene_begin, scene_end),
		cmocka_unit_test_setup_teardown(test_stale_and_refused, scene_begin, scene_end),
		cmocka_unit_test_setup_teardown(
			test_refused_at_one_address, scene_begin, scene_end),
		cmocka_unit_test_setup_teardown(
			test_refused_by_one_backend, scene_begin, scene_end),
		cmocka_unit_test_setup_teardown(test_timeout, scene_begin, scene_end),
		cmocka_unit_test_setup_teardown(test_client_gone, scene_begin, scene_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
