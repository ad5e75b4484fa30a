/* A tunnel: bytes both ways after a 101, until both sides have ended. */
#include "config.h"

#include "exchange/tunnel.h"

#include "exchange_scene.h"

static struct memory_request *r;
static struct memory_stream *s;

/* A tunnel is open, and its client and its backend are slow. */
static void begin(void)
{
	upstream_memory.slow = true;
	scene_start();
	r = scene_request("GET /ws HTTP/1.1\r\nHost: h\r\nConnection: upgrade\r\n"
			  "Upgrade: websocket\r\n\r\n");
	s = stream_last();
	stream_connect(s);
	assert_false(exchange_takes_content(r->x));
	assert_true(stream_head(s, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
				   "Connection: upgrade\r\n\r\n"));
	r->slow = true;
	assert_int_equal(r->heads[0], 101);
	assert_true(exchange_takes_content(r->x));
}

static void assert_over(enum downstream_end how, enum reason reason)
{
	assert_ended(r, how);
	assert_record(1, 101, reason, 1);
}

static void test_bytes_go_both_ways(void **state)
{
	(void)state;
	begin();
	/* What the client sent behind its request has waited for this: once for the connection,
	 * once for the tunnel. */
	assert_int_equal(r->resumes, 2);
	request_content(r, "ping", false);
	assert_true(stream_content(s, "pong", false));
	request_content(r, " ping", false);
	assert_true(stream_content(s, " pong", false));
	assert_sent(s, "ping ping", false);
	assert_int_equal(r->len, 9);
	assert_memory_equal(r->bytes, "pong pong", 9);
	exchange_stop(r->x);
	assert_over(DOWNSTREAM_ABORT, REASON_STOPPED);
	assert_int_equal(scene.records[0].bytes, 9);
}

static void test_bytes_go_through_the_pipe(void **state)
{
	const struct upstream_events *events;

	(void)state;
	upstream_memory.splice_room = 99;
	begin();
	events = w.upstream.stream_events;
	assert_int_equal(exchange_request_splice_room(r->x), 99);
	exchange_request_spliced(r->x, 40, false);
	assert_int_equal(s->spliced, 40);
	assert_false(s->whole);
	assert_true(events->spliced(r->x, 50, false));
	assert_int_equal(r->spliced, 50);
	/* Under back-pressure both ways. */
	s->window = 60;
	exchange_request_spliced(r->x, 20, false);
	assert_int_equal(r->pauses, 1);
	r->window = 60;
	assert_true(events->spliced(r->x, 10, false));
	assert_int_equal(s->pauses, 1);
	exchange_stop(r->x);
	assert_int_equal(scene.records[0].bytes, 60);
}

static void test_each_side_is_under_back_pressure_alone(void **state)
{
	(void)state;
	begin();
	r->window = s->window = 4;
	request_content(r, "abc", false);
	assert_true(stream_content(s, "abc", false));
	assert_false(r->paused);
	assert_false(s->paused);
	request_content(r, "d", false);
	assert_true(r->paused);
	assert_false(s->paused);
	assert_true(stream_content(s, "d", false));
	assert_true(s->paused);
	/* Still full. */
	r->window = s->window = 2;
	stream_take(s, 2);
	request_take(r, 2);
	assert_true(r->paused);
	assert_true(s->paused);
	stream_take(s, 1);
	assert_false(r->paused);
	assert_true(s->paused);
	request_take(r, 1);
	assert_false(s->paused);
}

/* --- its end --- */

static void test_the_client_ends_first(void **state)
{
	(void)state;
	begin();
	exchange_client_ended(r->x, 0);
	assert_goes_on(r);
	assert_int_equal(s->finishes, 1);
	/* The other half lives on. */
	assert_true(stream_content(s, "more", false));
	r->waits = 0;
	stream_fail(s, 0);
	assert_over(DOWNSTREAM_DONE, REASON_UPGRADED);
	assert_stream_ended(s, UPSTREAM_CLOSE);
	assert_int_equal(r->finishes, 0);
}

static void test_the_backend_ends_first(void **state)
{
	(void)state;
	begin();
	stream_fail(s, 0);
	assert_goes_on(r);
	assert_int_equal(r->finishes, 1);
	request_content(r, "more", false);
	s->waits = 0;
	exchange_client_ended(r->x, 0);
	assert_over(DOWNSTREAM_DONE, REASON_UPGRADED);
	assert_stream_ended(s, UPSTREAM_CLOSE);
	assert_int_equal(s->finishes, 0);
}

/* Both have ended, and what waits goes out first: on either side. */
static void test_the_rest_goes_out_first(void **state)
{
	(void)state;
	begin();
	assert_true(stream_content(s, "rest", false));
	exchange_client_ended(r->x, 0);
	stream_fail(s, 0);
	assert_goes_on(r);
	assert_int_equal(r->finishes, 1);
	request_take(r, 1);
	assert_goes_on(r);
	request_take(r, 3);
	assert_over(DOWNSTREAM_DONE, REASON_UPGRADED);
}

static void test_the_rest_for_the_backend_goes_out_first(void **state)
{
	(void)state;
	begin();
	request_content(r, "rest", false);
	stream_fail(s, 0);
	exchange_client_ended(r->x, 0);
	assert_goes_on(r);
	assert_int_equal(s->finishes, 1);
	stream_take(s, 1);
	assert_goes_on(r);
	stream_take(s, 3);
	assert_over(DOWNSTREAM_DONE, REASON_UPGRADED);
}

/* With one of them ended it is not over, however little waits. */
static void test_one_end_is_not_the_end(void **state)
{
	(void)state;
	begin();
	request_content(r, "abc", false);
	exchange_client_ended(r->x, 0);
	stream_take(s, 3);
	assert_goes_on(r);
	assert_true(stream_content(s, "abc", false));
	request_take(r, 3);
	assert_goes_on(r);
}

/* A reset of the client goes on as one; of the backend it ends the client abruptly. */
static void test_a_reset_goes_on_as_one(void **state)
{
	(void)state;
	begin();
	exchange_client_ended(r->x, ECONNRESET);
	assert_over(DOWNSTREAM_ABORT, REASON_UPGRADED);
	assert_stream_ended(s, UPSTREAM_RESET);
}

static void test_a_backend_that_fails(void **state)
{
	(void)state;
	begin();
	stream_fail(s, ECONNRESET);
	assert_over(DOWNSTREAM_ABORT, REASON_UPGRADED);
	assert_stream_ended(s, UPSTREAM_CLOSE);
}

/* A side that takes nothing any more is not heard of while it is paused. */
static void test_a_backend_that_takes_nothing_is_noticed(void **state)
{
	(void)state;
	begin();
	s->gone = true;
	request_content(r, "abc", false);
	assert_over(DOWNSTREAM_ABORT, REASON_UPGRADED);
	assert_stream_ended(s, UPSTREAM_CLOSE);
}

static void test_a_client_that_takes_nothing_is_noticed(void **state)
{
	(void)state;
	begin();
	r->connection->gone = true;
	assert_false(stream_content(s, "abc", false));
	assert_over(DOWNSTREAM_ABORT, REASON_UPGRADED);
}

static void test_either_is_noticed_when_the_other_takes_something(void **state)
{
	(void)state;
	begin();
	s->gone = true;
	request_take(r, 0);
	assert_over(DOWNSTREAM_ABORT, REASON_UPGRADED);
	assert_int_equal(s->resumes, 0);
}

static void test_a_client_is_noticed_when_the_backend_takes_something(void **state)
{
	(void)state;
	begin();
	r->connection->gone = true;
	stream_take(s, 0);
	assert_over(DOWNSTREAM_ABORT, REASON_UPGRADED);
	assert_int_equal(r->resumes, 2);
}

static void test_without_memory_for_the_backend(void **state)
{
	(void)state;
	begin();
	s->no_memory = true;
	request_content(r, "abc", false);
	assert_over(DOWNSTREAM_ABORT, REASON_NO_MEMORY);
	assert_stream_ended(s, UPSTREAM_CLOSE);
}

static void test_without_memory_for_the_client(void **state)
{
	(void)state;
	begin();
	r->no_memory = true;
	assert_false(stream_content(s, "abc", false));
	assert_over(DOWNSTREAM_ABORT, REASON_NO_MEMORY);
}

/* What is wrong on the backend's side in the middle of it. */
static void test_a_fault_in_the_middle(void **state)
{
	(void)state;
	begin();
	w.upstream.stream_events->bad(r->x, NULL);
	assert_over(DOWNSTREAM_ABORT, REASON_NO_MEMORY);
}

/* --- what it is to --- */

#define ASK    "POST /exec HTTP/1.1\r\nHost: h\r\nConnection: upgrade\r\n"
#define SWITCH "HTTP/1.1 101 UPGRADED\r\nConnection: Upgrade\r\n"

static void ask(const char *head)
{
	scene_start();
	r = scene_request(head);
	s = stream_last();
	stream_connect(s);
}

static void assert_refused(const char *head)
{
	assert_false(stream_head(s, head));
	assert_replied(r, 502, "the backend's answer was malformed");
	assert_stream_ended(s, UPSTREAM_CLOSE);
	assert_record(1, 502, REASON_BAD_RESPONSE, 1);
}

static void test_it_is_to_what_was_offered(void **state)
{
	(void)state;
	ask(ASK "Upgrade: h2c, tcp, SPDY/3.1\r\n\r\n");
	assert_true(stream_head(s, SWITCH "Upgrade: spdy/3.1\r\n\r\n"));
	assert_int_equal(r->heads[0], 101);
	assert_true(stream_content(s, "pong", false));
	exchange_stop(r->x);
	assert_over(DOWNSTREAM_ABORT, REASON_STOPPED);
}

static void test_it_is_to_nothing_else(void **state)
{
	(void)state;
	ask(ASK "Upgrade: h2c, tcp\r\n\r\n");
	assert_refused(SWITCH "Upgrade: websocket\r\n\r\n");
}

static void test_what_is_left_out_of_the_offer_is_not_switched_to(void **state)
{
	(void)state;
	ask(ASK "Upgrade: h2c, tcp\r\n\r\n");
	assert_refused(SWITCH "Upgrade: h2c\r\n\r\n");
}

static void test_what_the_pool_does_not_allow_is_not_switched_to(void **state)
{
	static char allowed[] = "websocket";

	(void)state;
	w.app.upgrade = allowed;
	ask(ASK "Upgrade: websocket, tcp\r\n\r\n");
	assert_refused(SWITCH "Upgrade: tcp\r\n\r\n");
}

/* --- behind content --- */

static void test_it_begins_behind_the_content(void **state)
{
	(void)state;
	ask(ASK "Upgrade: tcp\r\nContent-Length: 2\r\n\r\n");
	request_content(r, "{}", true);
	assert_false(exchange_takes_content(r->x));
	assert_true(stream_head(s, SWITCH "Upgrade: tcp\r\n\r\n"));
	request_content(r, "ping", false);
	assert_sent(s, "{}ping", true);
	exchange_client_ended(r->x, 0);
	assert_goes_on(r);
	stream_fail(s, 0);
	assert_over(DOWNSTREAM_DONE, REASON_UPGRADED);
}

/* RFC 9110 7.8: the client sends the rest of its content first, whatever it heard. */
static void test_the_rest_of_the_content_comes_first(void **state)
{
	(void)state;
	ask(ASK "Upgrade: tcp\r\nContent-Length: 4\r\n\r\n");
	request_content(r, "{", false);
	assert_true(stream_head(s, SWITCH "Upgrade: tcp\r\n\r\n"));
	assert_true(stream_content(s, "pong", false));
	request_content(r, "..}", true);
	assert_sent(s, "{..}", true);
	request_content(r, "ping", false);
	assert_sent(s, "{..}ping", true);
	exchange_client_ended(r->x, 0);
	assert_goes_on(r);
	stream_fail(s, 0);
	assert_over(DOWNSTREAM_DONE, REASON_UPGRADED);
}

static void test_the_rest_of_the_content_comes_through_the_pipe(void **state)
{
	(void)state;
	upstream_memory.splice_room = 99;
	ask(ASK "Upgrade: tcp\r\nContent-Length: 40\r\n\r\n");
	assert_true(stream_head(s, SWITCH "Upgrade: tcp\r\n\r\n"));
	assert_int_equal(exchange_request_splice_room(r->x), 99);
	exchange_request_spliced(r->x, 30, false);
	assert_false(s->whole);
	exchange_request_spliced(r->x, 10, true);
	assert_true(s->whole);
	exchange_client_ended(r->x, 0);
	assert_goes_on(r);
	exchange_stop(r->x);
}

/* A backend must not take a part of the content for the whole. */
static void test_content_that_is_cut_behind_a_101(void **state)
{
	(void)state;
	ask(ASK "Upgrade: tcp\r\nContent-Length: 4\r\n\r\n");
	assert_true(stream_head(s, SWITCH "Upgrade: tcp\r\n\r\n"));
	request_content(r, "{", false);
	exchange_client_ended(r->x, 0);
	assert_over(DOWNSTREAM_ABORT, REASON_UPGRADED);
	assert_stream_ended(s, UPSTREAM_RESET);
}

static void test_malformed_content_behind_a_101(void **state)
{
	(void)state;
	ask(ASK "Upgrade: tcp\r\nTransfer-Encoding: chunked\r\n\r\n");
	assert_true(stream_head(s, SWITCH "Upgrade: tcp\r\n\r\n"));
	exchange_request_bad(r->x, 400, "bad chunk");
	assert_over(DOWNSTREAM_ABORT, REASON_BAD_REQUEST);
}

/* RFC 9110 7.8: the 100 comes first. The content that it calls for would be lost without. */
static void test_a_100_comes_before_the_101(void **state)
{
	(void)state;
	ask(ASK "Upgrade: tcp\r\nContent-Length: 4\r\nExpect: 100-continue\r\n\r\n");
	assert_refused(SWITCH "Upgrade: tcp\r\n\r\n");
}

static void test_a_101_behind_the_100(void **state)
{
	(void)state;
	ask(ASK "Upgrade: tcp\r\nContent-Length: 4\r\nExpect: 100-continue\r\n\r\n");
	assert_true(stream_head(s, "HTTP/1.1 100 Continue\r\n\r\n"));
	assert_true(stream_head(s, SWITCH "Upgrade: tcp\r\n\r\n"));
	exchange_stop(r->x);
}

/* --- its time --- */

static void test_it_ends_when_nothing_moves(void **state)
{
	(void)state;
	begin();
	/* The time of a response does not count. */
	scene_pass(SCENE_RESPONSE + 1000);
	assert_goes_on(r);
	scene_pass(SCENE_TUNNEL - SCENE_RESPONSE - 1000 - 1);
	assert_goes_on(r);
	scene_pass(1000);
	assert_over(DOWNSTREAM_ABORT, REASON_TUNNEL_TIMEOUT);
	assert_stream_ended(s, UPSTREAM_CLOSE);
}

/* However short that time is. */
static void test_its_time_is_its_own(void **state)
{
	(void)state;
	w.settings.timeouts.tunnel = SCENE_RESPONSE / 2;
	begin();
	scene_pass(SCENE_RESPONSE / 2 + DEADLINE_TICK_MS);
	assert_over(DOWNSTREAM_ABORT, REASON_TUNNEL_TIMEOUT);
}

/* Whatever moves puts it off: bytes of either side, through the pipe or not, and what is taken. */
static void test_whatever_moves_keeps_it(void **state)
{
	(void)state;
	begin();
	for (int i = 0; i < 6; i++) {
		scene_pass(SCENE_TUNNEL - 1000);
		assert_goes_on(r);
		switch (i) {
		case 0:
			request_content(r, "a", false);
			break;
		case 1:
			assert_true(w.upstream.stream_events->content(
				r->x, &(struct content){ .len = 0 }));
			break;
		case 2:
			exchange_request_spliced(r->x, 1, false);
			break;
		case 3:
			assert_true(w.upstream.stream_events->spliced(r->x, 1, false));
			break;
		case 4:
			stream_take(s, 1);
			break;
		case 5:
			request_take(r, 1);
			break;
		}
	}
	scene_pass(SCENE_TUNNEL - 1000);
	assert_goes_on(r);
	scene_pass(2000);
	assert_over(DOWNSTREAM_ABORT, REASON_TUNNEL_TIMEOUT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_bytes_go_both_ways, scene_begin, scene_end),
		cmocka_unit_test_setup_teardown(
			test_bytes_go_through_the_pipe, scene_begin, scene_end),
		cmocka_unit_test_setup_teardown(
			test_each_side_is_under_back_pressure_alone, scene_begin, scene_end),
		cmocka_unit_test_setup_teardown(test_the_client_ends_first, scene_begin, scene_end),
		cmocka_unit_test_setup_teardown(
			test_the_backend_ends_first, scene_begin, scene_end),
		cmocka_unit_test_setup_teardown(
			test_the_rest_goes_out_first, scene_begin, scene_end),
		cmocka_unit_test_setup_teardown(
			test_the_rest_for_the_backend_goes_out_first, scene_begin, scene_end),
		cmocka_unit_test_setup_teardown(
			test_one_end_is_not_the_end, scene_begin, scene_end),
		cmocka_unit_test_setup_teardown(
			test_a_reset_goes_on_as_one, scene_begin, scene_end),
		cmocka_unit_test_setup_teardown(test_a_backend_that_fails, scene_begin, scene_end),
		cmocka_unit_test_setup_teardown(
			test_a_backend_that_takes_nothing_is_noticed, scene_begin, scene_end),
		cmocka_unit_test_setup_teardown(
			test_a_client_that_takes_nothing_is_noticed, scene_begin, scene_end),
		cmocka_unit_test_setup_teardown(
			test_either_is_noticed_when_the_other_takes_something, scene_begin,
			scene_end),
		cmocka_unit_test_setup_teardown(
			test_a_client_is_noticed_when_the_backend_takes_something, scene_begin,
			scene_end),
		cmocka_unit_test_setup_teardown(
			test_without_memory_for_the_backend, scene_begin, scene_end),
		cmocka_unit_test_setup_teardown(
			test_without_memory_for_the_client, scene_begin, scene_end),
		cmocka_unit_test_setup_teardown(test_a_fault_in_the_middle, scene_begin, scene_end),
		cmocka_unit_test_setup_teardown(
			test_it_is_to_what_was_offered, scene_begin, scene_end),
		cmocka_unit_test_setup_teardown(test_it_is_to_nothing_else, scene_begin, scene_end),
		cmocka_unit_test_setup_teardown(
			test_what_is_left_out_of_the_offer_is_not_switched_to, scene_begin,
			scene_end),
		cmocka_unit_test_setup_teardown(
			test_what_the_pool_does_not_allow_is_not_switched_to, scene_begin,
			scene_end),
		cmocka_unit_test_setup_teardown(
			test_it_begins_behind_the_content, scene_begin, scene_end),
		cmocka_unit_test_setup_teardown(
			test_the_rest_of_the_content_comes_first, scene_begin, scene_end),
		cmocka_unit_test_setup_teardown(test_the_rest_of_the_content_comes_through_the_pipe,
			scene_begin, scene_end),
		cmocka_unit_test_setup_teardown(
			test_content_that_is_cut_behind_a_101, scene_begin, scene_end),
		cmocka_unit_test_setup_teardown(
			test_malformed_content_behind_a_101, scene_begin, scene_end),
		cmocka_unit_test_setup_teardown(
			test_a_100_comes_before_the_101, scene_begin, scene_end),
		cmocka_unit_test_setup_teardown(test_a_101_behind_the_100, scene_begin, scene_end),
		cmocka_unit_test_setup_teardown(
			test_it_ends_when_nothing_moves, scene_begin, scene_end),
		cmocka_unit_test_setup_teardown(
			test_whatever_moves_keeps_it, scene_begin, scene_end),
		cmocka_unit_test_setup_teardown(test_its_time_is_its_own, scene_begin, scene_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
