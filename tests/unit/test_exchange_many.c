/*
 * Many exchanges over one connection of a client: what is done with one of them is no business of
 * the others. HTTP/1 never does this; the table of the client's side allows it.
 */
#include "config.h"

#include "exchange/exchange.h"

#include "exchange_scene.h"

static struct memory_connection *const connection = &downstream_memory.connection;

/* A request that went to a backend, whose connection is there. */
struct pair {
	struct memory_request *r;
	struct memory_stream *s;
};

static struct pair begin_get(const char *target)
{
	char head[128];
	struct pair p;

	snprintf(head, sizeof head, "GET %s HTTP/1.1\r\nHost: h\r\n\r\n", target);
	p.r = scene_request(head);
	p.s = stream_last();
	assert_ptr_equal(p.s->stream.owner, p.r->x);
	assert_string_equal(p.s->target, target);
	stream_connect(p.s);
	return p;
}

static struct pair begin_put(void)
{
	struct pair p;

	p.r = scene_request("PUT /up HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n");
	p.s = stream_last();
	stream_connect(p.s);
	return p;
}

static const char ok[] = "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\n";

static void test_responses_come_in_any_order(void **state)
{
	struct pair p[4];

	(void)state;
	scene_start();
	for (int i = 0; i < 4; i++)
		p[i] = begin_get("/in-order");
	assert_int_equal(connection->open, 4);
	stream_answer(p[2].s, ok, "third!");
	stream_answer(p[0].s, ok, "first!");
	assert_int_equal(connection->open, 2);
	assert_goes_on(p[1].r);
	assert_goes_on(p[3].r);
	stream_answer(p[3].s, ok, "fourth");
	stream_answer(p[1].s, ok, "second");
	assert_got(p[0].r, 200, "first!");
	assert_got(p[1].r, 200, "second");
	assert_got(p[2].r, 200, "third!");
	assert_got(p[3].r, 200, "fourth");
	for (int i = 0; i < 4; i++)
		assert_stream_ended(p[i].s, UPSTREAM_DONE);
	assert_int_equal(connection->open, 0);
	assert_int_equal(scene.count, 4);
	for (size_t i = 0; i < 4; i++) {
		assert_int_equal(scene.records[i].reason, REASON_DONE);
		assert_int_equal(scene.records[i].bytes, 6);
	}
}

static void test_content_of_responses_is_mixed(void **state)
{
	struct pair a, b;

	(void)state;
	scene_start();
	a = begin_get("/a");
	b = begin_get("/b");
	assert_true(stream_head(a.s, "HTTP/1.1 200 OK\r\n\r\n"));
	assert_true(stream_content(a.s, "a1", false));
	assert_true(stream_head(b.s, "HTTP/1.1 404 No\r\n\r\n"));
	assert_true(stream_content(b.s, "b1", false));
	assert_true(stream_content(a.s, "a2", false));
	assert_true(stream_content(b.s, "b2", false));
	assert_false(stream_content(b.s, "b3", true));
	assert_got(b.r, 404, "b1b2b3");
	assert_goes_on(a.r);
	assert_false(stream_content(a.s, "a3", true));
	assert_got(a.r, 200, "a1a2a3");
}

static void test_content_of_requests_is_mixed(void **state)
{
	struct pair a, b;

	(void)state;
	scene_start();
	a = begin_put();
	b = begin_put();
	request_content(a.r, "one ", false);
	request_content(b.r, "uno ", false);
	request_content(b.r, "due ", false);
	request_content(a.r, "two ", false);
	request_content(b.r, "tre", true);
	assert_false(exchange_takes_content(b.r->x));
	assert_true(exchange_takes_content(a.r->x));
	request_content(a.r, "three", true);
	assert_sent(a.s, "one two three", true);
	assert_sent(b.s, "uno due tre", true);
	stream_answer(a.s, ok, "thanks");
	stream_answer(b.s, ok, "grazie");
	assert_got(a.r, 200, "thanks");
	assert_got(b.r, 200, "grazie");
}

static void test_a_full_response_pauses_its_own_backend_alone(void **state)
{
	struct pair full, fine;

	(void)state;
	scene_start();
	full = begin_get("/full");
	fine = begin_get("/fine");
	full.r->slow = fine.r->slow = true;
	full.r->window = 4;
	assert_true(stream_head(full.s, "HTTP/1.1 200 OK\r\n\r\n"));
	assert_true(stream_head(fine.s, "HTTP/1.1 200 OK\r\n\r\n"));
	assert_true(stream_content(full.s, "abc", false));
	assert_false(full.s->paused);
	assert_true(stream_content(full.s, "d", false));
	assert_true(full.s->paused);
	assert_true(stream_content(fine.s, "abcdefgh", false));
	assert_int_equal(fine.s->pauses, 0);
	/* What is still full stays paused. */
	full.r->window = 2;
	request_take(full.r, 2);
	assert_true(full.s->paused);
	request_take(full.r, 1);
	assert_false(full.s->paused);
	assert_int_equal(full.s->pauses, 1);
	assert_int_equal(fine.s->pauses, 0);
}

static void test_a_full_backend_pauses_its_own_request_alone(void **state)
{
	struct pair full, fine;

	(void)state;
	scene_start();
	full = begin_put();
	fine = begin_put();
	full.s->slow = fine.s->slow = true;
	full.s->window = 4;
	request_content(full.r, "abc", false);
	assert_false(full.r->paused);
	request_content(full.r, "d", false);
	assert_true(full.r->paused);
	request_content(fine.r, "abcdefgh", false);
	assert_int_equal(fine.r->pauses, 0);
	full.s->window = 2;
	stream_take(full.s, 2);
	assert_true(full.r->paused);
	stream_take(full.s, 1);
	assert_false(full.r->paused);
	request_content(fine.r, "", true);
	stream_take(fine.s, 8);
	stream_answer(fine.s, ok, "thanks");
	assert_got(fine.r, 200, "thanks");
	assert_goes_on(full.r);
}

static void test_one_is_cancelled_and_the_others_finish(void **state)
{
	struct pair before, cancelled, begun, after;

	(void)state;
	scene_start();
	before = begin_get("/before");
	cancelled = begin_get("/cancelled");
	begun = begin_get("/begun");
	after = begin_get("/after");
	assert_true(stream_head(begun.s, ok));
	assert_true(stream_content(begun.s, "abc", false));
	exchange_client_ended(cancelled.r->x, 0);
	assert_ended(cancelled.r, DOWNSTREAM_GONE);
	assert_stream_ended(cancelled.s, UPSTREAM_CLOSE);
	assert_record(1, 499, REASON_CLIENT_CLOSED, 1);
	/* Of this one a part was there. */
	exchange_client_ended(begun.r->x, ECONNRESET);
	assert_ended(begun.r, DOWNSTREAM_ABORT);
	assert_stream_ended(begun.s, UPSTREAM_CLOSE);
	assert_int_equal(assert_record(2, 200, REASON_CLIENT_CLOSED, 1)->bytes, 3);
	assert_int_equal(connection->open, 2);
	stream_answer(after.s, ok, "after!");
	stream_answer(before.s, ok, "before");
	assert_got(before.r, 200, "before");
	assert_got(after.r, 200, "after!");
	assert_stream_ended(before.s, UPSTREAM_DONE);
	assert_int_equal(connection->open, 0);
}

static void test_one_is_cut_off_and_the_others_finish(void **state)
{
	struct pair cut, other;

	(void)state;
	scene_start();
	cut = begin_get("/cut");
	other = begin_get("/other");
	assert_true(stream_head(cut.s, ok));
	assert_true(stream_content(cut.s, "abc", false));
	stream_fail(cut.s, 0);
	assert_ended(cut.r, DOWNSTREAM_TRUNCATED);
	assert_false(cut.r->whole);
	assert_record(1, 200, REASON_TRUNCATED, 1);
	assert_goes_on(other.r);
	stream_answer(other.s, ok, "other!");
	assert_got(other.r, 200, "other!");
}

static void test_one_is_answered_here_and_the_others_finish(void **state)
{
	struct memory_request *here;
	struct pair other;

	(void)state;
	scene_start();
	other = begin_get("/other");
	here = scene_request("TRACE / HTTP/1.1\r\nHost: h\r\n\r\n");
	assert_replied(here, 501, "TRACE is not offered");
	assert_int_equal(connection->open, 1);
	assert_goes_on(other.r);
	stream_answer(other.s, ok, "other!");
	assert_got(other.r, 200, "other!");
}

static void test_one_is_malformed_and_the_others_finish(void **state)
{
	struct pair bad, other;

	(void)state;
	scene_start();
	bad = begin_put();
	other = begin_put();
	request_content(bad.r, "abc", false);
	exchange_request_bad(bad.r->x, 400, "a chunk without a length");
	assert_replied(bad.r, 400, "a chunk without a length");
	assert_stream_ended(bad.s, UPSTREAM_CLOSE);
	assert_record(1, 400, REASON_BAD_REQUEST, 1);
	request_content(other.r, "abc", true);
	stream_answer(other.s, ok, "thanks");
	assert_got(other.r, 200, "thanks");
}

/* The time of each runs alone. */
static void test_one_is_too_late_and_the_others_finish(void **state)
{
	struct pair late, other;

	(void)state;
	scene_start();
	late = begin_get("/late");
	scene_pass(SCENE_RESPONSE / 2);
	other = begin_get("/other");
	scene_pass(SCENE_RESPONSE / 2 + 200);
	assert_replied(late.r, 504, "the backend did not answer in time");
	assert_goes_on(other.r);
	stream_answer(other.s, ok, "other!");
	assert_got(other.r, 200, "other!");
}

/* All are over at once. */
static void test_the_end_of_the_worker_ends_all(void **state)
{
	struct pair p[3];

	(void)state;
	scene_start();
	for (int i = 0; i < 3; i++)
		p[i] = begin_get("/");
	assert_true(stream_head(p[1].s, ok));
	for (int i = 0; i < 3; i++)
		exchange_stop(p[i].r->x);
	for (int i = 0; i < 3; i++) {
		assert_ended(p[i].r, DOWNSTREAM_ABORT);
		assert_stream_ended(p[i].s, UPSTREAM_CLOSE);
		assert_int_equal(scene.records[i].reason, REASON_STOPPED);
	}
	assert_int_equal(scene.records[0].status, 0);
	assert_int_equal(scene.records[1].status, 200);
}

/* The connection is gone: each of them sees it as soon as it sends something. */
static void test_a_connection_that_is_gone_ends_each(void **state)
{
	struct pair p[2];

	(void)state;
	scene_start();
	p[0] = begin_get("/");
	p[1] = begin_get("/");
	assert_true(stream_head(p[0].s, ok));
	assert_true(stream_head(p[1].s, ok));
	connection->gone = true;
	assert_false(stream_content(p[0].s, "abc", false));
	assert_ended(p[0].r, DOWNSTREAM_ABORT);
	assert_goes_on(p[1].r);
	assert_false(stream_content(p[1].s, "abc", false));
	assert_ended(p[1].r, DOWNSTREAM_ABORT);
	assert_record(2, 200, REASON_CLIENT_CLOSED, 1);
}

/* Memory of one that is over serves the next one. */
static void test_the_next_one_uses_the_memory_of_the_last(void **state)
{
	struct exchange *former;
	struct pair a, b;

	(void)state;
	scene_start();
	a = begin_get("/a");
	former = a.r->x;
	stream_answer(a.s, ok, "first!");
	b = begin_get("/b");
	assert_ptr_equal(b.r->x, former);
	stream_answer(b.s, ok, "second");
	assert_got(b.r, 200, "second");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			test_responses_come_in_any_order, scene_begin, scene_end),
		cmocka_unit_test_setup_teardown(
			test_content_of_responses_is_mixed, scene_begin, scene_end),
		cmocka_unit_test_setup_teardown(
			test_content_of_requests_is_mixed, scene_begin, scene_end),
		cmocka_unit_test_setup_teardown(
			test_a_full_response_pauses_its_own_backend_alone, scene_begin, scene_end),
		cmocka_unit_test_setup_teardown(
			test_a_full_backend_pauses_its_own_request_alone, scene_begin, scene_end),
		cmocka_unit_test_setup_teardown(
			test_one_is_cancelled_and_the_others_finish, scene_begin, scene_end),
		cmocka_unit_test_setup_teardown(
			test_one_is_cut_off_and_the_others_finish, scene_begin, scene_end),
		cmocka_unit_test_setup_teardown(
			test_one_is_answered_here_and_the_others_finish, scene_begin, scene_end),
		cmocka_unit_test_setup_teardown(
			test_one_is_malformed_and_the_others_finish, scene_begin, scene_end),
		cmocka_unit_test_setup_teardown(
			test_one_is_too_late_and_the_others_finish, scene_begin, scene_end),
		cmocka_unit_test_setup_teardown(
			test_the_end_of_the_worker_ends_all, scene_begin, scene_end),
		cmocka_unit_test_setup_teardown(
			test_a_connection_that_is_gone_ends_each, scene_begin, scene_end),
		cmocka_unit_test_setup_teardown(
			test_the_next_one_uses_the_memory_of_the_last, scene_begin, scene_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
