/* gather.c: when a request waits for all of its content, and in which form it then goes out. */
#include "config.h"

#include "exchange/gather.h"

#include "exchange_scene.h"

static const char post[] = "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n";
static const char expecting[] = "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n"
				"Expect: 100-continue\r\n\r\n";
static const char ok[] = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n";
static const char refusal[] = "HTTP/1.1 411 Length Required\r\nContent-Length: 2\r\n\r\n";

static struct memory_request *r;
static struct memory_stream *s;

static void want_length(bool wanted)
{
	struct pool *pool = &w.upstream.pools[0];

	for (size_t i = 0; i < pool->settings->backend_count; i++)
		pool->backends[i].wants_length = wanted;
}

static void begin(const char *head, bool wanted)
{
	scene_start();
	want_length(wanted);
	r = scene_request(head);
	s = stream_last();
	stream_connect(s);
}

static void assert_waits(void)
{
	assert_int_equal(s->heads, 0);
	assert_goes_on(r);
}

/* What the backend was sent. */
static void assert_went_out(const struct memory_stream *to, enum body_kind kind, const char *bytes)
{
	assert_int_equal(to->heads, 1);
	assert_int_equal(r->x->request.head->body.kind, kind);
	if (kind == BODY_LENGTH)
		assert_int_equal(r->x->request.head->body.length, strlen(bytes));
	assert_int_equal(to->len, strlen(bytes));
	assert_memory_equal(to->bytes, bytes, to->len);
}

static void test_content_is_gathered(void **state)
{
	(void)state;
	begin(post, true);
	assert_waits();
	request_content(r, "abc", false);
	assert_waits();
	request_content(r, "def", true);
	assert_went_out(s, BODY_LENGTH, "abcdef");
	assert_true(s->whole);
	stream_answer(s, ok, "hi");
	assert_got(r, 200, "hi");
	assert_record(1, 200, REASON_DONE, 1);
}

static void test_no_content_has_a_length(void **state)
{
	(void)state;
	begin(post, true);
	request_content(r, "", true);
	assert_went_out(s, BODY_LENGTH, "");
	stream_answer(s, ok, "hi");
	assert_got(r, 200, "hi");
}

static void test_nobody_waits_who_need_not(void **state)
{
	(void)state;
	begin(post, false);
	assert_int_equal(s->heads, 1);
	request_content(r, "abc", false);
	assert_went_out(s, BODY_CHUNKED, "abc");
}

static void test_what_is_too_long_goes_on_in_chunks(void **state)
{
	static char bytes[CONTENT_HELD_MAX + 1];

	(void)state;
	memset(bytes, 'x', CONTENT_HELD_MAX);
	begin(post, true);
	request_content(r, bytes, false);
	assert_waits();
	request_content(r, "y", false);
	assert_int_equal(s->heads, 1);
	assert_int_equal(s->len, CONTENT_HELD_MAX + 1);
	assert_int_equal(r->x->request.head->body.kind, BODY_CHUNKED);
	request_content(r, "z", true);
	assert_int_equal(s->len, CONTENT_HELD_MAX + 2);
	assert_true(s->whole);
}

static void test_the_most_that_is_gathered(void **state)
{
	static char bytes[CONTENT_HELD_MAX + 1];

	(void)state;
	memset(bytes, 'x', CONTENT_HELD_MAX);
	begin(post, true);
	request_content(r, bytes, true);
	assert_went_out(s, BODY_LENGTH, bytes);
}

/* RFC 9110 10.1.1 */
static void test_a_client_that_waits_is_invited(void **state)
{
	(void)state;
	begin(expecting, true);
	assert_int_equal(r->head_count, 1);
	assert_int_equal(r->heads[0], 100);
	request_content(r, "abc", true);
	assert_went_out(s, BODY_LENGTH, "abc");
	assert_false(r->x->request.head->expect_continue);
	stream_answer(s, ok, "hi");
	assert_int_equal(r->head_count, 2);
}

static void test_a_411_is_answered_with_the_length(void **state)
{
	struct memory_stream *first;

	(void)state;
	begin(post, false);
	request_content(r, "abc", true);
	assert_went_out(s, BODY_CHUNKED, "abc");
	first = s;
	assert_false(stream_head(first, refusal));
	assert_stream_ended(first, UPSTREAM_CLOSE);
	s = stream_last();
	assert_ptr_not_equal(s, first);
	assert_ptr_equal(s->stream.backend, first->stream.backend);
	assert_went_out(s, BODY_LENGTH, "abc");
	stream_connect(s);
	stream_answer(s, ok, "hi");
	assert_got(r, 200, "hi");
	assert_record(1, 200, REASON_DONE, 2);
}

static void test_a_second_411_is_for_the_client(void **state)
{
	(void)state;
	begin(post, false);
	request_content(r, "abc", true);
	assert_false(stream_head(s, refusal));
	s = stream_last();
	stream_connect(s);
	stream_answer(s, refusal, "no");
	assert_got(r, 411, "no");
	assert_record(1, 411, REASON_DONE, 2);
}

static void test_an_early_411(void **state)
{
	struct memory_stream *first;

	(void)state;
	begin(post, false);
	request_content(r, "abc", false);
	first = s;
	assert_false(stream_head(first, refusal));
	s = stream_last();
	stream_connect(s);
	assert_waits();
	request_content(r, "def", true);
	assert_went_out(s, BODY_LENGTH, "abcdef");
	assert_int_equal(first->len, 3);
}

static void test_a_411_to_more_than_is_held(void **state)
{
	static char bytes[CONTENT_HELD_MAX + 1];

	(void)state;
	memset(bytes, 'x', CONTENT_HELD_MAX);
	begin(post, false);
	request_content(r, bytes, false);
	request_content(r, "y", true);
	stream_answer(s, refusal, "no");
	assert_got(r, 411, "no");
	assert_record(1, 411, REASON_DONE, 1);
}

/* What a backend has accepted once need not be held, unless it has refused it as well. */
static void test_what_a_backend_takes_is_not_held(void **state)
{
	struct backend *backend;

	(void)state;
	scene_only(0);
	begin(post, false);
	backend = s->stream.backend;
	request_content(r, "abc", false);
	assert_true(r->x->request.replay.holding);
	request_content(r, "", true);
	stream_answer(s, ok, "hi");
	assert_true(backend->takes_unknown && !backend->refuses_unknown);
	r = scene_request(post);
	s = stream_last();
	stream_connect(s);
	request_content(r, "abc", true);
	assert_false(r->x->request.replay.holding);
	stream_answer(s, refusal, "no");
	assert_got(r, 411, "no");
	assert_true(backend->refuses_unknown);
	r = scene_request(post);
	stream_connect(stream_last());
	request_content(r, "abc", true);
	assert_true(r->x->request.replay.holding);
}

/* Nothing was sent yet: the request may go elsewhere, whatever its method. */
static void test_a_backend_that_closes_meanwhile(void **state)
{
	(void)state;
	begin(post, true);
	request_content(r, "abc", false);
	stream_fail(s, 0);
	s = stream_last();
	stream_connect(s);
	assert_waits();
	request_content(r, "def", true);
	assert_went_out(s, BODY_LENGTH, "abcdef");
}

static void test_an_answer_before_the_request(void **state)
{
	(void)state;
	begin(post, true);
	request_content(r, "abc", false);
	w.upstream.stream_events->heard(s->stream.owner);
	assert_went_out(s, BODY_CHUNKED, "abc");
	assert_true(stream_head(s, ok));
	request_content(r, "def", true);
	assert_went_out(s, BODY_CHUNKED, "abcdef");
}

static void test_without_memory(void **state)
{
	(void)state;
	begin(post, true);
	request_content(r, "abc", false);
	s->no_memory = true;
	request_content(r, "def", true);
	assert_replied(r, 503, NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_content_is_gathered, scene_begin, scene_end),
		cmocka_unit_test_setup_teardown(
			test_no_content_has_a_length, scene_begin, scene_end),
		cmocka_unit_test_setup_teardown(
			test_nobody_waits_who_need_not, scene_begin, scene_end),
		cmocka_unit_test_setup_teardown(
			test_what_is_too_long_goes_on_in_chunks, scene_begin, scene_end),
		cmocka_unit_test_setup_teardown(
			test_the_most_that_is_gathered, scene_begin, scene_end),
		cmocka_unit_test_setup_teardown(
			test_a_client_that_waits_is_invited, scene_begin, scene_end),
		cmocka_unit_test_setup_teardown(
			test_a_411_is_answered_with_the_length, scene_begin, scene_end),
		cmocka_unit_test_setup_teardown(
			test_a_second_411_is_for_the_client, scene_begin, scene_end),
		cmocka_unit_test_setup_teardown(test_an_early_411, scene_begin, scene_end),
		cmocka_unit_test_setup_teardown(
			test_a_411_to_more_than_is_held, scene_begin, scene_end),
		cmocka_unit_test_setup_teardown(
			test_what_a_backend_takes_is_not_held, scene_begin, scene_end),
		cmocka_unit_test_setup_teardown(
			test_a_backend_that_closes_meanwhile, scene_begin, scene_end),
		cmocka_unit_test_setup_teardown(
			test_an_answer_before_the_request, scene_begin, scene_end),
		cmocka_unit_test_setup_teardown(test_without_memory, scene_begin, scene_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
