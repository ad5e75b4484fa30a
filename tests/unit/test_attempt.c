/* The order in which backends and their addresses are tried, and when a request is sent again. */
#include "config.h"

#include "exchange/attempt.h"

#include "exchange_scene.h"

static const char get[] = "GET / HTTP/1.1\r\nHost: h\r\n\r\n";
static const char post[] = "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\n\r\n";
static const char put[] = "PUT / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n";
static const char ok[] = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n";

static size_t backend_of(const struct memory_stream *s)
{
	return memory_index_of(s->stream.backend);
}

/* Every address of every backend gives this errno. */
static void none_connects(int error)
{
	for (size_t i = 0; i < POOLS_BACKENDS; i++)
		for (size_t j = 0; j < MEMORY_ADDRESSES; j++)
			upstream_memory.errors[i][j] = error;
}

static uint64_t counted(size_t backend, enum rows_count what)
{
	return atomic_load(&w.pools[0].backends[backend].load.cells->counts[what]);
}

/* --- one attempt --- */

static void test_the_request_is_sent_as_soon_as_it_has_a_stream(void **state)
{
	struct memory_request *r;
	struct memory_stream *s;
	const struct record *record;

	(void)state;
	scene.start.trusted = true;
	scene_start();
	r = scene_request("GET /a?b HTTP/1.1\r\nHost: h\r\nX-Request-Id: me\r\n\r\n");
	s = stream_last();
	assert_int_equal(s->heads, 1);
	assert_int_equal(s->method, METHOD_GET);
	assert_string_equal(s->target, "/a?b");
	assert_string_equal(s->id, "me");
	assert_string_equal(s->ip, "192.0.2.1");
	assert_true(s->trusted);
	assert_false(s->more);
	assert_int_equal(s->len, 0);
	assert_false(s->whole);
	/* The client goes on when the connection is there. */
	assert_int_equal(r->resumes, 0);
	scene_pass(1000);
	stream_connect(s);
	assert_int_equal(r->resumes, 1);
	scene_pass(500);
	stream_answer(s, ok, "hi");
	assert_got(r, 200, "hi");
	record = assert_record(1, 200, REASON_DONE, 1);
	assert_slice(record->line, "GET /a?b HTTP/1.1");
	assert_slice(record->id.text, "me");
	assert_slice(record->client.text, "192.0.2.1:4711");
	assert_slice(record->backend.text, w.backends[backend_of(s)].url_text);
	assert_int_equal(record->start_us, POOLS_BEGIN_US);
	assert_int_equal(record->sought_us, POOLS_BEGIN_US);
	assert_int_equal(record->connected_us, POOLS_BEGIN_US + 1000 * POOLS_MS);
	assert_int_equal(record->answered_us, POOLS_BEGIN_US + 1500 * POOLS_MS);
	assert_int_equal(record->bytes, 2);
	assert_int_equal(pools_own(ROWS_IN_FLIGHT, backend_of(s)), 0);
	assert_int_equal(counted(backend_of(s), ROWS_RESPONSES), 1);
}

/* The head may go out together with the first content, once. */
static void test_what_follows_at_once_is_told(void **state)
{
	struct memory_request *r;
	struct memory_stream *s;

	(void)state;
	scene.start.more = true;
	scene_start();
	r = scene_request(put);
	s = stream_last();
	assert_true(s->more);
	stream_fail(s, ECONNREFUSED);
	assert_goes_on(r);
	assert_false(stream_last()->more);
	/* What follows a request without content is another one. */
	(void)scene_request(get);
	assert_false(stream_last()->more);
	(void)scene_request("PUT / HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n");
	assert_false(stream_last()->more);
	(void)scene_request(post);
	assert_true(stream_last()->more);
}

static void test_a_kept_connection_is_taken_first(void **state)
{
	struct memory_request *r;
	struct memory_stream *s;

	(void)state;
	scene_only(1);
	scene_start();
	upstream_memory.kept[1] = 1;
	r = scene_request(get);
	s = stream_last();
	assert_true(s->stream.reused);
	assert_int_equal(upstream_memory.connects, 0);
	/* The client may have waited for a connection. */
	assert_int_equal(r->resumes, 1);
	stream_answer(s, ok, "hi");
	assert_int_equal(assert_record(1, 200, REASON_DONE, 1)->connected_us, POOLS_BEGIN_US);
	/* The time of the response runs. */
	upstream_memory.kept[1] = 1;
	r = scene_request(get);
	scene_pass(SCENE_CONNECT + 200);
	assert_goes_on(r);
	scene_pass(SCENE_RESPONSE - SCENE_CONNECT);
	assert_replied(r, 504, "the backend did not answer in time");
}

/* More care is taken of a connection for a request that cannot be sent twice. */
static void test_what_can_be_sent_once_only(void **state)
{
	static const struct {
		const char *head;
		unsigned once;
	} cases[] = {
		{ get, 0 },
		{ post, 1 },
		{ "PUT / HTTP/1.1\r\nHost: h\r\nContent-Length: 16384\r\n\r\n", 0 },
		{ "PUT / HTTP/1.1\r\nHost: h\r\nContent-Length: 16385\r\n\r\n", 1 },
		{ put, 1 },
		{ "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n", 1 },
	};

	(void)state;
	scene_start();
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		upstream_memory.once = 0;
		(void)scene_request(cases[i].head);
		assert_int_equal(upstream_memory.once, cases[i].once);
	}
}

/* --- addresses --- */

static void test_the_next_address_of_the_same_backend_is_tried(void **state)
{
	struct memory_request *r;
	struct memory_stream *first, *second;

	(void)state;
	scene_only(2);
	scene_addresses(2, 3);
	scene_start();
	w.pools[0].backends[2].address = 2;
	r = scene_request(get);
	first = stream_last();
	assert_int_equal(first->address, 2);
	stream_fail(first, ECONNREFUSED);
	assert_stream_ended(first, UPSTREAM_CLOSE);
	second = stream_last();
	assert_ptr_not_equal(second, first);
	assert_int_equal(second->address, 0);
	assert_int_equal(backend_of(second), 2);
	/* An address of it serves: the backend has not failed. */
	stream_connect(second);
	stream_answer(second, ok, "hi");
	assert_got(r, 200, "hi");
	assert_record(1, 200, REASON_DONE, 2);
	assert_int_equal(counted(2, ROWS_CONNECT_FAILED), 0);
}

static void test_addresses_that_fail_at_once_are_passed_over(void **state)
{
	struct memory_request *r;

	(void)state;
	scene_only(2);
	scene_addresses(2, 3);
	scene_start();
	upstream_memory.errors[2][0] = ENETUNREACH;
	upstream_memory.errors[2][1] = ENETUNREACH;
	r = scene_request(get);
	assert_int_equal(stream_last()->address, 2);
	stream_connect(stream_last());
	stream_answer(stream_last(), ok, "hi");
	assert_got(r, 200, "hi");
	assert_record(1, 200, REASON_DONE, 3);
}

/* --- another backend --- */

static void test_another_backend_is_tried_if_no_address_is_left(void **state)
{
	struct memory_request *r;
	size_t first, second, third;

	(void)state;
	scene_start();
	r = scene_request(get);
	first = backend_of(stream_last());
	stream_fail(stream_last(), ECONNREFUSED);
	second = backend_of(stream_last());
	assert_int_not_equal(first, second);
	assert_int_equal(counted(first, ROWS_CONNECT_FAILED), 1);
	assert_int_equal(atomic_load(&scene.place.cells.counts[BOARD_CONNECT_ERRORS]), 1);
	assert_int_equal(pools_own(ROWS_IN_FLIGHT, first), 0);
	assert_int_equal(pools_own(ROWS_IN_FLIGHT, second), 1);
	stream_fail(stream_last(), ETIMEDOUT);
	third = backend_of(stream_last());
	assert_true(third != first && third != second);
	/* retry.attempts: three. */
	stream_fail(stream_last(), ECONNREFUSED);
	assert_replied(r, 502, "no backend could be reached");
	assert_slice(assert_record(1, 502, REASON_CONNECT_FAILED, 3)->backend.text,
		w.backends[third].url_text);
	assert_int_equal(scene.records[0].connected_us, 0);
}

static void test_backends_that_fail_at_once(void **state)
{
	struct memory_request *r;
	size_t told = 0;

	(void)state;
	scene_start();
	none_connects(ECONNREFUSED);
	r = scene_request(get);
	assert_replied(r, 502, "no backend could be reached");
	assert_int_equal(r->reply.retry_after, 0);
	assert_record(1, 502, REASON_CONNECT_FAILED, 3);
	assert_int_equal(upstream_memory.count, 0);
	assert_int_equal(atomic_load(&scene.place.cells.counts[BOARD_CONNECT_ERRORS]), 3);
	/* The log was told of three of the four. */
	for (size_t i = 0; i < POOLS_BACKENDS; i++)
		told += w.pools[0].backends[i].complained_us != 0;
	assert_int_equal(told, 3);
}

static void test_no_backend_at_all(void **state)
{
	struct memory_request *r;

	(void)state;
	scene_only(POOLS_BACKENDS);
	scene_start();
	r = scene_request(get);
	assert_replied(r, 503, "no backend is available");
	assert_int_equal(assert_record(1, 503, REASON_NO_BACKEND, 0)->backend.text.len, 0);
}

/* What is short here says nothing about the backend. */
static void test_a_shortage_of_our_own_is_no_fault_of_a_backend(void **state)
{
	struct memory_request *r;

	(void)state;
	scene_only(0);
	scene_addresses(0, 2);
	scene_start();
	upstream_memory.errors[0][0] = EMFILE;
	upstream_memory.errors[0][1] = ECONNREFUSED;
	r = scene_request(get);
	assert_replied(r, 502, "no backend could be reached");
	assert_record(1, 502, REASON_CONNECT_FAILED, 2);
	assert_int_equal(counted(0, ROWS_CONNECT_FAILED), 0);
	/* The next request forgets that. */
	upstream_memory.errors[0][0] = ECONNREFUSED;
	(void)scene_request(get);
	assert_int_equal(counted(0, ROWS_CONNECT_FAILED), 1);
}

/* Of each backend it is looked at anew. */
static void test_a_fault_of_the_next_backend_is_its_own(void **state)
{
	struct memory_request *r;
	uint64_t failed = 0;

	(void)state;
	scene_start();
	none_connects(ECONNREFUSED);
	upstream_memory.next_error = EMFILE;
	r = scene_request(get);
	assert_replied(r, 502, "no backend could be reached");
	assert_record(1, 502, REASON_CONNECT_FAILED, 3);
	for (size_t i = 0; i < POOLS_BACKENDS; i++)
		failed += counted(i, ROWS_CONNECT_FAILED);
	assert_int_equal(failed, 2);
}

/* Whatever errno was before. */
static void test_a_backend_whose_addresses_vanish_was_tried(void **state)
{
	static const struct address none;
	struct memory_request *r;

	(void)state;
	scene_only(0);
	scene_start();
	addresses_write(w.backends[0].addresses, 1, &none, 0);
	errno = EUSERS;
	r = scene_request(get);
	assert_replied(r, 502, "no backend could be reached");
	assert_record(1, 502, REASON_CONNECT_FAILED, 0);
}

static void test_room_is_made_for_a_descriptor(void **state)
{
	struct memory_request *r;

	(void)state;
	scene_only(0);
	scene_start();
	none_connects(EMFILE);
	upstream_memory.idle = 1;
	r = scene_request(get);
	assert_goes_on(r);
	assert_int_equal(upstream_memory.rooms_made, 1);
	assert_int_equal(upstream_memory.connects, 2);
	stream_connect(stream_last());
	stream_answer(stream_last(), ok, "hi");
	assert_record(1, 200, REASON_DONE, 1);
	/* Nothing else makes room. */
	none_connects(ENFILE);
	upstream_memory.idle = 1;
	assert_replied(scene_request(get), 502, NULL);
	assert_int_equal(upstream_memory.rooms_made, 1);
}

/* A backend that has all connections that it may have is not one that was tried. */
static void test_a_backend_without_a_place_does_not_count_as_tried(void **state)
{
	struct memory_request *r;

	(void)state;
	scene_only(0);
	scene_start();
	none_connects(EUSERS);
	r = scene_request(get);
	assert_replied(r, 503, "no backend is available");
	assert_int_equal(scene.records[0].reason, REASON_NO_BACKEND);
	assert_int_equal(counted(0, ROWS_CONNECT_FAILED), 0);
	/* It was looked for a few times only. */
	assert_int_equal(upstream_memory.connects, 2 * RETRY_ATTEMPTS_MAX);
}

static void test_connecting_takes_too_long(void **state)
{
	struct memory_request *r;
	struct memory_stream *s;

	(void)state;
	w.app.retry.attempts = 2;
	scene_start();
	r = scene_request(get);
	s = stream_last();
	scene_pass(SCENE_CONNECT - 200);
	assert_int_equal(s->ends, 0);
	scene_pass(200);
	assert_stream_ended(s, UPSTREAM_CLOSE);
	assert_int_equal(counted(backend_of(s), ROWS_CONNECT_FAILED), 1);
	assert_int_equal(atomic_load(&scene.place.cells.counts[BOARD_CONNECT_ERRORS]), 1);
	assert_int_not_equal(s->stream.backend->complained_us, 0);
	assert_goes_on(r);
	s = stream_last();
	scene_pass(SCENE_CONNECT);
	assert_stream_ended(s, UPSTREAM_CLOSE);
	assert_replied(r, 504, "the backend could not be reached in time");
	assert_record(1, 504, REASON_CONNECT_TIMEOUT, 2);
}

/* The time of connecting is over with the connection. */
static void test_what_is_connected_has_the_time_of_the_response(void **state)
{
	struct memory_request *r;

	(void)state;
	scene_start();
	r = scene_request(get);
	scene_pass(SCENE_CONNECT - 100);
	stream_connect(stream_last());
	scene_pass(SCENE_RESPONSE - 100);
	assert_goes_on(r);
	scene_pass(500);
	assert_replied(r, 504, "the backend did not answer in time");
}

/* The next attempt takes a kept connection: the time of connecting does not run on. */
static void test_the_time_of_connecting_ends_with_its_attempt(void **state)
{
	struct memory_request *r;

	(void)state;
	w.settings.timeouts.connect = 2 * SCENE_RESPONSE;
	scene_start();
	r = scene_request(get);
	for (unsigned i = 0; i < POOLS_BACKENDS; i++)
		upstream_memory.kept[i] = 1;
	stream_fail(stream_last(), ECONNREFUSED);
	assert_true(stream_last()->stream.reused);
	scene_pass(SCENE_RESPONSE + DEADLINE_TICK_MS);
	assert_replied(r, 504, "the backend did not answer in time");
}

/* However long that may be. */
static void test_the_time_of_connecting_ends_with_the_connection(void **state)
{
	struct memory_request *r;

	(void)state;
	w.settings.timeouts.connect = 2 * SCENE_RESPONSE;
	scene_start();
	r = scene_request(get);
	stream_connect(stream_last());
	scene_pass(SCENE_RESPONSE + DEADLINE_TICK_MS);
	assert_replied(r, 504, "the backend did not answer in time");
	assert_int_equal(upstream_memory.count, 1);
}

/* Of the last attempt there was no connection. */
static void test_the_record_is_that_of_the_last_attempt(void **state)
{
	struct memory_request *r;

	(void)state;
	w.app.retry.attempts = 2;
	scene_start();
	r = scene_request(get);
	stream_connect(stream_last());
	stream_fail(stream_last(), 0);
	stream_fail(stream_last(), ECONNREFUSED);
	assert_replied(r, 502, "no backend could be reached");
	assert_int_equal(assert_record(1, 502, REASON_CONNECT_FAILED, 2)->connected_us, 0);
}

/* --- sent again --- */

static void test_a_stale_connection_costs_a_fresh_one_to_the_same_backend(void **state)
{
	struct memory_request *r;
	struct memory_stream *stale, *fresh;

	(void)state;
	scene_only(3);
	scene_start();
	upstream_memory.kept[3] = 5;
	r = scene_request(get);
	stale = stream_last();
	stream_fail(stale, 0);
	assert_stream_ended(stale, UPSTREAM_STALE);
	assert_int_equal(counted(3, ROWS_CUT), 0);
	fresh = stream_last();
	assert_int_equal(backend_of(fresh), 3);
	assert_false(fresh->stream.reused);
	assert_int_equal(upstream_memory.kept[3], 4);
	stream_connect(fresh);
	stream_answer(fresh, ok, "hi");
	assert_got(r, 200, "hi");
	assert_record(1, 200, REASON_DONE, 2);
}

/* A fresh connection that ends is no stale one. */
static void test_that_happens_once(void **state)
{
	struct memory_request *r;
	struct memory_stream *fresh;

	(void)state;
	scene_only(3);
	scene_start();
	upstream_memory.kept[3] = 5;
	r = scene_request(get);
	stream_fail(stream_last(), ECONNRESET);
	fresh = stream_last();
	stream_connect(fresh);
	stream_fail(fresh, ECONNRESET);
	assert_stream_ended(fresh, UPSTREAM_CLOSE);
	assert_int_equal(counted(3, ROWS_CUT), 1);
	assert_replied(r, 502, "the backend closed before it answered");
	assert_record(1, 502, REASON_BACKEND_CLOSED, 2);
	assert_int_equal(upstream_memory.kept[3], 4);
}

/* The backend had the request: another one is asked. */
static void test_a_fresh_connection_that_is_closed_costs_another_backend(void **state)
{
	struct memory_request *r;
	struct memory_stream *first, *second;

	(void)state;
	scene_start();
	r = scene_request(get);
	first = stream_last();
	stream_connect(first);
	upstream_memory.kept[0] = upstream_memory.kept[1] = 1;
	upstream_memory.kept[2] = upstream_memory.kept[3] = 1;
	stream_fail(first, 0);
	second = stream_last();
	assert_int_not_equal(backend_of(first), backend_of(second));
	/* A kept connection is fine there: none was stale yet. */
	assert_true(second->stream.reused);
	assert_int_equal(counted(backend_of(first), ROWS_CUT), 1);
	stream_answer(second, ok, "hi");
	assert_got(r, 200, "hi");
	assert_record(1, 200, REASON_DONE, 2);
}

static void test_what_was_heard_is_not_asked_for_again(void **state)
{
	struct memory_request *r;
	struct memory_stream *s;

	(void)state;
	scene_start();
	for (unsigned i = 0; i < POOLS_BACKENDS; i++)
		upstream_memory.kept[i] = 1;
	r = scene_request(get);
	s = stream_last();
	w.upstream.stream_events->heard(s->stream.owner);
	stream_fail(s, 0);
	assert_stream_ended(s, UPSTREAM_CLOSE);
	assert_int_equal(counted(backend_of(s), ROWS_CUT), 1);
	assert_replied(r, 502, "the backend closed before it answered");
	assert_record(1, 502, REASON_BACKEND_CLOSED, 1);
}

/* A POST may have been done, even if the connection was a kept one. */
static void test_a_request_that_is_not_idempotent_is_sent_once(void **state)
{
	struct memory_request *r;

	(void)state;
	scene_start();
	for (unsigned i = 0; i < POOLS_BACKENDS; i++)
		upstream_memory.kept[i] = 1;
	r = scene_request("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n");
	stream_fail(stream_last(), 0);
	assert_replied(r, 502, "the backend closed before it answered");
	assert_record(1, 502, REASON_BACKEND_CLOSED, 1);
}

/* As long as no connection was there nobody has done anything. */
static void test_but_as_often_as_need_be_where_nothing_connects(void **state)
{
	struct memory_request *r;

	(void)state;
	scene_start();
	r = scene_request(post);
	request_content(r, "abcd", true);
	stream_fail(stream_last(), ECONNREFUSED);
	assert_goes_on(r);
	assert_sent(stream_last(), "abcd", true);
	stream_connect(stream_last());
	stream_answer(stream_last(), ok, "hi");
	assert_got(r, 200, "hi");
	assert_record(1, 200, REASON_DONE, 2);
}

/* It was all sent while the connection was made: it is held until it is known whether it is. */
static void test_content_held_for_the_connection_is_of_no_use_behind_it(void **state)
{
	struct memory_request *r;

	(void)state;
	scene_start();
	r = scene_request(post);
	request_content(r, "abcd", true);
	stream_connect(stream_last());
	stream_fail(stream_last(), 0);
	assert_replied(r, 502, "the backend closed before it answered");
}

static void test_content_and_trailers_are_sent_again(void **state)
{
	static const struct fields none;
	struct fields trailers = none;
	struct memory_request *r;
	struct content content;

	(void)state;
	scene_start();
	r = scene_request(put);
	stream_connect(stream_last());
	request_content(r, "abc", false);
	request_content(r, "def", false);
	trailers.count = 1;
	trailers.list[0].name = slice_of_string("X-Sum");
	trailers.list[0].value = slice_of_string("42");
	content_init(&content);
	content.end = true;
	content.trailers = &trailers;
	exchange_request_content(r->x, &content);
	trailers = none;
	assert_string_equal(stream_last()->trailer, "42");
	stream_fail(stream_last(), 0);
	assert_goes_on(r);
	assert_sent(stream_last(), "abcdef", true);
	assert_string_equal(stream_last()->trailer, "42");
	/* And a third time. */
	stream_connect(stream_last());
	stream_fail(stream_last(), 0);
	assert_sent(stream_last(), "abcdef", true);
	assert_string_equal(stream_last()->trailer, "42");
	assert_int_equal(upstream_memory.count, 3);
}

/* 16 KiB are held for another attempt, and not a byte more. */
static void test_more_content_than_is_held_is_sent_once(void **state)
{
	static char much[CONTENT_HELD_MAX + 1];

	(void)state;
	scene_start();
	memset(much, 'x', CONTENT_HELD_MAX);
	for (int more = 0; more < 2; more++) {
		struct memory_request *r = scene_request(put);

		stream_connect(stream_last());
		request_content(r, much, false);
		if (more)
			request_content(r, "x", false);
		assert_true(exchange_takes_content(r->x));
		stream_fail(stream_last(), 0);
		if (more)
			assert_replied(r, 502, "the backend closed before it answered");
		else
			assert_sent(stream_last(), much, false);
	}
}

static void test_the_way_is_paid_for_by_the_retry_budget(void **state)
{
	struct memory_request *r;

	(void)state;
	w.app.retry.budget = 0;
	w.app.retry.budget_rate = 0;
	scene_start();
	r = scene_request(get);
	stream_fail(stream_last(), ECONNREFUSED);
	assert_replied(r, 502, "no backend could be reached");
	assert_record(1, 502, REASON_CONNECT_FAILED, 1);
	assert_int_equal(upstream_memory.count, 1);
}

/* --- retry.on_status --- */

static void retry_on(int status)
{
	char ignored[8];
	struct text why = text_over(ignored, sizeof ignored);

	assert_int_equal(statuses_insert(&w.app.retry.on_status, status, &why), 0);
}

static const char unwell[] = "HTTP/1.1 503 Unwell\r\nContent-Length: 1\r\n\r\n";

static void test_another_backend_is_asked_after_some_statuses(void **state)
{
	struct memory_request *r;
	struct memory_stream *first;

	(void)state;
	retry_on(503);
	scene_start();
	r = scene_request(get);
	first = stream_last();
	stream_connect(first);
	scene_pass(700);
	assert_false(stream_head(first, unwell));
	assert_stream_ended(first, UPSTREAM_CLOSE);
	assert_int_equal(counted(backend_of(first), ROWS_RESPONSES), 1);
	assert_int_equal(counted(backend_of(first), ROWS_5XX), 1);
	assert_int_equal(r->head_count, 0);
	assert_int_not_equal(backend_of(stream_last()), backend_of(first));
	scene_pass(100);
	stream_connect(stream_last());
	stream_answer(stream_last(), ok, "hi");
	assert_got(r, 200, "hi");
	/* The time of the other one began when it was asked. */
	assert_int_equal(
		assert_record(1, 200, REASON_DONE, 2)->sought_us, POOLS_BEGIN_US + 700 * POOLS_MS);
}

static void test_the_first_status_that_may_be_retried(void **state)
{
	struct memory_request *r;

	(void)state;
	retry_on(400);
	scene_start();
	r = scene_request(get);
	stream_connect(stream_last());
	assert_false(stream_head(stream_last(), "HTTP/1.1 400 No\r\nContent-Length: 0\r\n\r\n"));
	assert_goes_on(r);
	assert_int_equal(upstream_memory.count, 2);
}

static void test_other_statuses_go_to_the_client(void **state)
{
	struct memory_request *r;

	(void)state;
	retry_on(502);
	scene_start();
	r = scene_request(get);
	stream_connect(stream_last());
	stream_answer(stream_last(), unwell, "x");
	assert_got(r, 503, "x");
	assert_record(1, 503, REASON_DONE, 1);
}

/* The last one that may be asked has the last word. */
static void test_the_last_answer_goes_to_the_client(void **state)
{
	struct memory_request *r;

	(void)state;
	retry_on(503);
	w.app.retry.attempts = 2;
	scene_start();
	r = scene_request(get);
	stream_connect(stream_last());
	stream_answer(stream_last(), unwell, "x");
	assert_goes_on(r);
	stream_connect(stream_last());
	stream_answer(stream_last(), unwell, "y");
	assert_got(r, 503, "y");
	assert_record(1, 503, REASON_DONE, 2);
}

/* What can be repeated by nobody, or of which the client has heard something. */
static void test_an_answer_that_must_not_be_replaced(void **state)
{
	struct memory_request *r;

	(void)state;
	retry_on(503);
	scene_start();
	r = scene_request("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n");
	stream_connect(stream_last());
	stream_answer(stream_last(), unwell, "x");
	assert_got(r, 503, "x");
	r = scene_request(get);
	stream_connect(stream_last());
	assert_true(stream_head(stream_last(), "HTTP/1.1 103 Early Hints\r\n\r\n"));
	stream_answer(stream_last(), unwell, "y");
	assert_int_equal(r->heads[0], 103);
	assert_got(r, 503, "y");
}

/* The other one cannot be reached: that is what the client hears, or a third one answers. */
static void test_the_other_one_fails(void **state)
{
	struct memory_request *r;

	(void)state;
	retry_on(503);
	scene_start();
	r = scene_request(get);
	stream_connect(stream_last());
	none_connects(ECONNREFUSED);
	assert_false(stream_head(stream_last(), unwell));
	assert_replied(r, 502, "no backend could be reached");
	assert_record(1, 502, REASON_CONNECT_FAILED, 3);
}

/* --- memory --- */

static void test_a_head_that_cannot_be_sent(void **state)
{
	struct memory_request *r;

	(void)state;
	scene_start();
	upstream_memory.no_memory = true;
	r = scene_request(get);
	assert_replied(r, 503, "");
	assert_record(1, 503, REASON_NO_MEMORY, 1);
	assert_stream_ended(stream_last(), UPSTREAM_CLOSE);
}

/* The first stream takes all; the next one has no memory for what is sent again. */
static void test_content_that_cannot_be_sent_again(void **state)
{
	struct memory_request *r;

	(void)state;
	scene_start();
	r = scene_request(put);
	request_content(r, "abc", false);
	upstream_memory.no_content = true;
	stream_fail(stream_last(), ECONNREFUSED);
	assert_replied(r, 503, "");
	assert_record(1, 503, REASON_NO_MEMORY, 2);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test_setup_teardown(
		test_the_request_is_sent_as_soon_as_it_has_a_stream, scene_begin, scene_end),
	cmocka_unit_test_setup_teardown(test_what_follows_at_once_is_told, scene_begin, scene_end),
	cmocka_unit_test_setup_teardown(
		test_a_kept_connection_is_taken_first, scene_begin, scene_end),
	cmocka_unit_test_setup_teardown(test_what_can_be_sent_once_only, scene_begin, scene_end),
	cmocka_unit_test_setup_teardown(
		test_the_next_address_of_the_same_backend_is_tried, scene_begin, scene_end),
	cmocka_unit_test_setup_teardown(
		test_addresses_that_fail_at_once_are_passed_over, scene_begin, scene_end),
	cmocka_unit_test_setup_teardown(
		test_another_backend_is_tried_if_no_address_is_left, scene_begin, scene_end),
	cmocka_unit_test_setup_teardown(test_backends_that_fail_at_once, scene_begin, scene_end),
	cmocka_unit_test_setup_teardown(test_no_backend_at_all, scene_begin, scene_end),
	cmocka_unit_test_setup_teardown(
		test_a_shortage_of_our_own_is_no_fault_of_a_backend, scene_begin, scene_end),
	cmocka_unit_test_setup_teardown(
		test_a_fault_of_the_next_backend_is_its_own, scene_begin, scene_end),
	cmocka_unit_test_setup_teardown(
		test_a_backend_whose_addresses_vanish_was_tried, scene_begin, scene_end),
	cmocka_unit_test_setup_teardown(
		test_the_time_of_connecting_ends_with_its_attempt, scene_begin, scene_end),
	cmocka_unit_test_setup_teardown(
		test_the_time_of_connecting_ends_with_the_connection, scene_begin, scene_end),
	cmocka_unit_test_setup_teardown(
		test_the_record_is_that_of_the_last_attempt, scene_begin, scene_end),
	cmocka_unit_test_setup_teardown(test_room_is_made_for_a_descriptor, scene_begin, scene_end),
	cmocka_unit_test_setup_teardown(
		test_a_backend_without_a_place_does_not_count_as_tried, scene_begin, scene_end),
	cmocka_unit_test_setup_teardown(test_connecting_takes_too_long, scene_begin, scene_end),
	cmocka_unit_test_setup_teardown(
		test_what_is_connected_has_the_time_of_the_response, scene_begin, scene_end),
	cmocka_unit_test_setup_teardown(
		test_a_stale_connection_costs_a_fresh_one_to_the_same_backend, scene_begin,
		scene_end),
	cmocka_unit_test_setup_teardown(test_that_happens_once, scene_begin, scene_end),
	cmocka_unit_test_setup_teardown(
		test_a_fresh_connection_that_is_closed_costs_another_backend, scene_begin,
		scene_end),
	cmocka_unit_test_setup_teardown(
		test_what_was_heard_is_not_asked_for_again, scene_begin, scene_end),
	cmocka_unit_test_setup_teardown(
		test_a_request_that_is_not_idempotent_is_sent_once, scene_begin, scene_end),
	cmocka_unit_test_setup_teardown(
		test_but_as_often_as_need_be_where_nothing_connects, scene_begin, scene_end),
	cmocka_unit_test_setup_teardown(test_content_held_for_the_connection_is_of_no_use_behind_it,
		scene_begin, scene_end),
	cmocka_unit_test_setup_teardown(
		test_content_and_trailers_are_sent_again, scene_begin, scene_end),
	cmocka_unit_test_setup_teardown(
		test_more_content_than_is_held_is_sent_once, scene_begin, scene_end),
	cmocka_unit_test_setup_teardown(
		test_the_way_is_paid_for_by_the_retry_budget, scene_begin, scene_end),
	cmocka_unit_test_setup_teardown(
		test_another_backend_is_asked_after_some_statuses, scene_begin, scene_end),
	cmocka_unit_test_setup_teardown(
		test_the_first_status_that_may_be_retried, scene_begin, scene_end),
	cmocka_unit_test_setup_teardown(
		test_other_statuses_go_to_the_client, scene_begin, scene_end),
	cmocka_unit_test_setup_teardown(
		test_the_last_answer_goes_to_the_client, scene_begin, scene_end),
	cmocka_unit_test_setup_teardown(
		test_an_answer_that_must_not_be_replaced, scene_begin, scene_end),
	cmocka_unit_test_setup_teardown(test_the_other_one_fails, scene_begin, scene_end),
	cmocka_unit_test_setup_teardown(test_a_head_that_cannot_be_sent, scene_begin, scene_end),
	cmocka_unit_test_setup_teardown(
		test_content_that_cannot_be_sent_again, scene_begin, scene_end),
};

int main(void)
{
	return cmocka_run_group_tests(tests, NULL, NULL);
}
