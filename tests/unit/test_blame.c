/* What a client alone does must not count against a backend; what a backend does, counts. */
#include "config.h"

#include "exchange/blame.h"

#include "exchange_one.h"

static const char get[] = "GET / HTTP/1.1\r\nHost: h\r\n\r\n";
static const char post[] = "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 100\r\n\r\n";
static const char upload[] = "PUT / HTTP/1.1\r\nHost: h\r\nContent-Length: 100\r\n\r\n";
static const char ok[] = "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n";
static const char error[] = "HTTP/1.1 503 Overload\r\nContent-Length: 2\r\n\r\n";

#define SECOND_MS 1000

static void assert_counted(enum rows_count what, uint64_t count)
{
	assert_int_equal(counted(what), count);
}

/* --- the request is not whole --- */

static void test_a_backend_that_tires_of_a_request(void **state)
{
	(void)state;
	begin(post);
	request_content(r, "abc", false);
	stream_fail(s, 0);
	assert_replied(r, 502, "the backend closed before it answered");
	assert_counted(ROWS_CUT, 0);
}

/* What the backend has not taken is its own matter. */
static void test_a_backend_that_does_not_take_a_request(void **state)
{
	(void)state;
	begin(post);
	s->slow = true;
	request_content(r, "abc", false);
	stream_fail(s, 0);
	assert_counted(ROWS_CUT, 1);
}

static void test_a_backend_that_closes_on_a_whole_request(void **state)
{
	(void)state;
	begin(post);
	request_content(r, "abc", true);
	stream_fail(s, 0);
	assert_counted(ROWS_CUT, 1);
}

static void test_a_backend_that_tires_within_its_response(void **state)
{
	(void)state;
	begin(post);
	assert_true(stream_head(s, ok));
	assert_true(stream_content(s, "abc", false));
	stream_fail(s, 0);
	assert_counted(ROWS_CUT, 0);
	begin(post);
	request_content(r, "abc", true);
	assert_true(stream_head(s, ok));
	assert_true(stream_content(s, "abc", false));
	stream_fail(s, 0);
	assert_counted(ROWS_CUT, 1);
}

static void test_a_malformed_response(void **state)
{
	(void)state;
	begin(post);
	w.upstream.stream_events->bad(r->x, "bad status");
	assert_counted(ROWS_BAD_RESPONSE, 0);
	begin(get);
	w.upstream.stream_events->bad(r->x, "bad status");
	assert_counted(ROWS_BAD_RESPONSE, 1);
}

/* What a client offers, and how long its host makes the backend's references, is its choice. */
static void test_a_response_that_does_not_suit_the_client(void **state)
{
	static const char switched[] = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: tcp\r\n"
				       "Connection: upgrade\r\n\r\n";

	(void)state;
	begin("GET / HTTP/1.1\r\nHost: h\r\nConnection: upgrade\r\nUpgrade: foo\r\n\r\n");
	assert_false(stream_head(s, switched));
	assert_replied(r, 502, "the backend's answer was malformed");
	begin(get);
	r->head_result = DOWNSTREAM_TOO_LONG;
	assert_false(stream_head(s, ok));
	assert_replied(r, 502, "the backend's answer was malformed");
	assert_counted(ROWS_BAD_RESPONSE, 0);
	begin(get);
	assert_false(stream_head(s, switched));
	assert_counted(ROWS_BAD_RESPONSE, 1);
}

static void test_a_status(void **state)
{
	(void)state;
	begin(post);
	assert_true(stream_head(s, error));
	assert_counted(ROWS_5XX, 0);
	assert_counted(ROWS_RESPONSES, 1);
	begin(get);
	assert_true(stream_head(s, error));
	assert_counted(ROWS_5XX, 1);
}

/* --- the response waits for the client --- */

static void begin_response(void)
{
	begin(get);
	r->slow = true;
	r->window = 3;
	assert_true(stream_head(s, ok));
	assert_true(stream_content(s, "abc", false));
	assert_true(s->paused);
}

static void test_a_client_that_takes_nothing(void **state)
{
	(void)state;
	begin_response();
	r->waits = 1;
	stream_fail(s, ECONNRESET);
	assert_counted(ROWS_CUT, 0);
}

static void test_a_client_that_takes_all_at_once(void **state)
{
	(void)state;
	begin(get);
	assert_true(stream_head(s, ok));
	assert_true(stream_content(s, "abc", false));
	request_take(r, 3);
	stream_fail(s, 0);
	assert_counted(ROWS_CUT, 1);
	begin_response();
	w.loop.now_us += 999999;
	request_take(r, 3);
	stream_fail(s, 0);
	assert_counted(ROWS_CUT, 1);
}

/* It has taken all by now, but the backend had to wait for that. */
static void test_a_client_that_took_long(void **state)
{
	(void)state;
	begin_response();
	scene_pass(SECOND_MS);
	request_take(r, 3);
	assert_false(s->paused);
	stream_fail(s, 0);
	assert_ended(r, DOWNSTREAM_TRUNCATED);
	assert_counted(ROWS_CUT, 0);
}

static void test_a_client_that_took_long_again_and_again(void **state)
{
	(void)state;
	begin_response();
	scene_pass(SECOND_MS / 2);
	request_take(r, 3);
	scene_pass(10 * SECOND_MS);
	assert_true(stream_content(s, "abc", false));
	scene_pass(SECOND_MS / 2 - 1);
	request_take(r, 3);
	stream_fail(s, 0);
	assert_counted(ROWS_CUT, 1);
	begin_response();
	scene_pass(SECOND_MS / 2);
	request_take(r, 3);
	assert_true(stream_content(s, "abc", false));
	scene_pass(SECOND_MS / 2);
	request_take(r, 3);
	stream_fail(s, 0);
	assert_counted(ROWS_CUT, 0);
}

/* --- the request itself --- */

/* The same request makes each backend close that gets it: it counts once. */
static void test_a_request_on_which_all_close(void **state)
{
	struct memory_stream *first;

	(void)state;
	begin(get);
	first = s;
	stream_fail(s, 0);
	s = stream_last();
	assert_ptr_not_equal(s, first);
	stream_connect(s);
	stream_fail(s, 0);
	assert_int_equal(counted_at(first, ROWS_CUT), 1);
	assert_counted(ROWS_CUT, 0);
}

/* --- latency --- */

static uint64_t latency(void)
{
	return s->stream.backend->load.latency_us;
}

/* It is the backend's time, not that of the upload. */
static void test_the_latency_of_an_upload(void **state)
{
	(void)state;
	w.app.balance = BALANCE_LATENCY;
	begin(upload);
	request_content(r, "abc", false);
	scene_pass(5 * SECOND_MS);
	request_content(r, "def", true);
	scene_pass(20);
	assert_true(stream_head(s, ok));
	assert_in_range(latency(), 20000, 20001);
}

static void test_the_latency_of_a_spliced_upload(void **state)
{
	(void)state;
	w.app.balance = BALANCE_LATENCY;
	upstream_memory.splice_room = 1000;
	begin(post);
	request_content(r, "abc", false);
	scene_pass(5 * SECOND_MS);
	exchange_request_spliced(r->x, 97, true);
	scene_pass(20);
	assert_true(stream_head(s, ok));
	assert_in_range(latency(), 20000, 20001);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			test_a_backend_that_tires_of_a_request, scene_begin, scene_end),
		cmocka_unit_test_setup_teardown(
			test_a_backend_that_does_not_take_a_request, scene_begin, scene_end),
		cmocka_unit_test_setup_teardown(
			test_a_backend_that_closes_on_a_whole_request, scene_begin, scene_end),
		cmocka_unit_test_setup_teardown(
			test_a_backend_that_tires_within_its_response, scene_begin, scene_end),
		cmocka_unit_test_setup_teardown(test_a_malformed_response, scene_begin, scene_end),
		cmocka_unit_test_setup_teardown(
			test_a_response_that_does_not_suit_the_client, scene_begin, scene_end),
		cmocka_unit_test_setup_teardown(test_a_status, scene_begin, scene_end),
		cmocka_unit_test_setup_teardown(
			test_a_client_that_takes_nothing, scene_begin, scene_end),
		cmocka_unit_test_setup_teardown(
			test_a_client_that_took_long, scene_begin, scene_end),
		cmocka_unit_test_setup_teardown(
			test_a_client_that_takes_all_at_once, scene_begin, scene_end),
		cmocka_unit_test_setup_teardown(
			test_a_client_that_took_long_again_and_again, scene_begin, scene_end),
		cmocka_unit_test_setup_teardown(
			test_a_request_on_which_all_close, scene_begin, scene_end),
		cmocka_unit_test_setup_teardown(
			test_the_latency_of_an_upload, scene_begin, scene_end),
		cmocka_unit_test_setup_teardown(
			test_the_latency_of_a_spliced_upload, scene_begin, scene_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
