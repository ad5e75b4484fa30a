/* Requests that wait for a backend that has room: what each of them does when there is some. */
#include "config.h"

#include "exchange/attempt.h"

#include "exchange_scene.h"
#include "upstream/affinity.h"

static const char get[] = "GET / HTTP/1.1\r\nHost: h\r\n\r\n";
static const char ok[] = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n";

/* One backend that takes one request at a time. */
static void start_small(void)
{
	scene_only(0);
	w.app.queue = 2;
	w.backends[0].max_requests = 1;
	scene_start();
}

static struct memory_stream *begin_first(struct memory_request **r)
{
	*r = scene_request(get);
	stream_connect(stream_last());
	return stream_last();
}

static void test_a_request_waits_and_then_goes(void **state)
{
	struct memory_request *first, *second;
	struct memory_stream *s;
	const struct record *record;

	(void)state;
	start_small();
	s = begin_first(&first);
	scene_pass(10);
	second = scene_request(get);
	assert_goes_on(second);
	assert_int_equal(second->watches, 1);
	assert_int_equal(first->watches, 0);
	assert_int_equal(upstream_memory.count, 1);
	assert_false(exchange_takes_content(second->x));
	scene_pass(100);
	assert_int_equal(upstream_memory.count, 1);
	stream_answer(s, ok, "hi");
	/* The place is looked for in the same turn of the loop. */
	scene_pass(0);
	assert_int_equal(upstream_memory.count, 2);
	stream_connect(stream_last());
	stream_answer(stream_last(), ok, "ho");
	assert_got(second, 200, "ho");
	record = assert_record(2, 200, REASON_DONE, 1);
	assert_int_equal(record->sought_us, POOLS_BEGIN_US + 10 * POOLS_MS);
	assert_int_equal(record->connected_us, POOLS_BEGIN_US + 110 * POOLS_MS);
}

/* Nothing is due of a request that waits but the end of its time there. */
static void test_it_waits_no_longer_than_it_may(void **state)
{
	struct memory_request *first, *second;

	(void)state;
	w.settings.timeouts.response = 60000;
	start_small();
	(void)begin_first(&first);
	second = scene_request(get);
	scene_pass(4999);
	assert_goes_on(second);
	scene_pass(1);
	assert_replied(second, 503, "all backends were busy for too long");
	assert_int_equal(second->reply.retry_after, 1);
	assert_record(1, 503, REASON_QUEUE_TIMEOUT, 0);
	assert_goes_on(first);
}

static void test_no_more_wait_than_may(void **state)
{
	struct memory_request *first, *third;

	(void)state;
	start_small();
	(void)begin_first(&first);
	(void)scene_request(get);
	(void)scene_request(get);
	third = scene_request(get);
	assert_replied(third, 503, "all backends are busy, and the queue is full");
	assert_int_equal(third->reply.retry_after, 1);
	assert_record(1, 503, REASON_QUEUE_FULL, 0);
}

/* Not even if there is room now: it is for those that wait. */
static void test_nobody_overtakes_a_full_queue(void **state)
{
	struct memory_request *first, *late;
	struct memory_stream *s;

	(void)state;
	start_small();
	s = begin_first(&first);
	(void)scene_request(get);
	(void)scene_request(get);
	scene_pass(1);
	stream_answer(s, ok, "hi");
	late = scene_request(get);
	assert_replied(late, 503, "all backends are busy, and the queue is full");
	assert_int_equal(upstream_memory.count, 1);
}

/* All that have room go in one look. */
static void test_all_that_have_room_go_at_once(void **state)
{
	struct memory_request *first, *second;
	struct memory_stream *s[2];

	(void)state;
	scene_only(0);
	w.app.queue = 2;
	w.backends[0].max_requests = 2;
	scene_start();
	s[0] = begin_first(&first);
	s[1] = begin_first(&second);
	(void)scene_request(get);
	(void)scene_request(get);
	assert_int_equal(upstream_memory.count, 2);
	stream_answer(s[0], ok, "hi");
	stream_answer(s[1], ok, "hi");
	scene_pass(0);
	assert_int_equal(upstream_memory.count, 4);
}

/* One that ends over it makes way for the next one. */
static void test_one_that_fails_makes_way(void **state)
{
	struct memory_request *first, *second, *waiting[2];
	struct memory_stream *s[2];

	(void)state;
	scene_only(0);
	w.app.queue = 2;
	w.backends[0].max_requests = 2;
	scene_start();
	s[0] = begin_first(&first);
	s[1] = begin_first(&second);
	waiting[0] = scene_request(get);
	waiting[1] = scene_request(get);
	upstream_memory.errors[0][0] = ECONNREFUSED;
	stream_answer(s[0], ok, "hi");
	stream_answer(s[1], ok, "hi");
	scene_pass(0);
	assert_replied(waiting[0], 502, "no backend could be reached");
	/* The backend is not picked for a while. */
	assert_replied(waiting[1], 503, "no backend is available");
}

static void test_a_request_that_waits_may_leave(void **state)
{
	struct memory_request *first, *second, *third;
	struct memory_stream *s;

	(void)state;
	start_small();
	s = begin_first(&first);
	second = scene_request(get);
	third = scene_request(get);
	exchange_client_ended(second->x, 0);
	assert_ended(second, DOWNSTREAM_GONE);
	assert_int_equal(assert_record(1, 499, REASON_CLIENT_CLOSED, 0)->backend.text.len, 0);
	stream_answer(s, ok, "hi");
	scene_pass(0);
	stream_connect(stream_last());
	stream_answer(stream_last(), ok, "ho");
	assert_got(third, 200, "ho");
}

/* Room that comes while others wait is theirs. */
static void test_a_new_request_waits_behind_those_that_wait(void **state)
{
	struct memory_request *first, *second, *third;
	struct memory_stream *s;

	(void)state;
	start_small();
	s = begin_first(&first);
	second = scene_request(get);
	scene_pass(1);
	stream_answer(s, ok, "hi");
	third = scene_request(get);
	assert_int_equal(third->watches, 1);
	scene_pass(0);
	assert_int_equal(upstream_memory.count, 2);
	assert_ptr_equal(stream_last()->stream.owner, second->x);
}

/* A pool without limits has no queue. */
static void test_a_pool_without_limits_lets_nobody_wait(void **state)
{
	struct memory_request *first, *second;

	(void)state;
	w.app.queue = 2;
	scene_only(0);
	scene_start();
	(void)begin_first(&first);
	second = scene_request(get);
	assert_int_equal(second->watches, 0);
	assert_int_equal(upstream_memory.count, 2);
}

/* EUSERS: another worker may have taken the last connection. The request waits, as for a place. */
static void test_a_request_waits_for_a_connection(void **state)
{
	struct memory_request *r;

	(void)state;
	scene_only(0);
	w.app.queue = 2;
	w.backends[0].max_connections = 1;
	scene_start();
	upstream_memory.errors[0][0] = EUSERS;
	r = scene_request(get);
	assert_goes_on(r);
	assert_int_equal(r->watches, 1);
	assert_int_equal(pools_own(ROWS_IN_FLIGHT, 0), 0);
	/* Still none: it waits on, and has no place meanwhile. */
	scene_pass(10);
	assert_goes_on(r);
	assert_int_equal(pools_own(ROWS_IN_FLIGHT, 0), 0);
	upstream_memory.errors[0][0] = 0;
	scene_pass(10);
	stream_connect(stream_last());
	stream_answer(stream_last(), ok, "hi");
	assert_got(r, 200, "hi");
}

/* There is room, but the backend cannot be reached, and no other one is left. */
static void test_the_place_is_of_no_use(void **state)
{
	struct memory_request *first, *second;
	struct memory_stream *s;

	(void)state;
	start_small();
	s = begin_first(&first);
	second = scene_request(get);
	upstream_memory.errors[0][0] = ECONNREFUSED;
	stream_answer(s, ok, "hi");
	scene_pass(0);
	assert_replied(second, 502, "no backend could be reached");
	assert_record(2, 502, REASON_CONNECT_FAILED, 1);
	assert_int_equal(atomic_load(&pools_cells(POOLS_OWN)->queued), 0);
}

/* Its first backend failed, and the others are full: it waits for those. */
static void test_a_request_that_was_somewhere_waits_for_another_backend(void **state)
{
	struct memory_request *first, *second;
	struct memory_stream *busy;

	(void)state;
	scene_only(0);
	w.backends[1].weight = 1;
	w.app.queue = 2;
	w.backends[0].max_requests = w.backends[1].max_requests = 1;
	scene_start();
	busy = begin_first(&first);
	second = scene_request(get);
	assert_ptr_not_equal(stream_last(), busy);
	stream_fail(stream_last(), ECONNREFUSED);
	assert_goes_on(second);
	assert_int_equal(second->watches, 1);
	assert_int_equal(upstream_memory.count, 2);
	/* The time of connecting is no time of waiting. */
	scene_pass(SCENE_CONNECT + 200);
	assert_goes_on(second);
	stream_answer(busy, ok, "hi");
	scene_pass(0);
	assert_int_equal(upstream_memory.count, 3);
	assert_ptr_equal(stream_last()->stream.backend, busy->stream.backend);
	stream_connect(stream_last());
	stream_answer(stream_last(), ok, "ho");
	assert_got(second, 200, "ho");
	assert_record(2, 200, REASON_DONE, 2);
}

/* The retry budget is spent: nobody waits for it. */
static void test_nobody_waits_for_the_retry_budget(void **state)
{
	struct memory_request *first, *second;

	(void)state;
	w.backends[1].weight = 1;
	w.app.retry.budget = w.app.retry.budget_rate = 0;
	scene_only(0);
	w.backends[1].weight = 1;
	w.app.queue = 2;
	w.backends[0].max_requests = w.backends[1].max_requests = 1;
	scene_start();
	(void)begin_first(&first);
	second = scene_request(get);
	stream_fail(stream_last(), ECONNREFUSED);
	assert_replied(second, 502, "no backend could be reached");
}

/* The content of a request that waited is not measured from before. */
static void test_the_rate_of_content_begins_anew(void **state)
{
	struct memory_request *first, *second;
	struct memory_stream *s;

	(void)state;
	w.settings.limits.body_rate = 100;
	w.settings.timeouts.queue = 60000;
	start_small();
	s = begin_first(&first);
	second = scene_request("PUT / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n");
	scene_pass(15000);
	stream_answer(s, ok, "hi");
	scene_pass(0);
	stream_connect(stream_last());
	assert_int_equal(second->resumes, 1);
	request_content(second, "a", false);
	assert_goes_on(second);
	scene_pass(10000);
	request_content(second, "a", false);
	assert_replied(second, 408, "the request's body came too slowly");
}

/* The client sends nothing while the request waits for another backend. */
static void test_the_time_of_waiting_does_not_count_for_the_rate(void **state)
{
	struct memory_request *first, *second;
	struct memory_stream *busy;

	(void)state;
	w.settings.limits.body_rate = 100;
	w.settings.timeouts.queue = 60000;
	scene_only(0);
	w.backends[1].weight = 1;
	w.app.queue = 2;
	w.backends[0].max_requests = w.backends[1].max_requests = 1;
	scene_start();
	busy = begin_first(&first);
	second = scene_request("PUT / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n");
	request_content(second, "a", false);
	stream_fail(stream_last(), ECONNREFUSED);
	scene_pass(15000);
	stream_answer(busy, ok, "hi");
	scene_pass(0);
	stream_connect(stream_last());
	request_content(second, "b", false);
	assert_goes_on(second);
	assert_sent(stream_last(), "ab", false);
}

/* A head does not wait for content when there is room at last. */
static void test_what_waited_does_not_wait_for_its_content(void **state)
{
	struct memory_request *first, *second;
	struct memory_stream *s;

	(void)state;
	start_small();
	s = begin_first(&first);
	scene.start.more = true;
	second = scene_request("PUT / HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\n\r\n");
	stream_answer(s, ok, "hi");
	scene_pass(0);
	assert_ptr_equal(stream_last()->stream.owner, second->x);
	assert_false(stream_last()->more);
}

/* --- sessions --- */

static char cookie_of_session[128];

/* Two backends with one place each, and a client whose session is with the first one. */
static void start_sticky(int queue)
{
	struct memory_request *r;

	w.app.balance = BALANCE_STICKY;
	w.app.queue = queue;
	scene_only(0);
	w.backends[1].weight = 1;
	w.backends[0].max_requests = w.backends[1].max_requests = 1;
	scene_start();
	r = scene_request(get);
	stream_connect(stream_last());
	stream_answer(stream_last(), ok, "hi");
	assert_string_equal(r->cookie_name, "sid");
	assert_int_equal(strlen(r->cookie), SESSION_TOKEN_LEN);
	snprintf(cookie_of_session, sizeof cookie_of_session,
		"GET / HTTP/1.1\r\nHost: h\r\nCookie: sid=%s\r\n\r\n", r->cookie);
}

static void test_a_session_goes_to_its_backend_and_needs_no_cookie(void **state)
{
	struct memory_request *r;
	const struct backend *home;

	(void)state;
	start_sticky(2);
	home = stream_last()->stream.backend;
	for (int i = 0; i < 4; i++) {
		r = scene_request(cookie_of_session);
		assert_ptr_equal(stream_last()->stream.backend, home);
		stream_connect(stream_last());
		stream_answer(stream_last(), ok, "hi");
		assert_string_equal(r->cookie_name, "sid");
		assert_string_equal(r->cookie, "");
	}
}

static void test_a_session_waits_for_its_backend(void **state)
{
	struct memory_request *r;
	struct memory_stream *home;

	(void)state;
	start_sticky(2);
	(void)scene_request(cookie_of_session);
	home = stream_last();
	stream_connect(home);
	r = scene_request(cookie_of_session);
	assert_goes_on(r);
	assert_int_equal(r->watches, 1);
	scene_pass(100);
	assert_ptr_equal(stream_last(), home);
	stream_answer(home, ok, "hi");
	scene_pass(0);
	assert_ptr_not_equal(stream_last(), home);
	assert_ptr_equal(stream_last()->stream.backend, home->stream.backend);
}

static void test_a_session_that_may_not_wait_moves(void **state)
{
	struct memory_request *r, *waiting;
	struct memory_stream *home;

	(void)state;
	start_sticky(1);
	(void)scene_request(cookie_of_session);
	home = stream_last();
	stream_connect(home);
	waiting = scene_request(cookie_of_session);
	assert_int_equal(waiting->watches, 1);
	r = scene_request(cookie_of_session);
	assert_int_equal(r->watches, 0);
	assert_ptr_not_equal(stream_last()->stream.backend, home->stream.backend);
	stream_connect(stream_last());
	stream_answer(stream_last(), ok, "hi");
	assert_got(r, 200, "hi");
	/* It stays there. */
	assert_int_equal(strlen(r->cookie), SESSION_TOKEN_LEN);
	/* Where the other one is full, too, it is refused. */
	(void)scene_request(get);
	r = scene_request(cookie_of_session);
	assert_replied(r, 503, "all backends are busy, and the queue is full");
}

static void test_a_session_waits_no_longer_than_it_may(void **state)
{
	struct memory_request *r;

	(void)state;
	start_sticky(2);
	(void)scene_request(cookie_of_session);
	stream_connect(stream_last());
	r = scene_request(cookie_of_session);
	scene_pass(5000);
	assert_replied(r, 503, "the backend of the session was busy for too long");
	assert_record(2, 503, REASON_QUEUE_TIMEOUT, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			test_a_request_waits_and_then_goes, scene_begin, scene_end),
		cmocka_unit_test_setup_teardown(
			test_it_waits_no_longer_than_it_may, scene_begin, scene_end),
		cmocka_unit_test_setup_teardown(test_no_more_wait_than_may, scene_begin, scene_end),
		cmocka_unit_test_setup_teardown(
			test_a_request_that_waits_may_leave, scene_begin, scene_end),
		cmocka_unit_test_setup_teardown(
			test_nobody_overtakes_a_full_queue, scene_begin, scene_end),
		cmocka_unit_test_setup_teardown(
			test_all_that_have_room_go_at_once, scene_begin, scene_end),
		cmocka_unit_test_setup_teardown(
			test_one_that_fails_makes_way, scene_begin, scene_end),
		cmocka_unit_test_setup_teardown(
			test_the_time_of_waiting_does_not_count_for_the_rate, scene_begin,
			scene_end),
		cmocka_unit_test_setup_teardown(
			test_a_new_request_waits_behind_those_that_wait, scene_begin, scene_end),
		cmocka_unit_test_setup_teardown(
			test_a_pool_without_limits_lets_nobody_wait, scene_begin, scene_end),
		cmocka_unit_test_setup_teardown(
			test_a_request_waits_for_a_connection, scene_begin, scene_end),
		cmocka_unit_test_setup_teardown(
			test_the_place_is_of_no_use, scene_begin, scene_end),
		cmocka_unit_test_setup_teardown(
			test_a_request_that_was_somewhere_waits_for_another_backend, scene_begin,
			scene_end),
		cmocka_unit_test_setup_teardown(
			test_nobody_waits_for_the_retry_budget, scene_begin, scene_end),
		cmocka_unit_test_setup_teardown(
			test_the_rate_of_content_begins_anew, scene_begin, scene_end),
		cmocka_unit_test_setup_teardown(
			test_what_waited_does_not_wait_for_its_content, scene_begin, scene_end),
		cmocka_unit_test_setup_teardown(
			test_a_session_goes_to_its_backend_and_needs_no_cookie, scene_begin,
			scene_end),
		cmocka_unit_test_setup_teardown(
			test_a_session_waits_for_its_backend, scene_begin, scene_end),
		cmocka_unit_test_setup_teardown(
			test_a_session_that_may_not_wait_moves, scene_begin, scene_end),
		cmocka_unit_test_setup_teardown(
			test_a_session_waits_no_longer_than_it_may, scene_begin, scene_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
