/* What is held of a request's content, and how it is sent again. */
#include "config.h"

#include "exchange/replay.h"

#include "exchange_scene.h"

/* Blocks of memory that are in use. */
static long blocks;

void *__real_mem_alloc(size_t size);
void *__wrap_mem_alloc(size_t size);
void *__wrap_mem_alloc(size_t size)
{
	void *block = __real_mem_alloc(size);

	blocks += block != NULL;
	return block;
}

void __real_mem_free(void *block);
void __wrap_mem_free(void *block);
void __wrap_mem_free(void *block)
{
	blocks -= block != NULL;
	__real_mem_free(block);
}

static const char upload[] = "PUT / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n";

static struct memory_request *r;
static struct memory_stream *s;

/* A request whose connection is being made. */
static void begin(const char *head)
{
	scene_start();
	r = scene_request(head);
	s = stream_last();
}

static size_t held(void)
{
	const struct replay *replay = &r->x->request.replay;

	return replay->sent != NULL ? evbuffer_get_length(replay->sent) : 0;
}

static char much[CONTENT_HELD_MAX + 1];

static void fill(size_t len)
{
	memset(much, 'x', len);
	much[len] = '\0';
}

/* --- what may be repeated --- */

static void test_what_may_be_repeated(void **state)
{
	static const struct {
		const char *method;
		bool may;
	} cases[] = { { "GET", true }, { "HEAD", true }, { "PUT", true }, { "DELETE", true },
		{ "OPTIONS", true }, { "POST", false }, { "PATCH", false }, { "BREW", false } };
	char head[64];

	(void)state;
	scene_start();
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		snprintf(head, sizeof head, "%s / HTTP/1.1\r\nHost: h\r\n\r\n", cases[i].method);
		r = scene_request(head);
		assert_int_equal(replay_may_repeat(r->x), cases[i].may);
		replay_drop(r->x);
		assert_false(replay_may_repeat(r->x));
	}
}

static void test_so_much_content_may_be_repeated(void **state)
{
	(void)state;
	begin(upload);
	stream_connect(s);
	fill(CONTENT_HELD_MAX);
	request_content(r, much, false);
	assert_true(replay_may_repeat(r->x));
	assert_int_equal(held(), CONTENT_HELD_MAX);
	request_content(r, "x", false);
	assert_false(replay_may_repeat(r->x));
}

/* --- what is held --- */

static void test_all_is_held_while_the_connection_is_made(void **state)
{
	(void)state;
	begin("POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n");
	fill(CONTENT_HELD_MAX);
	request_content(r, much, false);
	request_content(r, "x", false);
	assert_int_equal(held(), CONTENT_HELD_MAX + 1);
	assert_int_equal(w.loop.buffered, CONTENT_HELD_MAX + 1);
	/* The connection is there: what comes now shows that none of it is needed. */
	stream_connect(s);
	assert_int_equal(held(), CONTENT_HELD_MAX + 1);
	request_content(r, "y", false);
	assert_int_equal(held(), 0);
	assert_false(r->x->request.replay.holding);
	assert_int_equal(w.loop.buffered, 0);
	/* And nothing is held any more. */
	request_content(r, "z", true);
	assert_int_equal(held(), 0);
	assert_false(r->x->request.replay.end);
}

static void test_what_is_held_is_counted_until_the_end(void **state)
{
	(void)state;
	begin(upload);
	stream_connect(s);
	request_content(r, "abc", false);
	assert_int_equal(w.loop.buffered, 3);
	request_content(r, "", false);
	request_content(r, "de", true);
	assert_int_equal(w.loop.buffered, 5);
	stream_answer(s, "HTTP/1.1 200 OK\r\n\r\n", "");
	assert_got(r, 200, "");
	assert_int_equal(w.loop.buffered, 0);
}

/* Nothing but the end is something, too. */
static void test_the_end_is_held(void **state)
{
	(void)state;
	begin(upload);
	request_content(r, "", true);
	stream_fail(s, ECONNREFUSED);
	assert_sent(stream_last(), "", true);
	assert_int_equal(upstream_memory.count, 2);
}

static void test_nothing_is_sent_again_if_nothing_was_sent(void **state)
{
	(void)state;
	begin(upload);
	request_content(r, "", false);
	stream_fail(s, ECONNREFUSED);
	assert_sent(stream_last(), "", false);
	request_content(r, "abc", true);
	assert_sent(stream_last(), "abc", true);
}

/* --- sent again in pieces --- */

/* Held in more pieces than fit into one content: each byte is sent once, and the end behind them.
 */
static void test_many_pieces_are_sent_again(void **state)
{
	static char all[MEMORY_BYTES + 1];
	size_t len = 0;

	(void)state;
	begin("POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n");
	for (int i = 0; i < 40; i++) {
		char piece[1500];

		/* An evbuffer would join them in one chunk if they were smaller. */
		memset(piece, 'a' + i % 26, sizeof piece - 1);
		piece[sizeof piece - 1] = '\0';
		memcpy(all + len, piece, sizeof piece - 1);
		len += sizeof piece - 1;
		request_content(r, piece, false);
	}
	request_content(r, "", true);
	assert_int_equal(held(), len);
	stream_fail(s, ECONNREFUSED);
	assert_sent(stream_last(), all, true);
}

/* Each chunk of the buffer is a piece; the last ones go in a content of their own. */
static void test_more_pieces_than_a_content_takes(void **state)
{
	static char all[8192];
	static char byte[200][2];

	(void)state;
	begin(upload);
	stream_connect(s);
	request_content(r, "a", false);
	for (int i = 0; i < 200; i++) {
		byte[i][0] = (char)('a' + i % 26);
		assert_int_equal(
			evbuffer_add_reference(r->x->request.replay.sent, byte[i], 1, NULL, NULL),
			0);
	}
	all[0] = 'a';
	for (int i = 0; i < 200; i++)
		all[i + 1] = byte[i][0];
	r->x->request.replay.end = true;
	stream_fail(s, 0);
	assert_sent(stream_last(), all, true);
}

/* --- memory --- */

/* What cannot be held cannot be sent again; the request goes on all the same. */
static void test_without_memory_nothing_is_held(void **state)
{
	(void)state;
	begin(upload);
	stream_connect(s);
	/* The buffer, its callback, and its room. */
	for (long i = 0; i < 3; i++) {
		if (i > 0) {
			r = scene_request(upload);
			s = stream_last();
			stream_connect(s);
		}
		mem_fail_after(i);
		request_content(r, "abc", false);
		mem_fail_after(-1);
		assert_sent(s, "abc", false);
		assert_false(replay_may_repeat(r->x));
		assert_int_equal(held(), 0);
		assert_int_equal(w.loop.buffered, 0);
	}
}

/* Content and trailers: nothing of them outlives the request. */
static void test_no_memory_is_left(void **state)
{
	static struct fields trailers;
	struct content content;
	long before;

	(void)state;
	begin(upload);
	before = blocks;
	request_content(r, "abc", false);
	trailers.count = 1;
	trailers.list[0].name = slice_of_string("X-Sum");
	trailers.list[0].value = slice_of_string("42");
	content_init(&content);
	content.end = true;
	content.trailers = &trailers;
	exchange_request_content(r->x, &content);
	assert_true(blocks >= before + 3);
	exchange_stop(r->x);
	assert_int_equal(blocks, before);
}

/* Of what was not held from its begin the rest is of no use. */
static void test_what_was_dropped_is_not_held_again(void **state)
{
	(void)state;
	begin(upload);
	mem_fail_after(0);
	request_content(r, "abc", false);
	mem_fail_after(-1);
	request_content(r, "def", false);
	assert_int_equal(held(), 0);
	assert_int_equal(w.loop.buffered, 0);
	stream_fail(s, ECONNREFUSED);
	assert_replied(r, 502, "no backend could be reached");
}

static void test_without_memory_for_trailers_nothing_is_held(void **state)
{
	static struct fields trailers;
	struct content content;

	(void)state;
	begin(upload);
	stream_connect(s);
	request_content(r, "abc", false);
	trailers.count = 1;
	trailers.list[0].name = slice_of_string("X-Sum");
	trailers.list[0].value = slice_of_string("42");
	content_init(&content);
	content.end = true;
	content.trailers = &trailers;
	mem_fail_after(0);
	exchange_request_content(r->x, &content);
	mem_fail_after(-1);
	assert_string_equal(s->trailer, "42");
	assert_true(s->whole);
	assert_false(replay_may_repeat(r->x));
	assert_int_equal(held(), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_what_may_be_repeated, scene_begin, scene_end),
		cmocka_unit_test_setup_teardown(
			test_so_much_content_may_be_repeated, scene_begin, scene_end),
		cmocka_unit_test_setup_teardown(
			test_all_is_held_while_the_connection_is_made, scene_begin, scene_end),
		cmocka_unit_test_setup_teardown(
			test_what_is_held_is_counted_until_the_end, scene_begin, scene_end),
		cmocka_unit_test_setup_teardown(test_the_end_is_held, scene_begin, scene_end),
		cmocka_unit_test_setup_teardown(
			test_nothing_is_sent_again_if_nothing_was_sent, scene_begin, scene_end),
		cmocka_unit_test_setup_teardown(
			test_many_pieces_are_sent_again, scene_begin, scene_end),
		cmocka_unit_test_setup_teardown(
			test_more_pieces_than_a_content_takes, scene_begin, scene_end),
		cmocka_unit_test_setup_teardown(
			test_without_memory_nothing_is_held, scene_begin, scene_end),
		cmocka_unit_test_setup_teardown(
			test_without_memory_for_trailers_nothing_is_held, scene_begin, scene_end),
		cmocka_unit_test_setup_teardown(test_no_memory_is_left, scene_begin, scene_end),
		cmocka_unit_test_setup_teardown(
			test_what_was_dropped_is_not_held_again, scene_begin, scene_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
