/*
 * Bodies through reader and writer, in every framing, cut at every byte: what comes out is the same
 * content in the framing that was asked for, and sizes that the sender chose do not show in it.
 */
#include "config.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "relay.h"

static struct loop loop;
static struct connection to;
static int peer;
static struct fields trailers;

static size_t received(struct connection *s, const char *data, size_t len)
{
	(void)s;
	(void)data;
	return len;
}

static void ignored(struct connection *s)
{
	(void)s;
}

static void ended(struct connection *s, int error)
{
	(void)s;
	(void)error;
}

static const struct connection_events events = {
	.received = received,
	.drained = ignored,
	.connected = ignored,
	.ended = ended,
};

static int set_up(void **state)
{
	int pair[2];

	(void)state;
	if (loop_init(&loop) == -1 ||
		socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair) == -1)
		return -1;
	peer = pair[1];
	connection_open(&to, &loop, &events, pair[0]);
	connection_watch(&to);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	connection_close(&to);
	loop_fini(&loop);
	close(peer);
	return 0;
}

static void expect_out(const char *text)
{
	char out[4096];
	ssize_t n = read(peer, out, sizeof out);

	n = n > 0 ? n : 0;
	assert_int_equal(n, strlen(text));
	assert_memory_equal(out, text, (size_t)n);
}

/* Feeds `in` in two parts, as a connection would: what is left of the first comes again. */
static enum body_read feed_cut(struct relay *relay, const char *in, size_t cut)
{
	size_t len = strlen(in);
	size_t used = 0;
	size_t more = 0;
	enum body_read result;
	bool failed;

	result = relay_feed(relay, in, cut, &used, &trailers, &failed);
	assert_false(failed);
	if (result == BODY_READ_BAD)
		return result;
	result = relay_feed(relay, in + used, len - used, &more, &trailers, &failed);
	assert_false(failed);
	if (result == BODY_READ_DONE)
		assert_int_equal(used + more, len);
	return result;
}

static const char chunked[] = "3\r\nabc\r\n00A;x=\"y\"\r\n0123456789\r\n0\r\nX-Sum: 1\r\n\r\n";

static void test_chunked_to_plain(void **state)
{
	(void)state;
	for (size_t cut = 0; cut <= strlen(chunked); cut++) {
		struct relay relay;

		relay_init(&relay, (struct body){ .kind = BODY_CHUNKED }, BODY_UNTIL_CLOSE, &to);
		assert_int_equal(feed_cut(&relay, chunked, cut), BODY_READ_DONE);
		assert_int_equal(relay.content, 13);
		expect_out("abc0123456789");
	}
}

/* What comes in one piece goes on as one chunk, and the trailers behind it. */
static void test_chunked_to_chunked(void **state)
{
	struct relay relay;

	(void)state;
	relay_init(&relay, (struct body){ .kind = BODY_CHUNKED }, BODY_CHUNKED, &to);
	assert_int_equal(feed_cut(&relay, chunked, 0), BODY_READ_DONE);
	expect_out("d\r\nabc0123456789\r\n0\r\nX-Sum: 1\r\n\r\n");
}

static void test_chunked_again_and_again(void **state)
{
	(void)state;
	for (size_t cut = 0; cut <= strlen(chunked); cut++) {
		struct relay first, second;
		char out[4096];
		ssize_t n;

		relay_init(&first, (struct body){ .kind = BODY_CHUNKED }, BODY_CHUNKED, &to);
		assert_int_equal(feed_cut(&first, chunked, cut), BODY_READ_DONE);
		n = read(peer, out, sizeof out - 1);
		assert_true(n > 0);
		out[n] = '\0';
		relay_init(&second, (struct body){ .kind = BODY_CHUNKED }, BODY_UNTIL_CLOSE, &to);
		assert_int_equal(feed_cut(&second, out, (size_t)n), BODY_READ_DONE);
		expect_out("abc0123456789");
	}
}

/* More chunks than pieces fit in one write. */
static void test_many_chunks(void **state)
{
	char in[2048] = "";
	char want[512] = "";
	char out[4096];
	struct relay relay, back;
	ssize_t n;

	(void)state;
	for (int i = 0; i < 200; i++) {
		char c = (char)('a' + i % 26);
		size_t at = strlen(in);

		(void)snprintf(in + at, sizeof in - at, "1\r\n%c\r\n", c);
		want[i] = c;
	}
	(void)snprintf(in + strlen(in), sizeof in - strlen(in), "0\r\n\r\n");
	relay_init(&relay, (struct body){ .kind = BODY_CHUNKED }, BODY_CHUNKED, &to);
	assert_int_equal(feed_cut(&relay, in, 0), BODY_READ_DONE);
	n = read(peer, out, sizeof out - 1);
	assert_true(n > 0);
	out[n] = '\0';
	relay_init(&back, (struct body){ .kind = BODY_CHUNKED }, BODY_UNTIL_CLOSE, &to);
	assert_int_equal(feed_cut(&back, out, 0), BODY_READ_DONE);
	expect_out(want);
}

/* Takes `in` in pieces, of which some go another way than through the relay. */
static enum body_read take(struct relay *relay, const char *in, unsigned *seed, char *got)
{
	size_t len = strlen(in), at = 0, kept = 0, used;
	enum body_read result = BODY_READ_MORE;

	while (result == BODY_READ_MORE && at + kept < len) {
		size_t piece =
			(size_t)rand_r(seed) % (len - at - kept < 9 ? len - at - kept : 9) + 1;
		uint64_t plain = kept == 0 ? body_reader_run(&relay->reader) : 0;
		bool failed;

		if (plain > 0 && rand_r(seed) % 2 == 0) {
			piece = plain < piece ? (size_t)plain : piece;
			strncat(got, in + at, piece);
			body_reader_skip(&relay->reader, piece);
			relay->content += piece;
			at += piece;
			continue;
		}
		result = relay_feed(relay, in + at, kept + piece, &used, &trailers, &failed);
		assert_int_equal(failed, 0);
		at += used;
		kept += piece - used;
		(void)!read(peer, got + strlen(got), 64);
	}
	assert_int_equal(at, len);
	return relay->reader.done ? BODY_READ_DONE : result;
}

static void test_what_goes_another_way(void **state)
{
	static const struct {
		struct body in;
		const char *bytes;
		enum body_read result;
	} bodies[] = {
		{ { .kind = BODY_CHUNKED }, chunked, BODY_READ_DONE },
		{ { .kind = BODY_LENGTH, .length = 13 }, "abc0123456789", BODY_READ_DONE },
		{ { .kind = BODY_LENGTH, .length = 14 }, "abc0123456789", BODY_READ_MORE },
		{ { .kind = BODY_UNTIL_CLOSE }, "abc0123456789", BODY_READ_MORE },
	};
	unsigned seed = 1;

	(void)state;
	for (unsigned i = 0; i < 4000; i++) {
		char got[128] = "";
		struct relay relay;

		relay_init(&relay, bodies[i % 4].in, BODY_UNTIL_CLOSE, &to);
		assert_int_equal(
			take(&relay, bodies[i % 4].bytes, &seed, got), bodies[i % 4].result);
		assert_string_equal(got, "abc0123456789");
		assert_int_equal(relay.content, 13);
		assert_int_equal(body_reader_run(&relay.reader), i % 4 == 3   ? UINT64_MAX
								 : i % 4 == 2 ? 1
									      : 0);
	}
}

static void test_length_leaves_the_next(void **state)
{
	struct relay relay;
	bool failed;
	size_t used;

	(void)state;
	relay_init(&relay, (struct body){ .kind = BODY_LENGTH, .length = 3 }, BODY_LENGTH, &to);
	assert_int_equal(
		relay_feed(&relay, "abcdef", 6, &used, &trailers, &failed), BODY_READ_DONE);
	assert_int_equal(used, 3);
	assert_int_equal(failed, 0);
	expect_out("abc");
	/* The sender may close now: it was whole. */
	assert_int_equal(relay_end(&relay, &failed), BODY_READ_DONE);
}

static void test_cut_short(void **state)
{
	struct relay relay;
	bool failed;
	size_t used;

	(void)state;
	relay_init(&relay, (struct body){ .kind = BODY_LENGTH, .length = 3 }, BODY_LENGTH, &to);
	assert_int_equal(relay_feed(&relay, "ab", 2, &used, &trailers, &failed), BODY_READ_MORE);
	assert_int_equal(relay_end(&relay, &failed), BODY_READ_BAD);
	relay_init(&relay, (struct body){ .kind = BODY_CHUNKED }, BODY_CHUNKED, &to);
	assert_int_equal(
		relay_feed(&relay, "1\r\na\r\n", 6, &used, &trailers, &failed), BODY_READ_MORE);
	assert_int_equal(relay_end(&relay, &failed), BODY_READ_BAD);
}

static void test_until_close_to_chunked(void **state)
{
	struct relay relay;
	bool failed;
	size_t used;

	(void)state;
	relay_init(&relay, (struct body){ .kind = BODY_UNTIL_CLOSE }, BODY_CHUNKED, &to);
	assert_int_equal(relay_feed(&relay, "0123456789abcdefg", 17, &used, &trailers, &failed),
		BODY_READ_MORE);
	assert_int_equal(failed, 0);
	assert_int_equal(relay_end(&relay, &failed), BODY_READ_DONE);
	assert_int_equal(failed, 0);
	expect_out("11\r\n0123456789abcdefg\r\n0\r\n\r\n");
}

static void test_bad_chunk(void **state)
{
	static const char *const bad[] = {
		"x\r\n",
		"1\nabc",
		"1\r\nab\r\n",
		"fffffffffffffffff\r\n",
		"0\r\nbad trailer\r\n\r\n",
	};

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		struct relay relay;

		relay_init(&relay, (struct body){ .kind = BODY_CHUNKED }, BODY_CHUNKED, &to);
		assert_int_equal(feed_cut(&relay, bad[i], 0), BODY_READ_BAD);
		assert_non_null(relay.reader.why);
	}
}

static void test_empty_is_done_at_once(void **state)
{
	struct relay relay;

	(void)state;
	relay_init(&relay, (struct body){ .kind = BODY_NONE }, BODY_NONE, &to);
	assert_true(relay.reader.done);
	relay_init(&relay, (struct body){ .kind = BODY_LENGTH, .length = 0 }, BODY_LENGTH, &to);
	assert_true(relay.reader.done);
	relay_init(&relay, (struct body){ .kind = BODY_CHUNKED }, BODY_CHUNKED, &to);
	assert_false(relay.reader.done);
}

static void test_trailers_that_the_head_named(void **state)
{
	static const char head[] = "Connection: X-Sum\r\n\r\n";
	struct relay relay;
	struct fields fields;
	const char *why;
	bool too_many;

	(void)state;
	fields_init(&fields);
	assert_true(fields_parse(&fields, head, sizeof head - 1, 9, &why, &too_many) > 0);
	relay_init(&relay, (struct body){ .kind = BODY_CHUNKED }, BODY_CHUNKED, &to);
	assert_int_equal(body_reader_note_named(&relay.reader, &fields), 0);
	assert_int_equal(
		feed_cut(&relay, "0\r\nX-Sum: 1\r\nX-Other: 2\r\n\r\n", 0), BODY_READ_DONE);
	expect_out("0\r\nX-Other: 2\r\n\r\n");
	body_reader_fini(&relay.reader);
}

/* A head that waited goes out with the first content, in one write. */
static void test_a_head_in_front(void **state)
{
	struct content content;

	(void)state;
	content_init(&content);
	content_add(&content, "abc", 3);
	content.end = true;
	assert_int_equal(
		body_writer_write(&to, BODY_CHUNKED, slice_of_string("head "), &content), 0);
	expect_out("head 3\r\nabc\r\n0\r\n\r\n");
	content_init(&content);
	assert_int_equal(body_writer_write(&to, BODY_LENGTH, slice_of_string("head"), &content), 0);
	expect_out("head");
	assert_int_equal(body_writer_write(&to, BODY_CHUNKED, slice_of(NULL, 0), &content), 0);
	expect_out("");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_chunked_to_plain, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_chunked_to_chunked, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_chunked_again_and_again, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_many_chunks, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_what_goes_another_way, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_length_leaves_the_next, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_cut_short, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_until_close_to_chunked, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_bad_chunk, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_empty_is_done_at_once, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			test_trailers_that_the_head_named, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_a_head_in_front, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
