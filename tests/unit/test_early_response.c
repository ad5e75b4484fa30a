/* Responses that are whole before the backend has the whole request: what becomes of the rest. */
#include "config.h"

#include "exchange/early_response.h"

#include "exchange_one.h"

static const char upload[] = "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 100\r\n\r\n";
static const char expects[] = "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 100\r\n"
			      "Expect: 100-continue\r\n\r\n";
static const char accepted[] = "HTTP/1.1 202 Accepted\r\nContent-Length: 5\r\n\r\n";
static const char refused[] = "HTTP/1.1 413 Content Too Large\r\nContent-Length: 5\r\n"
			      "Connection: close\r\n\r\n";

/* A part of the request is at the backend, and all of the response at the client. */
static void begin_early(void)
{
	begin(upload);
	request_content(r, "abc", false);
	assert_true(stream_head(s, accepted));
	assert_true(stream_content(s, "later", true));
	assert_goes_on(r);
	assert_true(r->whole);
	assert_int_equal(r->finishes, 1);
	assert_true(exchange_takes_content(r->x));
}

static void assert_is_over(enum reason reason)
{
	assert_got(r, 202, "later");
	assert_stream_ended(s, UPSTREAM_DONE);
	assert_record(scene.count, 202, reason, 1);
}

static void test_the_rest_goes_on(void **state)
{
	(void)state;
	begin_early();
	request_content(r, "def", false);
	assert_goes_on(r);
	request_content(r, "ghi", true);
	assert_sent(s, "abcdefghi", true);
	assert_is_over(REASON_DONE);
	assert_int_equal(s->finishes, 0);
}

static void test_the_rest_is_spliced(void **state)
{
	(void)state;
	upstream_memory.splice_room = 1000;
	begin_early();
	assert_int_equal(exchange_request_splice_room(r->x), 1000);
	exchange_request_spliced(r->x, 10, false);
	assert_goes_on(r);
	exchange_request_spliced(r->x, 20, true);
	assert_int_equal(s->spliced, 30);
	assert_is_over(REASON_DONE);
}

/* What waits for the backend when the request is here whole goes out first. */
static void test_what_waits_for_the_backend_goes_out(void **state)
{
	(void)state;
	begin_early();
	s->slow = true;
	request_content(r, "def", true);
	assert_goes_on(r);
	assert_int_equal(s->finishes, 1);
	stream_take(s, 2);
	assert_goes_on(r);
	stream_take(s, 1);
	assert_is_over(REASON_DONE);
}

/* The same where the request came whole before the response did. */
static void test_the_backlog_goes_out(void **state)
{
	(void)state;
	begin(upload);
	s->slow = true;
	request_content(r, "abc", true);
	assert_true(stream_head(s, accepted));
	assert_true(stream_content(s, "later", true));
	assert_goes_on(r);
	assert_int_equal(s->finishes, 1);
	stream_take(s, 3);
	assert_is_over(REASON_DONE);
}

/* A full backend pauses the client, as ever. */
static void test_the_rest_is_held_back(void **state)
{
	(void)state;
	begin_early();
	s->slow = true;
	s->window = 3;
	request_content(r, "def", false);
	assert_true(r->paused);
	stream_take(s, 1);
	assert_false(r->paused);
	assert_goes_on(r);
}

static void test_a_backend_that_closes(void **state)
{
	(void)state;
	begin_early();
	stream_fail(s, 0);
	assert_is_over(REASON_REQUEST_CUT);
	begin_early();
	stream_fail(s, ECONNRESET);
	assert_is_over(REASON_REQUEST_CUT);
}

/* An orderly end behind the whole request is none of its business. */
static void test_a_backend_that_closes_behind_the_request(void **state)
{
	for (int error = 0; error <= ECONNRESET; error += ECONNRESET) {
		(void)state;
		begin_early();
		s->slow = true;
		request_content(r, "def", true);
		assert_goes_on(r);
		s->waits = 0;
		stream_fail(s, error);
		assert_is_over(error == 0 ? REASON_DONE : REASON_REQUEST_CUT);
	}
	begin_early();
	s->slow = true;
	request_content(r, "def", true);
	stream_fail(s, 0);
	assert_is_over(REASON_REQUEST_CUT);
}

/* A socket that failed may say so by the next write, or by what waits for it. */
static void test_a_backend_that_takes_nothing_any_more(void **state)
{
	(void)state;
	begin_early();
	s->gone = true;
	request_content(r, "def", false);
	assert_is_over(REASON_REQUEST_CUT);
	begin_early();
	s->gone = true;
	request_content(r, "def", true);
	assert_is_over(REASON_REQUEST_CUT);
	begin_early();
	s->gone = true;
	stream_take(s, 0);
	assert_is_over(REASON_REQUEST_CUT);
}

/* It said so in its response, or by failing while that came. */
static void test_a_backend_that_wants_no_more(void **state)
{
	(void)state;
	begin(upload);
	request_content(r, "abc", false);
	stream_answer(s, refused, "later");
	assert_got(r, 413, "later");
	assert_record(1, 413, REASON_REQUEST_CUT, 1);
	begin(upload);
	s->gone = true;
	stream_answer(s, accepted, "later");
	assert_is_over(REASON_REQUEST_CUT);
	/* To close behind a whole request is nothing. */
	begin(upload);
	request_content(r, "abc", true);
	stream_answer(s, refused, "later");
	assert_got(r, 413, "later");
	assert_record(3, 413, REASON_DONE, 1);
}

/* The last write to it has failed: what it did not get is no success. */
static void test_a_client_that_left_before_the_end(void **state)
{
	(void)state;
	begin(upload);
	request_content(r, "abc", true);
	assert_true(stream_head(s, accepted));
	downstream_memory.connection.gone = true;
	assert_false(stream_content(s, "later", true));
	assert_ended(r, DOWNSTREAM_ABORT);
	assert_stream_ended(s, UPSTREAM_DONE);
	assert_record(1, 202, REASON_CLIENT_CLOSED, 1);
}

static void test_a_client_that_ends(void **state)
{
	(void)state;
	begin_early();
	exchange_client_ended(r->x, 0);
	assert_is_over(REASON_REQUEST_CUT);
	begin_early();
	exchange_client_ended(r->x, ECONNRESET);
	assert_is_over(REASON_REQUEST_CUT);
}

/* The response is whole, and stays so. */
static void test_a_request_that_is_malformed(void **state)
{
	(void)state;
	begin_early();
	exchange_request_bad(r->x, 400, "bad chunk");
	assert_got(r, 202, "later");
	assert_stream_ended(s, UPSTREAM_CLOSE);
	assert_record(1, 202, REASON_BAD_REQUEST, 1);
}

static void test_a_client_that_sends_no_more(void **state)
{
	(void)state;
	begin_early();
	scene_pass(SCENE_RESPONSE + DEADLINE_TICK_MS);
	assert_got(r, 202, "later");
	assert_record(1, 202, REASON_CLIENT_TIMEOUT, 1);
}

/* The response has begun long ago, and nobody talks any more: this would hold the backend for
 * ever. The time before the end of the response does not count. */
static void test_a_client_that_sends_too_slowly(void **state)
{
	(void)state;
	w.settings.limits.body_rate = 100;
	scene_start();
	begin(upload);
	request_content(r, "a", false);
	assert_true(stream_head(s, accepted));
	scene_pass(15000);
	assert_true(stream_content(s, "later", true));
	for (int i = 0; i < 2; i++) {
		request_content(r, "b", false);
		assert_goes_on(r);
		scene_pass(5000);
	}
	request_content(r, "c", false);
	assert_got(r, 202, "later");
	assert_stream_ended(s, UPSTREAM_CLOSE);
	assert_record(1, 202, REASON_CLIENT_TIMEOUT, 1);
}

static void test_a_client_that_takes_no_more(void **state)
{
	(void)state;
	begin(upload);
	r->slow = true;
	assert_true(stream_head(s, accepted));
	assert_true(stream_content(s, "later", true));
	/* The first look sees that something waits. */
	scene_pass(SCENE_RESPONSE + DEADLINE_TICK_MS);
	assert_goes_on(r);
	r->waits = 1;
	scene_pass(SCENE_RESPONSE + DEADLINE_TICK_MS);
	assert_goes_on(r);
	scene_pass(SCENE_RESPONSE + DEADLINE_TICK_MS);
	assert_ended(r, DOWNSTREAM_ABORT);
	assert_record(1, 202, REASON_CLIENT_TIMEOUT, 1);
}

static void test_a_backend_that_takes_no_more(void **state)
{
	(void)state;
	begin_early();
	s->slow = true;
	request_content(r, "def", false);
	scene_pass(SCENE_RESPONSE + DEADLINE_TICK_MS);
	assert_goes_on(r);
	scene_pass(SCENE_RESPONSE + DEADLINE_TICK_MS);
	assert_is_over(REASON_REQUEST_CUT);
}

/* Its buffers are needed: the client has its response, and keeps it. */
static void test_a_request_that_holds_up_buffers(void **state)
{
	(void)state;
	begin_early();
	s->slow = true;
	request_content(r, "def", false);
	/* The first look sees that something waits. */
	assert_false(exchange_cut_stalled(&r->x->deadline));
	assert_true(exchange_cut_stalled(&r->x->deadline));
	assert_got(r, 202, "later");
	assert_record(1, 202, REASON_BUFFERS_FULL, 1);
}

/* A backend that has all, and stays silent behind the end of our side. */
static void test_a_backend_that_does_not_close(void **state)
{
	(void)state;
	begin_early();
	s->slow = true;
	request_content(r, "def", true);
	s->waits = 0;
	scene_pass(SCENE_RESPONSE + DEADLINE_TICK_MS);
	assert_is_over(REASON_DONE);
}

/* The client was not asked for its content, and does not send it. */
static void test_a_response_in_place_of_a_100(void **state)
{
	(void)state;
	begin(expects);
	stream_answer(s, accepted, "later");
	assert_is_over(REASON_DONE);
	/* It sends it all the same, or because it was asked. */
	begin(expects);
	request_content(r, "abc", false);
	assert_true(stream_head(s, accepted));
	assert_true(stream_content(s, "later", true));
	assert_goes_on(r);
	begin(expects);
	assert_true(stream_head(s, "HTTP/1.1 100 Continue\r\n\r\n"));
	assert_true(stream_head(s, accepted));
	assert_true(stream_content(s, "later", true));
	assert_goes_on(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			test_a_request_that_holds_up_buffers, scene_begin, scene_end),
		cmocka_unit_test_setup_teardown(test_the_rest_goes_on, scene_begin, scene_end),
		cmocka_unit_test_setup_teardown(test_the_rest_is_spliced, scene_begin, scene_end),
		cmocka_unit_test_setup_teardown(
			test_what_waits_for_the_backend_goes_out, scene_begin, scene_end),
		cmocka_unit_test_setup_teardown(test_the_backlog_goes_out, scene_begin, scene_end),
		cmocka_unit_test_setup_teardown(test_the_rest_is_held_back, scene_begin, scene_end),
		cmocka_unit_test_setup_teardown(test_a_backend_that_closes, scene_begin, scene_end),
		cmocka_unit_test_setup_teardown(
			test_a_backend_that_closes_behind_the_request, scene_begin, scene_end),
		cmocka_unit_test_setup_teardown(
			test_a_backend_that_takes_nothing_any_more, scene_begin, scene_end),
		cmocka_unit_test_setup_teardown(
			test_a_backend_that_wants_no_more, scene_begin, scene_end),
		cmocka_unit_test_setup_teardown(
			test_a_client_that_left_before_the_end, scene_begin, scene_end),
		cmocka_unit_test_setup_teardown(test_a_client_that_ends, scene_begin, scene_end),
		cmocka_unit_test_setup_teardown(
			test_a_request_that_is_malformed, scene_begin, scene_end),
		cmocka_unit_test_setup_teardown(
			test_a_client_that_sends_no_more, scene_begin, scene_end),
		cmocka_unit_test_setup_teardown(
			test_a_client_that_sends_too_slowly, scene_begin, scene_end),
		cmocka_unit_test_setup_teardown(
			test_a_client_that_takes_no_more, scene_begin, scene_end),
		cmocka_unit_test_setup_teardown(
			test_a_backend_that_takes_no_more, scene_begin, scene_end),
		cmocka_unit_test_setup_teardown(
			test_a_backend_that_does_not_close, scene_begin, scene_end),
		cmocka_unit_test_setup_teardown(
			test_a_response_in_place_of_a_100, scene_begin, scene_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
