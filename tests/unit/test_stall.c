/* Exchanges in which nothing moves: whose fault that is, and which of them have to go. */
#include "config.h"

#include "exchange/stall.h"

#include "exchange_one.h"

static const char get[] = "GET / HTTP/1.1\r\nHost: h\r\n\r\n";
static const char upload[] = "PUT / HTTP/1.1\r\nHost: h\r\nContent-Length: 100\r\n\r\n";
static const char expects[] = "PUT / HTTP/1.1\r\nHost: h\r\nContent-Length: 100\r\n"
			      "Expect: 100-continue\r\n\r\n";

/* All the time that nothing may move. */
static void stall(void)
{
	scene_pass(SCENE_RESPONSE + DEADLINE_TICK_MS);
}

static void assert_backend_is_late(void)
{
	assert_replied(r, 504, "the backend did not answer in time");
	assert_int_equal(scene.records[scene.count - 1].reason, REASON_BACKEND_TIMEOUT);
	assert_stream_ended(s, UPSTREAM_CLOSE);
	assert_int_equal(counted(ROWS_TIMED_OUT), 1);
}

static void assert_client_is_late(void)
{
	assert_replied(r, 408, "the request did not arrive in time");
	assert_int_equal(scene.records[scene.count - 1].reason, REASON_CLIENT_TIMEOUT);
	assert_stream_ended(s, UPSTREAM_CLOSE);
	assert_int_equal(counted(ROWS_TIMED_OUT), 0);
}

static void test_a_backend_that_does_not_answer(void **state)
{
	(void)state;
	begin(get);
	scene_pass(SCENE_RESPONSE - 1);
	assert_goes_on(r);
	scene_pass(DEADLINE_TICK_MS);
	assert_backend_is_late();
	assert_record(1, 504, REASON_BACKEND_TIMEOUT, 1);
}

static void test_a_client_that_sends_no_more(void **state)
{
	(void)state;
	begin(upload);
	request_content(r, "abc", false);
	stall();
	assert_client_is_late();
	assert_record(1, 408, REASON_CLIENT_TIMEOUT, 1);
}

/* All that the client sends waits for the backend. */
static void test_a_backend_that_takes_no_more(void **state)
{
	(void)state;
	begin(upload);
	s->slow = true;
	request_content(r, "abc", false);
	stall();
	/* The first look sees that something waits; the next one, that nobody takes it. */
	assert_goes_on(r);
	stall();
	assert_backend_is_late();
}

/* One byte between two looks is enough. */
static void test_a_backend_that_takes_little(void **state)
{
	(void)state;
	begin(upload);
	s->slow = true;
	request_content(r, "abc", false);
	stall();
	for (int i = 0; i < 2; i++) {
		assert_goes_on(r);
		s->waits--;
		stall();
	}
	assert_goes_on(r);
	stall();
	assert_backend_is_late();
}

/* Not every backend sends a 100: a client alone must not be able to make one look late. */
static void test_a_client_that_waits_for_a_100(void **state)
{
	(void)state;
	begin(expects);
	stall();
	assert_client_is_late();
}

static void test_a_client_that_has_its_100(void **state)
{
	(void)state;
	begin(expects);
	assert_true(stream_head(s, "HTTP/1.1 100 Continue\r\n\r\n"));
	stall();
	assert_client_is_late();
}

static void test_a_client_that_did_not_wait_for_it(void **state)
{
	(void)state;
	begin(expects);
	request_content(r, "abc", false);
	stall();
	assert_client_is_late();
}

/* An interim response waits for the client: it takes nothing. */
static void test_a_client_that_takes_no_interim_response(void **state)
{
	(void)state;
	begin(get);
	r->waits = 10;
	stall();
	assert_goes_on(r);
	stall();
	assert_client_is_late();
}

/* A single byte is enough to say whose fault it is. */
static void test_a_client_that_leaves_one_byte(void **state)
{
	(void)state;
	begin(get);
	r->waits = 1;
	stall();
	assert_goes_on(r);
	stall();
	assert_client_is_late();
}

static void test_a_client_that_takes_no_more_of_a_response(void **state)
{
	(void)state;
	begin(get);
	r->slow = true;
	assert_true(stream_head(s, "HTTP/1.1 200 OK\r\n\r\n"));
	assert_true(stream_content(s, "abc", false));
	stall();
	assert_goes_on(r);
	stall();
	assert_ended(r, DOWNSTREAM_ABORT);
	assert_stream_ended(s, UPSTREAM_CLOSE);
	assert_record(1, 200, REASON_CLIENT_TIMEOUT, 1);
	assert_int_equal(counted(ROWS_CUT), 0);
}

/* More of it begins the look at what waits anew. */
static void test_what_was_sent_of_a_response_begins_a_new_look(void **state)
{
	(void)state;
	begin(get);
	r->slow = true;
	assert_true(stream_head(s, "HTTP/1.1 200 OK\r\n\r\n"));
	assert_true(stream_content(s, "abc", false));
	stall();
	assert_goes_on(r);
	assert_true(stream_content(s, "def", false));
	stall();
	assert_goes_on(r);
	stall();
	assert_ended(r, DOWNSTREAM_ABORT);
}

static void test_a_backend_that_sends_no_more_of_a_response(void **state)
{
	(void)state;
	begin(get);
	assert_true(stream_head(s, "HTTP/1.1 200 OK\r\n\r\n"));
	assert_true(stream_content(s, "abc", false));
	stall();
	assert_ended(r, DOWNSTREAM_TRUNCATED);
	assert_stream_ended(s, UPSTREAM_CLOSE);
	assert_record(1, 200, REASON_TRUNCATED, 1);
	assert_int_equal(counted(ROWS_CUT), 0);
	assert_int_equal(counted(ROWS_TIMED_OUT), 0);
}

/* Bytes that moved begin the look at what waits anew. */
static void test_what_was_sent_begins_a_new_look(void **state)
{
	(void)state;
	begin(upload);
	s->slow = true;
	request_content(r, "abc", false);
	stall();
	assert_goes_on(r);
	request_content(r, "def", false);
	stall();
	assert_goes_on(r);
	stall();
	assert_backend_is_late();
}

/* The last bytes, too, though nothing is paused behind them: they may come in one read with those
 * that filled the backend. */
static void test_what_was_sent_last_begins_a_new_look(void **state)
{
	(void)state;
	begin("PUT / HTTP/1.1\r\nHost: h\r\nContent-Length: 7\r\n\r\n");
	s->slow = true;
	s->window = 2;
	request_content(r, "abc", false);
	request_content(r, "defg", true);
	s->waits--;
	stall();
	assert_goes_on(r);
	stall();
	assert_backend_is_late();
}

/* --- buffers that are needed by others --- */

static void test_one_of_which_nothing_waits_stays(void **state)
{
	(void)state;
	begin(get);
	assert_false(exchange_cut_stalled(&r->x->deadline));
	assert_false(exchange_cut_stalled(&r->x->deadline));
	assert_goes_on(r);
}

static void test_one_of_which_something_was_taken_stays(void **state)
{
	(void)state;
	begin(upload);
	s->slow = true;
	request_content(r, "abc", false);
	assert_false(exchange_cut_stalled(&r->x->deadline));
	s->waits--;
	assert_false(exchange_cut_stalled(&r->x->deadline));
	assert_goes_on(r);
	assert_true(exchange_cut_stalled(&r->x->deadline));
	assert_replied(r, 503, "the backend takes the request too slowly");
	assert_stream_ended(s, UPSTREAM_CLOSE);
	assert_record(1, 503, REASON_BUFFERS_FULL, 1);
}

static void test_one_that_is_paused_is_known_to_wait(void **state)
{
	(void)state;
	begin(upload);
	s->slow = true;
	s->window = 3;
	request_content(r, "abc", false);
	assert_true(r->paused);
	assert_true(exchange_cut_stalled(&r->x->deadline));
	assert_replied(r, 503, "the backend takes the request too slowly");
}

static void test_one_with_a_response_is_cut_off(void **state)
{
	(void)state;
	begin(get);
	r->slow = true;
	r->window = 3;
	assert_true(stream_head(s, "HTTP/1.1 200 OK\r\n\r\n"));
	assert_true(stream_content(s, "abc", false));
	assert_true(s->paused);
	assert_true(exchange_cut_stalled(&r->x->deadline));
	assert_ended(r, DOWNSTREAM_ABORT);
	assert_int_equal(r->replies, 0);
	assert_record(1, 200, REASON_BUFFERS_FULL, 1);
}

/* What was taken puts the deadline off, too. */
static void test_what_was_taken_puts_the_deadline_off(void **state)
{
	(void)state;
	begin(get);
	r->slow = true;
	assert_true(stream_head(s, "HTTP/1.1 200 OK\r\n\r\n"));
	assert_true(stream_content(s, "abc", false));
	scene_pass(SCENE_RESPONSE - 1000);
	assert_false(exchange_cut_stalled(&r->x->deadline));
	scene_pass(SCENE_RESPONSE - 1000);
	assert_goes_on(r);
	scene_pass(2000);
	assert_ended(r, DOWNSTREAM_ABORT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			test_a_backend_that_does_not_answer, scene_begin, scene_end),
		cmocka_unit_test_setup_teardown(
			test_a_client_that_sends_no_more, scene_begin, scene_end),
		cmocka_unit_test_setup_teardown(
			test_a_backend_that_takes_no_more, scene_begin, scene_end),
		cmocka_unit_test_setup_teardown(
			test_a_backend_that_takes_little, scene_begin, scene_end),
		cmocka_unit_test_setup_teardown(
			test_a_client_that_waits_for_a_100, scene_begin, scene_end),
		cmocka_unit_test_setup_teardown(
			test_a_client_that_has_its_100, scene_begin, scene_end),
		cmocka_unit_test_setup_teardown(
			test_a_client_that_did_not_wait_for_it, scene_begin, scene_end),
		cmocka_unit_test_setup_teardown(
			test_a_client_that_takes_no_interim_response, scene_begin, scene_end),
		cmocka_unit_test_setup_teardown(
			test_a_client_that_takes_no_more_of_a_response, scene_begin, scene_end),
		cmocka_unit_test_setup_teardown(
			test_a_backend_that_sends_no_more_of_a_response, scene_begin, scene_end),
		cmocka_unit_test_setup_teardown(
			test_what_was_sent_begins_a_new_look, scene_begin, scene_end),
		cmocka_unit_test_setup_teardown(
			test_what_was_sent_last_begins_a_new_look, scene_begin, scene_end),
		cmocka_unit_test_setup_teardown(
			test_one_of_which_nothing_waits_stays, scene_begin, scene_end),
		cmocka_unit_test_setup_teardown(
			test_one_of_which_something_was_taken_stays, scene_begin, scene_end),
		cmocka_unit_test_setup_teardown(
			test_one_that_is_paused_is_known_to_wait, scene_begin, scene_end),
		cmocka_unit_test_setup_teardown(
			test_one_with_a_response_is_cut_off, scene_begin, scene_end),
		cmocka_unit_test_setup_teardown(
			test_what_was_taken_puts_the_deadline_off, scene_begin, scene_end),
		cmocka_unit_test_setup_teardown(
			test_a_client_that_leaves_one_byte, scene_begin, scene_end),
		cmocka_unit_test_setup_teardown(
			test_what_was_sent_of_a_response_begins_a_new_look, scene_begin, scene_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
