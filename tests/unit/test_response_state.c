/* A response on its way: heads and content, what ends it, and what it costs the backend. */
#include "config.h"

#include "exchange/exchange.h"

#include "exchange_one.h"

static const char get[] = "GET / HTTP/1.1\r\nHost: h\r\n\r\n";
static const char upload[] = "PUT / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n";
static const char ok[] = "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\n";

/* A request at a backend, whose connection is there. */
/* --- heads --- */

static void test_interim_responses_go_before_the_final_one(void **state)
{
	(void)state;
	scene_start();
	begin(get);
	scene_pass(100);
	assert_true(stream_head(s, "HTTP/1.1 100 Continue\r\n\r\n"));
	assert_true(stream_head(s, "HTTP/1.1 199 Any\r\nLink: </a>\r\n\r\n"));
	scene_pass(100);
	assert_true(stream_head(s, "HTTP/1.1 204 No Content\r\n\r\n"));
	assert_false(stream_content(s, "", true));
	assert_int_equal(r->head_count, 3);
	assert_int_equal(r->heads[0], 100);
	assert_int_equal(r->heads[1], 199);
	assert_got(r, 204, "");
	/* The time of the response is that of the final one. */
	assert_int_equal(assert_record(1, 204, REASON_DONE, 1)->answered_us,
		POOLS_BEGIN_US + 200 * POOLS_MS);
	assert_int_equal(counted(ROWS_RESPONSES), 1);
}

/* So many of the smallest may come at once. */
#define AT_ONCE 129

static const char processing[] = "HTTP/1.1 102 Processing\r\n\r\n";

/* Each puts the deadline off. */
static void test_interim_responses_may_come_for_hours(void **state)
{
	(void)state;
	scene_start();
	begin(get);
	for (int i = 0; i < 1000; i++) {
		assert_true(stream_head(s, processing));
		scene_pass(SCENE_RESPONSE - 1000);
	}
	stream_answer(s, ok, "second");
	assert_got(r, 200, "second");
	assert_int_equal(r->head_count, 1001);
}

static void assert_one_too_many(const char *head)
{
	assert_false(stream_head(s, head));
	assert_replied(r, 502, "the backend's answer was malformed");
	assert_stream_ended(s, UPSTREAM_CLOSE);
	assert_record(scene.count, 502, REASON_BAD_RESPONSE, 1);
}

static void test_many_interim_responses_at_once(void **state)
{
	(void)state;
	scene_start();
	begin(get);
	for (int i = 0; i < AT_ONCE; i++)
		assert_true(stream_head(s, processing));
	assert_one_too_many(processing);
	assert_int_equal(counted(ROWS_BAD_RESPONSE), 1);
	/* What may come besides: 32 a second. */
	begin(get);
	for (int i = 0; i < AT_ONCE; i++)
		assert_true(stream_head(s, processing));
	for (int i = 0; i < 64; i++) {
		scene_pass(32);
		assert_true(stream_head(s, processing));
	}
	/* Time in which none comes is saved up to that. */
	scene_pass(SCENE_RESPONSE / 2);
	for (int i = 0; i < AT_ONCE; i++)
		assert_true(stream_head(s, processing));
	assert_one_too_many(processing);
}

/* Large heads count by their bytes, and one of any size may come. */
static void test_large_interim_responses_at_once(void **state)
{
	static char head[4000];

	(void)state;
	memset(head, 'x', sizeof head - 1);
	memcpy(head, "HTTP/1.1 103 Hints\r\nLink: ", 26);
	memcpy(head + sizeof head - 5, "\r\n\r\n", 4);
	scene_start();
	begin(get);
	for (int i = 0; i < 9; i++)
		assert_true(stream_head(s, head));
	assert_one_too_many(head);
}

/* A client that takes none of them holds the backend up, as with content. */
static void test_interim_responses_are_under_back_pressure(void **state)
{
	(void)state;
	scene_start();
	begin(get);
	r->slow = true;
	r->window = 1;
	r->waits = 1;
	assert_true(stream_head(s, processing));
	assert_int_equal(s->pauses, 1);
	r->connection->gone = true;
	assert_false(stream_head(s, processing));
	assert_record(1, 499, REASON_CLIENT_CLOSED, 1);
}

static void test_a_malformed_response_is_refused(void **state)
{
	(void)state;
	scene_start();
	begin(get);
	w.upstream.stream_events->bad(s->stream.owner, "a status of two digits");
	assert_replied(r, 502, "the backend's answer was malformed");
	assert_stream_ended(s, UPSTREAM_CLOSE);
	assert_int_equal(assert_record(1, 502, REASON_BAD_RESPONSE, 1)->answered_us, 0);
	assert_int_equal(counted(ROWS_BAD_RESPONSE), 1);
	assert_int_equal(counted(ROWS_RESPONSES), 0);
	assert_int_not_equal(s->stream.backend->complained_us, 0);
}

static void test_without_memory_no_backend_is_blamed(void **state)
{
	(void)state;
	scene_start();
	begin(get);
	w.upstream.stream_events->bad(s->stream.owner, NULL);
	assert_replied(r, 503, "");
	assert_record(1, 503, REASON_NO_MEMORY, 1);
	assert_int_equal(counted(ROWS_BAD_RESPONSE), 0);
}

/* The client has got the head: it must not take what it has for the whole. */
static void test_malformed_content_cuts_the_response(void **state)
{
	(void)state;
	scene_start();
	begin(get);
	assert_true(stream_head(s, ok));
	assert_true(stream_content(s, "abc", false));
	w.upstream.stream_events->bad(s->stream.owner, "a chunk without a length");
	assert_ended(r, DOWNSTREAM_TRUNCATED);
	assert_int_equal(r->replies, 0);
	assert_record(1, 200, REASON_BAD_RESPONSE, 1);
	assert_int_equal(counted(ROWS_BAD_RESPONSE), 1);
}

/* A head that grows on its way, or for which there is no memory. */
static void test_a_head_that_cannot_go_on(void **state)
{
	static const char *const heads[] = { "HTTP/1.1 200 OK\r\n\r\n",
		"HTTP/1.1 100 Continue\r\n\r\n",
		"HTTP/1.1 101 Switching Protocols\r\n"
		"Upgrade: websocket\r\nConnection: upgrade\r\n\r\n" };

	(void)state;
	scene_start();
	for (size_t i = 0; i < 3; i++) {
		begin("GET / HTTP/1.1\r\nHost: h\r\nConnection: upgrade\r\n"
		      "Upgrade: websocket\r\n\r\n");
		r->head_result = DOWNSTREAM_TOO_LONG;
		assert_false(stream_head(s, heads[i]));
		assert_replied(r, 502, "the backend's answer was malformed");
		assert_record(2 * i + 1, 502, REASON_BAD_RESPONSE, 1);
		begin("GET / HTTP/1.1\r\nHost: h\r\nConnection: upgrade\r\n"
		      "Upgrade: websocket\r\n\r\n");
		r->head_result = DOWNSTREAM_NO_MEMORY;
		assert_false(stream_head(s, heads[i]));
		assert_replied(r, 503, "");
		assert_record(2 * i + 2, 503, REASON_NO_MEMORY, 1);
	}
}

static void test_a_tunnel_that_nobody_asked_for_is_refused(void **state)
{
	(void)state;
	scene_start();
	begin(get);
	assert_false(stream_head(s, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
				    "Connection: upgrade\r\n\r\n"));
	assert_replied(r, 502, "the backend's answer was malformed");
	assert_int_equal(r->head_count, 0);
	assert_record(1, 502, REASON_BAD_RESPONSE, 1);
}

/* --- sessions --- */

static void test_cookies_are_for_tls_where_the_client_speaks_it(void **state)
{
	static const char head[] = "GET / HTTP/1.1\r\nHost: h\r\nX-Forwarded-Proto: https\r\n\r\n";

	(void)state;
	w.app.balance = BALANCE_STICKY;
	scene_start();
	begin(head);
	stream_answer(s, ok, "second");
	assert_int_equal(strlen(r->cookie), SESSION_TOKEN_LEN);
	assert_false(r->cookie_secure);
	scene.start.trusted = true;
	begin(head);
	stream_answer(s, ok, "second");
	assert_true(r->cookie_secure);
}

static void test_without_sessions_there_are_no_cookies(void **state)
{
	(void)state;
	scene_start();
	begin(get);
	stream_answer(s, ok, "second");
	assert_string_equal(r->cookie_name, "");
}

/* --- content --- */

static void test_content_is_counted(void **state)
{
	(void)state;
	scene_start();
	begin(get);
	assert_true(stream_head(s, "HTTP/1.1 200 OK\r\n\r\n"));
	assert_true(stream_content(s, "", false));
	assert_true(stream_content(s, "abc", false));
	assert_true(stream_content(s, "de", false));
	assert_false(stream_content(s, "", true));
	assert_got(r, 200, "abcde");
	assert_stream_ended(s, UPSTREAM_DONE);
	assert_int_equal(assert_record(1, 200, REASON_DONE, 1)->bytes, 5);
}

static void test_content_may_go_through_the_pipe(void **state)
{
	const struct upstream_events *events;

	(void)state;
	scene_start();
	events = w.upstream.stream_events;
	begin(get);
	r->splice_room = 12345;
	assert_true(stream_head(s, "HTTP/1.1 200 OK\r\n\r\n"));
	assert_int_equal(events->splice_room(r->x), 12345);
	assert_true(events->spliced(r->x, 4000, false));
	r->slow = true;
	r->window = 8;
	assert_int_equal(s->pauses, 0);
	assert_true(events->spliced(r->x, 8, false));
	assert_int_equal(s->pauses, 1);
	assert_false(events->spliced(r->x, 1, true));
	assert_ended(r, DOWNSTREAM_DONE);
	assert_true(r->whole);
	assert_int_equal(r->spliced, 4009);
	assert_stream_ended(s, UPSTREAM_DONE);
	assert_int_equal(assert_record(1, 200, REASON_DONE, 1)->bytes, 4009);
}

/* What goes through the pipe puts the deadline off, as what is read does. */
static void test_content_keeps_the_exchange_alive(void **state)
{
	(void)state;
	scene_start();
	begin(get);
	assert_true(stream_head(s, "HTTP/1.1 200 OK\r\n\r\n"));
	for (int i = 0; i < 3; i++) {
		scene_pass(SCENE_RESPONSE - 1000);
		assert_true(w.upstream.stream_events->spliced(r->x, 1, false));
		scene_pass(SCENE_RESPONSE - 1000);
		assert_true(stream_content(s, "x", false));
	}
	assert_goes_on(r);
}

static void test_content_that_cannot_be_sent(void **state)
{
	(void)state;
	scene_start();
	for (size_t i = 0; i < 2; i++) {
		begin(get);
		assert_true(stream_head(s, "HTTP/1.1 200 OK\r\n\r\n"));
		r->no_memory = true;
		if (i == 0)
			assert_false(stream_content(s, "abc", true));
		else
			assert_false(w.upstream.stream_events->spliced(r->x, 3, true));
		assert_ended(r, DOWNSTREAM_TRUNCATED);
		assert_stream_ended(s, UPSTREAM_CLOSE);
		assert_record(i + 1, 200, REASON_NO_MEMORY, 1);
	}
}

/* While it is paused no event may tell that the client is gone. */
static void test_a_client_that_is_gone_is_noticed(void **state)
{
	(void)state;
	scene_start();
	for (size_t i = 0; i < 2; i++) {
		begin(get);
		assert_true(stream_head(s, ok));
		r->connection->gone = true;
		if (i == 0)
			assert_false(stream_content(s, "abc", false));
		else
			assert_false(w.upstream.stream_events->spliced(r->x, 3, false));
		assert_ended(r, DOWNSTREAM_ABORT);
		assert_stream_ended(s, UPSTREAM_CLOSE);
		assert_int_equal(assert_record(i + 1, 200, REASON_CLIENT_CLOSED, 1)->bytes, 3);
		r->connection->gone = false;
	}
}

/* --- ends --- */

static void test_a_response_that_is_cut_off(void **state)
{
	(void)state;
	scene_start();
	for (size_t i = 0; i < 2; i++) {
		begin(get);
		assert_true(stream_head(s, ok));
		assert_true(stream_content(s, "abc", false));
		stream_fail(s, i == 0 ? 0 : ECONNRESET);
		assert_ended(r, DOWNSTREAM_TRUNCATED);
		assert_false(r->whole);
		assert_stream_ended(s, UPSTREAM_CLOSE);
		assert_int_equal(assert_record(i + 1, 200, REASON_TRUNCATED, 1)->bytes, 3);
		assert_int_equal(counted(ROWS_CUT), 1);
	}
}

/* The response passes though the upload goes on. */
static void test_a_response_that_comes_before_the_upload_ended(void **state)
{
	(void)state;
	scene_start();
	begin(upload);
	request_content(r, "abc", false);
	assert_true(stream_head(s, "HTTP/1.1 403 No\r\n\r\n"));
	assert_true(stream_content(s, "no", false));
	/* Both go on at the same time. */
	assert_true(exchange_takes_content(r->x));
	request_content(r, "def", true);
	assert_false(stream_content(s, "!", true));
	assert_got(r, 403, "no!");
	assert_sent(s, "abcdef", true);
	assert_stream_ended(s, UPSTREAM_DONE);
	assert_record(1, 403, REASON_DONE, 1);
}

/* What is held of the content serves no second attempt behind the head of a response. */
static void test_an_upload_is_not_held_any_more_behind_a_head(void **state)
{
	(void)state;
	scene_start();
	upstream_memory.splice_room = 777;
	begin(upload);
	request_content(r, "abc", false);
	assert_int_equal(exchange_request_splice_room(r->x), 0);
	assert_true(stream_head(s, "HTTP/1.1 200 OK\r\n\r\n"));
	assert_int_equal(exchange_request_splice_room(r->x), 777);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			test_interim_responses_go_before_the_final_one, scene_begin, scene_end),
		cmocka_unit_test_setup_teardown(
			test_interim_responses_may_come_for_hours, scene_begin, scene_end),
		cmocka_unit_test_setup_teardown(
			test_many_interim_responses_at_once, scene_begin, scene_end),
		cmocka_unit_test_setup_teardown(
			test_large_interim_responses_at_once, scene_begin, scene_end),
		cmocka_unit_test_setup_teardown(
			test_interim_responses_are_under_back_pressure, scene_begin, scene_end),
		cmocka_unit_test_setup_teardown(
			test_a_malformed_response_is_refused, scene_begin, scene_end),
		cmocka_unit_test_setup_teardown(
			test_without_memory_no_backend_is_blamed, scene_begin, scene_end),
		cmocka_unit_test_setup_teardown(
			test_malformed_content_cuts_the_response, scene_begin, scene_end),
		cmocka_unit_test_setup_teardown(
			test_a_head_that_cannot_go_on, scene_begin, scene_end),
		cmocka_unit_test_setup_teardown(
			test_a_tunnel_that_nobody_asked_for_is_refused, scene_begin, scene_end),
		cmocka_unit_test_setup_teardown(test_cookies_are_for_tls_where_the_client_speaks_it,
			scene_begin, scene_end),
		cmocka_unit_test_setup_teardown(
			test_without_sessions_there_are_no_cookies, scene_begin, scene_end),
		cmocka_unit_test_setup_teardown(test_content_is_counted, scene_begin, scene_end),
		cmocka_unit_test_setup_teardown(
			test_content_may_go_through_the_pipe, scene_begin, scene_end),
		cmocka_unit_test_setup_teardown(
			test_content_keeps_the_exchange_alive, scene_begin, scene_end),
		cmocka_unit_test_setup_teardown(
			test_content_that_cannot_be_sent, scene_begin, scene_end),
		cmocka_unit_test_setup_teardown(
			test_a_client_that_is_gone_is_noticed, scene_begin, scene_end),
		cmocka_unit_test_setup_teardown(
			test_a_response_that_is_cut_off, scene_begin, scene_end),
		cmocka_unit_test_setup_teardown(
			test_a_response_that_comes_before_the_upload_ended, scene_begin, scene_end),
		cmocka_unit_test_setup_teardown(
			test_an_upload_is_not_held_any_more_behind_a_head, scene_begin, scene_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
