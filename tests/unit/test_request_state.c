/* A request on its way: its content under back-pressure, its rate, and the client that leaves. */
#include "config.h"

#include "exchange/exchange.h"

#include <stdalign.h>
#include <stdio.h>

#include "exchange/backlog.h"
#include "exchange/exchange_parts.h"
#include "exchange_one.h"

static const char get[] = "GET / HTTP/1.1\r\nHost: h\r\n\r\n";
static const char upload[] = "PUT / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n";
static const char ok[] = "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\n";

/* --- when content is taken --- */

static void test_content_is_taken_until_its_end(void **state)
{
	(void)state;
	scene_start();
	begin(upload);
	assert_true(exchange_takes_content(r->x));
	request_content(r, "abc", false);
	assert_true(exchange_takes_content(r->x));
	request_content(r, "", true);
	assert_false(exchange_takes_content(r->x));
	assert_sent(s, "abc", true);
	begin(get);
	assert_false(exchange_takes_content(r->x));
	begin("PUT / HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n");
	assert_false(exchange_takes_content(r->x));
	begin("PUT / HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\n\r\n");
	assert_true(exchange_takes_content(r->x));
}

/* While the connection is made the client may send, and the time of connecting runs. */
static void test_content_puts_connecting_off_by_nothing(void **state)
{
	(void)state;
	w.app.retry.attempts = 1;
	scene_start();
	r = scene_request(upload);
	s = stream_last();
	scene_pass(SCENE_CONNECT - 200);
	request_content(r, "abc", false);
	assert_int_equal(r->pauses, 0);
	exchange_client_drained(r->x);
	w.upstream.stream_events->drained(r->x);
	scene_pass(200);
	assert_replied(r, 504, "the backend could not be reached in time");
}

/* What waits for a backend that takes little is not read from the client. */
static void test_a_backend_that_is_full_pauses_the_client(void **state)
{
	(void)state;
	upstream_memory.slow = true;
	scene_start();
	begin(upload);
	s->window = 4;
	assert_int_equal(r->resumes, 1);
	request_content(r, "abc", false);
	assert_int_equal(r->pauses, 0);
	request_content(r, "de", false);
	assert_int_equal(r->pauses, 1);
	stream_take(s, 1);
	assert_int_equal(r->resumes, 1);
	stream_take(s, 1);
	assert_int_equal(r->resumes, 2);
}

static void test_content_that_cannot_be_sent(void **state)
{
	(void)state;
	scene_start();
	begin(upload);
	s->no_memory = true;
	request_content(r, "abc", false);
	assert_replied(r, 503, "");
	assert_stream_ended(s, UPSTREAM_CLOSE);
	assert_record(1, 503, REASON_NO_MEMORY, 1);
}

/* --- through the pipe --- */

static char much[CONTENT_HELD_MAX + 2];

/* Sends so much that nothing is held for another attempt. */
static void send_much(void)
{
	memset(much, 'x', sizeof much - 1);
	request_content(r, much, false);
}

static void test_what_is_held_goes_through_memory(void **state)
{
	(void)state;
	upstream_memory.splice_room = 555;
	scene_start();
	begin(upload);
	assert_int_equal(exchange_request_splice_room(r->x), 0);
	send_much();
	assert_int_equal(exchange_request_splice_room(r->x), 0);
	/* It is dropped when more of it comes. */
	request_content(r, "x", false);
	assert_int_equal(exchange_request_splice_room(r->x), 555);
}

/* Nothing is held of a POST. */
static void test_what_may_not_be_repeated_goes_through_the_pipe(void **state)
{
	(void)state;
	upstream_memory.splice_room = 555;
	scene_start();
	begin("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 100\r\n\r\n");
	request_content(r, "x", false);
	assert_int_equal(exchange_request_splice_room(r->x), 555);
	exchange_request_spliced(r->x, 98, false);
	assert_true(exchange_takes_content(r->x));
	exchange_request_spliced(r->x, 1, true);
	assert_false(exchange_takes_content(r->x));
	assert_int_equal(s->spliced, 99);
	assert_true(s->whole);
	stream_answer(s, ok, "thanks");
	assert_got(r, 200, "thanks");
}

static void test_the_pipe_has_no_room_without_a_backend(void **state)
{
	(void)state;
	upstream_memory.splice_room = 555;
	scene_only(0);
	w.app.queue = 2;
	w.backends[0].max_requests = 1;
	scene_start();
	begin(get);
	r = scene_request("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 100\r\n\r\n");
	assert_int_equal(exchange_request_splice_room(r->x), 0);
}

static void test_the_pipe_is_under_back_pressure_too(void **state)
{
	(void)state;
	upstream_memory.slow = true;
	scene_start();
	begin("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 100\r\n\r\n");
	request_content(r, "x", false);
	s->window = 40;
	exchange_request_spliced(r->x, 10, false);
	assert_int_equal(r->pauses, 0);
	exchange_request_spliced(r->x, 40, false);
	assert_int_equal(r->pauses, 1);
	s->no_memory = true;
	exchange_request_spliced(r->x, 1, false);
	assert_replied(r, 503, "");
	assert_record(1, 503, REASON_NO_MEMORY, 1);
}

/* --- the rate --- */

/* 100 bytes a second, looked at once in ten seconds. */
static void begin_with_rate(void)
{
	w.settings.limits.body_rate = 100;
	w.settings.timeouts.response = 60000;
	scene_start();
	begin(upload);
	request_content(r, "a", false);
}

static char thousand[1001];

static void test_content_comes_too_slowly(void **state)
{
	(void)state;
	memset(thousand, 'x', 1000);
	begin_with_rate();
	scene_pass(9999);
	w.loop.now_us += 999;
	request_content(r, "b", false);
	assert_goes_on(r);
	scene_pass(1);
	request_content(r, "c", false);
	assert_replied(r, 408, "the request's body came too slowly");
	assert_stream_ended(s, UPSTREAM_CLOSE);
	assert_record(1, 408, REASON_CLIENT_TIMEOUT, 1);
}

static void test_content_comes_just_fast_enough(void **state)
{
	(void)state;
	memset(thousand, 'x', 1000);
	begin_with_rate();
	for (int i = 0; i < 4; i++) {
		scene_pass(10000);
		request_content(r, thousand, false);
		assert_goes_on(r);
	}
	/* What came before does not count again. */
	scene_pass(10000);
	request_content(r, thousand + 1, false);
	assert_replied(r, 408, "the request's body came too slowly");
}

/* Whole seconds count. */
static void test_seconds_are_counted_whole(void **state)
{
	(void)state;
	memset(thousand, 'x', 1000);
	begin_with_rate();
	scene_pass(10999);
	w.loop.now_us += 999;
	request_content(r, thousand, false);
	assert_goes_on(r);
	scene_pass(11001);
	request_content(r, thousand, false);
	assert_replied(r, 408, "the request's body came too slowly");
}

static void test_the_end_may_come_slowly(void **state)
{
	(void)state;
	begin_with_rate();
	scene_pass(15000);
	request_content(r, "", true);
	assert_goes_on(r);
}

/* The client was kept waiting by the backend. */
static void test_time_in_which_the_backend_takes_nothing_does_not_count(void **state)
{
	(void)state;
	upstream_memory.slow = true;
	begin_with_rate();
	s->window = 4;
	request_content(r, "bcd", false);
	assert_int_equal(r->pauses, 1);
	scene_pass(15000);
	stream_take(s, 4);
	assert_int_equal(r->resumes, 2);
	scene_pass(9999);
	request_content(r, "e", false);
	assert_goes_on(r);
	scene_pass(1);
	request_content(r, "f", false);
	assert_replied(r, 408, "the request's body came too slowly");
}

static void test_without_a_rate_any_is_fine(void **state)
{
	(void)state;
	w.settings.timeouts.response = 60000;
	scene_start();
	begin(upload);
	for (int i = 0; i < 5; i++) {
		request_content(r, "a", false);
		scene_pass(30000);
	}
	assert_goes_on(r);
}

static void test_the_rate_counts_for_the_pipe_too(void **state)
{
	(void)state;
	w.settings.limits.body_rate = 100;
	scene_start();
	begin("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 10000\r\n\r\n");
	request_content(r, "x", false);
	scene_pass(10000);
	exchange_request_spliced(r->x, 1000, false);
	assert_goes_on(r);
	scene_pass(10000);
	exchange_request_spliced(r->x, 999, false);
	assert_replied(r, 408, "the request's body came too slowly");
}

/* Both sides may want to talk slowly; but one that does nothing at all is not waited for. */
static void test_the_rate_is_of_no_interest_once_the_response_has_begun(void **state)
{
	(void)state;
	begin_with_rate();
	assert_true(stream_head(s, "HTTP/1.1 102 Processing\r\n\r\n"));
	assert_true(stream_head(s, "HTTP/1.1 200 OK\r\n\r\n"));
	for (int i = 0; i < 20; i++) {
		scene_pass(30000);
		request_content(r, "a", false);
		assert_goes_on(r);
		assert_true(stream_content(s, "b", false));
	}
	scene_pass(60000 + DEADLINE_TICK_MS);
	assert_ended(r, DOWNSTREAM_ABORT);
	assert_record(1, 200, REASON_CLIENT_TIMEOUT, 1);
}

/* --- the client --- */

static void test_the_client_leaves_before_there_is_a_response(void **state)
{
	(void)state;
	scene_start();
	begin(upload);
	exchange_client_ended(r->x, 0);
	assert_ended(r, DOWNSTREAM_GONE);
	assert_stream_ended(s, UPSTREAM_CLOSE);
	assert_record(1, 499, REASON_CLIENT_CLOSED, 1);
	begin(get);
	assert_true(stream_head(s, "HTTP/1.1 103 Early Hints\r\n\r\n"));
	exchange_client_ended(r->x, ECONNRESET);
	assert_ended(r, DOWNSTREAM_GONE);
	assert_record(2, 499, REASON_CLIENT_CLOSED, 1);
}

static void test_the_client_leaves_in_the_middle_of_a_response(void **state)
{
	(void)state;
	scene_start();
	begin(get);
	assert_true(stream_head(s, "HTTP/1.1 404 No\r\n\r\n"));
	exchange_client_ended(r->x, ECONNRESET);
	assert_ended(r, DOWNSTREAM_ABORT);
	assert_record(1, 404, REASON_CLIENT_CLOSED, 1);
}

/* A response has begun: the request that is malformed behind its head cannot be answered. */
static void test_what_is_malformed_behind_an_early_response(void **state)
{
	(void)state;
	scene_start();
	begin(upload);
	request_content(r, "abc", false);
	assert_true(stream_head(s, "HTTP/1.1 200 OK\r\n\r\n"));
	exchange_request_bad(r->x, 400, "a chunk without a length");
	assert_ended(r, DOWNSTREAM_TRUNCATED);
	assert_int_equal(r->replies, 0);
	assert_record(1, 200, REASON_BAD_REQUEST, 1);
}

/* A backend that takes something puts the deadline off. */
static void test_a_backend_that_takes_something(void **state)
{
	(void)state;
	upstream_memory.slow = true;
	scene_start();
	begin(upload);
	request_content(r, "abc", false);
	for (int i = 0; i < 3; i++) {
		scene_pass(SCENE_RESPONSE - 1000);
		assert_goes_on(r);
		stream_take(s, 1);
	}
	scene_pass(SCENE_RESPONSE - 1000);
	assert_goes_on(r);
	/* The deadline was put off, not only looked at. */
	assert_int_equal(r->x->response.unsent, 0);
}

/* A client that takes something puts the deadline off, and reading goes on unless it is full. */
static void test_a_client_that_takes_something(void **state)
{
	(void)state;
	scene_start();
	begin(get);
	r->slow = true;
	r->window = 4;
	assert_true(stream_head(s, "HTTP/1.1 200 OK\r\n\r\n"));
	assert_true(stream_content(s, "abcdef", false));
	assert_int_equal(s->pauses, 1);
	scene_pass(SCENE_RESPONSE - 1000);
	request_take(r, 1);
	assert_int_equal(s->resumes, 0);
	scene_pass(SCENE_RESPONSE - 1000);
	assert_goes_on(r);
	request_take(r, 2);
	assert_int_equal(s->resumes, 1);
	assert_true(r->x->deadline.due_us >= w.loop.now_us + SCENE_RESPONSE * POOLS_MS);
}

/* A request without a backend has nothing to put off. */
static void test_a_client_that_takes_something_while_it_waits(void **state)
{
	(void)state;
	scene_only(0);
	w.app.queue = 2;
	w.backends[0].max_requests = 1;
	scene_start();
	begin(get);
	r = scene_request(get);
	exchange_client_drained(r->x);
	assert_goes_on(r);
	assert_int_equal(backlog_unsent(r->x), 0);
}

/* --- its head --- */

static void test_without_memory_for_the_head_it_does_not_begin(void **state)
{
	struct memory_request *other = request_new();
	static char head[8192];

	(void)state;
	scene_start();
	/* The room for the exchange is there, not that for its head. */
	mem_fail_after(1);
	assert_int_equal(request_send(other, &scene.context, get, scene.start), -1);
	assert_int_equal(other->ends, 0);
	assert_int_equal(scene.count, 0);
	/* Nor that for a larger one. */
	other = request_new();
	memset(head, 'x', sizeof head - 1);
	memcpy(head, "GET / HTTP/1.1\r\nHost: h\r\nX: ", 28);
	memcpy(head + sizeof head - 5, "\r\n\r\n", 5);
	mem_fail_after(0);
	assert_int_equal(request_send(other, &scene.context, head, scene.start), -1);
	mem_fail_after(-1);
	assert_int_equal(request_send(other, &scene.context, head, scene.start), 0);
	assert_int_equal(upstream_memory.count, 1);
}

/* Its fields stand behind its bytes, where any object may. */
static void test_a_head_of_any_length_is_kept(void **state)
{
	char head[64];

	(void)state;
	scene_start();
	for (int i = 1; i <= 17; i++) {
		snprintf(head, sizeof head, "GET /%.*s HTTP/1.1\r\nHost: h\r\n\r\n", i,
			"abcdefghijklmnopq");
		r = scene_request(head);
		assert_int_equal((uintptr_t)r->x->request.head % alignof(max_align_t), 0);
		assert_int_equal(strlen(stream_last()->target), i + 1);
		assert_slice(r->x->request.head->host, "h");
		exchange_stop(r->x);
	}
}

static void test_without_memory_there_is_no_exchange(void **state)
{
	(void)state;
	scene_start();
	mem_fail_after(0);
	assert_null(exchange_new(&scene.context));
	mem_fail_after(-1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			test_content_is_taken_until_its_end, scene_begin, scene_end),
		cmocka_unit_test_setup_teardown(
			test_content_puts_connecting_off_by_nothing, scene_begin, scene_end),
		cmocka_unit_test_setup_teardown(
			test_a_backend_that_is_full_pauses_the_client, scene_begin, scene_end),
		cmocka_unit_test_setup_teardown(
			test_content_that_cannot_be_sent, scene_begin, scene_end),
		cmocka_unit_test_setup_teardown(
			test_what_is_held_goes_through_memory, scene_begin, scene_end),
		cmocka_unit_test_setup_teardown(test_what_may_not_be_repeated_goes_through_the_pipe,
			scene_begin, scene_end),
		cmocka_unit_test_setup_teardown(
			test_the_pipe_has_no_room_without_a_backend, scene_begin, scene_end),
		cmocka_unit_test_setup_teardown(
			test_the_pipe_is_under_back_pressure_too, scene_begin, scene_end),
		cmocka_unit_test_setup_teardown(
			test_content_comes_too_slowly, scene_begin, scene_end),
		cmocka_unit_test_setup_teardown(
			test_content_comes_just_fast_enough, scene_begin, scene_end),
		cmocka_unit_test_setup_teardown(
			test_seconds_are_counted_whole, scene_begin, scene_end),
		cmocka_unit_test_setup_teardown(
			test_the_end_may_come_slowly, scene_begin, scene_end),
		cmocka_unit_test_setup_teardown(
			test_time_in_which_the_backend_takes_nothing_does_not_count, scene_begin,
			scene_end),
		cmocka_unit_test_setup_teardown(
			test_without_a_rate_any_is_fine, scene_begin, scene_end),
		cmocka_unit_test_setup_teardown(
			test_the_rate_counts_for_the_pipe_too, scene_begin, scene_end),
		cmocka_unit_test_setup_teardown(
			test_the_rate_is_of_no_interest_once_the_response_has_begun, scene_begin,
			scene_end),
		cmocka_unit_test_setup_teardown(
			test_the_client_leaves_before_there_is_a_response, scene_begin, scene_end),
		cmocka_unit_test_setup_teardown(
			test_the_client_leaves_in_the_middle_of_a_response, scene_begin, scene_end),
		cmocka_unit_test_setup_teardown(
			test_what_is_malformed_behind_an_early_response, scene_begin, scene_end),
		cmocka_unit_test_setup_teardown(
			test_a_client_that_takes_something, scene_begin, scene_end),
		cmocka_unit_test_setup_teardown(
			test_a_client_that_takes_something_while_it_waits, scene_begin, scene_end),
		cmocka_unit_test_setup_teardown(
			test_without_memory_for_the_head_it_does_not_begin, scene_begin, scene_end),
		cmocka_unit_test_setup_teardown(
			test_without_memory_there_is_no_exchange, scene_begin, scene_end),
		cmocka_unit_test_setup_teardown(
			test_a_head_of_any_length_is_kept, scene_begin, scene_end),
		cmocka_unit_test_setup_teardown(
			test_a_backend_that_takes_something, scene_begin, scene_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
