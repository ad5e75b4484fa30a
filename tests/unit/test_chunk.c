/* chunk.c and trailer.c (RFC 9112 7.1, RFC 9110 6.5): fed whole and cut at every octet. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "guard.h"
#include "http/chunk.h"

static char out_room[1 << 16];

/* Decodes one piece from the end of readable memory; adds the content to `out`. */
static enum chunk_result feed(
	struct chunk_decoder *d, const char *data, size_t len, size_t *used, struct text *out)
{
	const char *copy = guard_place(data, len);
	enum chunk_result result;

	*used = 0;
	do {
		struct slice content = { 0 };
		size_t n = len + 1;

		result = chunk_decode(d, copy + *used, len - *used, &n, &content);
		assert_true(n <= len - *used);
		if (result == CHUNK_DATA) {
			assert_true(content.len > 0);
			assert_ptr_equal(content.data + content.len, copy + *used + n);
			text_add_slice(out, content);
		}
		*used += n;
	} while (result == CHUNK_DATA);
	if (result == CHUNK_MORE)
		assert_int_equal(*used, len);
	return result;
}

/* The content, and "|" with what is left for the trailers; or "+" when more is needed, or "bad". */
static const char *decode(const char *data, size_t len, size_t cut)
{
	struct chunk_decoder d = { 0 };
	struct text out = text_over(out_room, sizeof out_room);
	size_t used;
	enum chunk_result result = feed(&d, data, cut, &used, &out);

	if (result == CHUNK_MORE) {
		size_t second;

		result = feed(&d, data + cut, len - cut, &second, &out);
		used = cut + second;
	}
	if (result == CHUNK_BAD) {
		assert_non_null(d.why);
		return "bad";
	}
	text_add_char(&out, result == CHUNK_TRAILER ? '|' : '+');
	if (result == CHUNK_TRAILER)
		text_add_slice(&out, slice_of(data + used, len - used));
	return text_string(&out);
}

static void check(const char *data, size_t len, const char *wanted)
{
	struct chunk_decoder d = { 0 };
	struct text out = text_over(out_room, sizeof out_room);
	enum chunk_result result = CHUNK_MORE;

	for (size_t cut = 0; cut <= len; cut++) {
		const char *got = decode(data, len, cut);

		if (strcmp(got, wanted) != 0)
			print_error("input: %s, cut at %zu\n", data, cut);
		assert_string_equal(got, wanted);
	}
	for (size_t i = 0; i < len && result == CHUNK_MORE; i++) {
		size_t used;

		result = feed(&d, data + i, 1, &used, &out);
	}
	assert_int_equal(result == CHUNK_BAD, strcmp(wanted, "bad") == 0);
}

static void test_decode(void **state)
{
	static const struct {
		const char *input;
		const char *wanted;
	} cases[] = {
		{ "0\r\n", "|" },
		{ "0\r\n\r\n", "|\r\n" },
		{ "5\r\nhello\r\n0\r\nA: b\r\n\r\nGET", "hello|A: b\r\n\r\nGET" },
		{ "3\r\nabc\r\n2\r\nde\r\n000\r\n", "abcde|" },
		{ "0000000000000005\r\nhello\r\n0\r\n", "hello|" },
		{ "a\r\n0123456789\r\nA\r\n\r\n\r\n\r\n\r\n\r\n\r\n0\r\n",
			"0123456789\r\n\r\n\r\n\r\n\r\n|" },
		{ "5;a\r\nhello\r\n0;b=c\r\n", "hello|" },
		{ "5 \t;\ta = \"b\" ; c\r\nhello\r\n0\r\n", "hello|" },
		{ "5;a=\"b;c\r\nhello\r\n0\r\n", "hello|" }, /* a quote has no meaning */
		{ "5;!=~}!\r\nhello\r\n0\r\n", "hello|" },
		{ "5\r\nhel", "hel+" },
		{ "5\r\nhello\r", "hello+" },
		{ "", "+" },
		{ "7fffffffffffffff\r\nab", "ab+" },
		/* sizes */
		{ "8000000000000000\r\n", "bad" },
		{ "ffffffffffffffff\r\n", "bad" },
		{ "00000000000000005\r\nhello\r\n", "bad" },
		{ "10000000000000005\r\nhello\r\n", "bad" },
		{ "\r\n", "bad" },
		{ ";a\r\n", "bad" },
		{ " 5\r\nhello\r\n", "bad" },
		{ "5 \r\nhello\r\n", "bad" },
		{ "5\t\r\nhello\r\n", "bad" },
		{ "5 5\r\nhello\r\n", "bad" },
		{ "+5\r\nhello\r\n", "bad" },
		{ "-5\r\nhello\r\n", "bad" },
		{ "0x5\r\nhello\r\n", "bad" },
		{ "5_0\r\nhello\r\n", "bad" },
		{ "5h\r\nhello\r\n", "bad" },
		{ "5,\r\nhello\r\n", "bad" },
		{ "g\r\n", "bad" },
		{ "\x15\r\n", "bad" },
		/* line ends */
		{ "5\nhello\r\n0\r\n", "bad" },
		{ "5\rhello\r\n0\r\n", "bad" },
		{ "5\r\r\nhello\r\n0\r\n", "bad" },
		{ "5\r\nhello\n0\r\n", "bad" },
		{ "5\r\nhello0\r\n", "bad" },
		{ "5\r\nhello\r0\r\n", "bad" },
		{ "5\r\nhelloo\r\n0\r\n", "bad" },
		{ "5\r\nhell\r\n0\r\n", "bad" },
		{ "5\r\nhello\r\n\r\n0\r\n", "bad" },
		{ "5\r\nhello\r\n0\n", "bad" },
		/* extensions */
		{ "5;\r\nhello\r\n", "bad" },
		{ "5; \r\nhello\r\n", "bad" },
		{ "5;=\r\nhello\r\n", "bad" },
		{ "5;a\nhello\r\n", "bad" },
		{ "5;a\rb\r\nhello\r\n", "bad" },
		{ "5;a=\"\n\"\r\nhello\r\n", "bad" },
		{ "5;a=\"\r\n\"\r\nhello\r\n", "bad" },
		{ "5;a\x01\r\nhello\r\n", "bad" },
		{ "5;a\x7f\r\nhello\r\n", "bad" },
		{ "5;a\x80\r\nhello\r\n", "bad" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
		check(cases[i].input, strlen(cases[i].input), cases[i].wanted);
	check("5\0\r\nhello\r\n", 11, "bad");
	check("5;a\0\r\nhello\r\n", 13, "bad");
}

/* Repeats a chunk until the decoder has enough of it; how often that went well. */
static unsigned endure(const char *chunk, unsigned times)
{
	struct chunk_decoder d = { 0 };
	size_t len = strlen(chunk);

	for (unsigned i = 0; i < times; i++) {
		struct text out = text_over(out_room, sizeof out_room);
		size_t used;

		if (feed(&d, chunk, len, &used, &out) != CHUNK_MORE)
			return i;
	}
	return times;
}

/* A kilobyte of extensions for all chunks together, and not one octet more. */
static void test_extensions_of_a_kilobyte(void **state)
{
	static char input[2100];

	(void)state;
	for (size_t extra = 0; extra < 2; extra++) {
		struct text t = text_over(input, sizeof input);
		struct text out = text_over(out_room, sizeof out_room);
		struct chunk_decoder d = { 0 };
		size_t used;

		/* each with its CR: 3 and 1021 */
		text_add_string(&t, "1;ab\r\nx\r\n1;");
		while (t.len < 11 + 1020 + extra)
			text_add_char(&t, 'a');
		text_add_string(&t, "\r\ny\r\n0\r\n");
		assert_int_equal(feed(&d, input, t.len, &used, &out),
			extra == 0 ? CHUNK_TRAILER : CHUNK_BAD);
		assert_true(extra == 0 || strcmp(d.why, "too many chunk extensions") == 0);
	}
}

/* 16 kB of framing cost nothing; from then on 16 octets of it for each octet of content. */
static void test_framing_in_proportion_to_content(void **state)
{
	static const char chunk[] = "0000000000000001\r\nx\r\n"; /* 20 for one */
	struct chunk_decoder d = { 0 };
	uint64_t framing = 0, content = 0;
	enum chunk_result result = CHUNK_MORE;

	(void)state;
	for (size_t i = 0; result != CHUNK_BAD; i++) {
		size_t used;
		struct slice data;
		bool is_content = i % (sizeof chunk - 1) == 18;

		framing += !is_content;
		content += is_content;
		result = chunk_decode(&d, &chunk[i % (sizeof chunk - 1)], 1, &used, &data);
		if (result == CHUNK_MORE)
			result = chunk_decode(&d, "", 0, &used, &data);
		assert_int_equal(
			result == CHUNK_BAD, framing > 16384 && framing - 16384 >= 16 * content);
	}
	assert_string_equal(d.why, "chunks are too small");
}

static void test_bounds(void **state)
{
	(void)state;
	/* the slowest honest sender: one octet a chunk, for ever */
	assert_int_equal(endure("1\r\nx\r\n", 1000000), 1000000);
	assert_int_equal(endure("0001\r\nx\r\n", 100000), 100000);
	assert_in_range(endure("0000000000000001\r\nx\r\n", 1000000), 1000, 10000);
	assert_in_range(endure("400;abcdefghi\r\n", 1), 1, 1);
	/* extensions: a kilobyte for all chunks together, however large these are */
	assert_in_range(endure("1;abcdefghi\r\nx\r\n", 1000), 90, 103);
}

static void test_trailers(void **state)
{
	static const struct {
		const char *input;
		enum parse_result result;
		size_t used;
		const char *written;
	} cases[] = {
		{ "\r\n", PARSE_DONE, 2, "0\r\n\r\n" },
		{ "\r\nGET", PARSE_DONE, 2, "0\r\n\r\n" },
		{ "A: b\r\nB:c \r\n\r\nGET", PARSE_DONE, 14, "0\r\nA: b\r\nB: c\r\n\r\n" },
		{ "Grpc-Status: 0\r\n\r\n", PARSE_DONE, 18, "0\r\nGrpc-Status: 0\r\n\r\n" },
		{ "A: 1\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\nHost: h\r\n"
		  "Authorization: x\r\nset-cookie: x\r\nTrailer: x\r\nContent_Length: 5\r\n"
		  "X-Forwarded-For: x\r\nConnection: x\r\nIf-Match: x\r\nVary: x\r\n"
		  "Content-Type: x\r\nB: 2\r\n\r\n",
			PARSE_DONE, 0, "0\r\nA: 1\r\nB: 2\r\n\r\n" },
		{ "", PARSE_PARTIAL, 0, NULL },
		{ "\r", PARSE_PARTIAL, 0, NULL },
		{ "A: b\r\n", PARSE_PARTIAL, 0, NULL },
		{ "A: b\r\n\r", PARSE_PARTIAL, 0, NULL },
		{ "\n", PARSE_BAD, 0, NULL },
		{ "\rA", PARSE_BAD, 0, NULL },
		{ "A : b\r\n\r\n", PARSE_BAD, 0, NULL },
		{ " A: b\r\n\r\n", PARSE_BAD, 0, NULL },
		{ "A: b\r\n c\r\n\r\n", PARSE_BAD, 0, NULL },
		{ "A: b\n\r\n", PARSE_BAD, 0, NULL },
		{ "A: b\r\n\n", PARSE_BAD, 0, NULL },
		{ "GET / HTTP/1.1\r\n", PARSE_BAD, 0, NULL },
	};
	static struct fields fields;

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct text out = text_over(out_room, sizeof out_room);
		size_t len = strlen(cases[i].input);
		size_t used = 0;
		const char *why = NULL;

		for (size_t part = 0; part < len; part++) {
			enum parse_result early = trailers_parse(
				&fields, guard_place(cases[i].input, part), part, &used, &why);

			if (early != PARSE_PARTIAL)
				assert_int_equal(early, cases[i].result);
		}
		assert_int_equal(
			trailers_parse(&fields, guard_place(cases[i].input, len), len, &used, &why),
			cases[i].result);
		if (cases[i].result == PARSE_BAD)
			assert_non_null(why);
		if (cases[i].written == NULL)
			continue;
		assert_int_equal(used, cases[i].used > 0 ? cases[i].used : len);
		chunk_write_end(&out, &fields);
		assert_string_equal(text_string(&out), cases[i].written);
	}
}

/* RFC 9110 6.5.1: what says how to read or to route a message, who sent it or what it is comes
 * before the content or not at all. */
static void test_what_is_no_trailer(void **state)
{
	static const char *const forbidden[] = { "Age", "Authorization", "Cache-Control",
		"Content-Encoding", "Content-Location", "Content-Range", "Content-Type", "Cookie",
		"Expires", "If-Match", "If-Modified-Since", "If-None-Match", "If-Range",
		"If-Unmodified-Since", "Location", "Pragma", "Proxy-Authentication-Info", "Range",
		"Retry-After", "Set-Cookie", "Vary", "Warning", "WWW-Authenticate", "Connection",
		"Content-Length", "Date", "Expect", "Forwarded", "Host", "Keep-Alive",
		"Max-Forwards", "Proxy-Authenticate", "Proxy-Authorization", "TE", "Trailer",
		"Transfer-Encoding", "Upgrade", "Via", "X-Forwarded-For", "X-Real-IP", "Refresh",
		"X-Request-ID" };
	static struct fields fields;

	(void)state;
	for (size_t i = 0; i < sizeof forbidden / sizeof forbidden[0]; i++) {
		char input[64];
		struct text t = text_over(input, sizeof input);
		size_t used;
		const char *why;

		text_format(&t, "%s: x\r\nX-%s: y\r\n\r\n", forbidden[i], "Other");
		assert_int_equal(trailers_parse(&fields, input, t.len, &used, &why), PARSE_DONE);
		assert_true(fields.list[0].dropped);
		assert_false(fields.list[1].dropped);
	}
}

static void test_trailer_limits(void **state)
{
	static struct fields fields;
	static char input[8300];
	struct text t = text_over(input, sizeof input);
	size_t used;
	const char *why = NULL;

	(void)state;
	for (int i = 0; i < 65; i++)
		text_add_string(&t, "A: b\r\n");
	text_add_string(&t, "\r\n");
	assert_int_equal(trailers_parse(&fields, input, t.len, &used, &why), PARSE_BAD);
	assert_int_equal(trailers_parse(&fields, input + 6, t.len - 6, &used, &why), PARSE_DONE);
	assert_int_equal(fields.count, 64);
	/* one too many is told as soon as it begins */
	assert_int_equal(trailers_parse(&fields, input, 64 * 6 + 1, &used, &why), PARSE_PARTIAL);
	assert_int_equal(trailers_parse(&fields, input, 65 * 6 + 1, &used, &why), PARSE_BAD);
	assert_string_equal(why, "too many fields");
	memset(input, 'a', sizeof input);
	input[1] = ':';
	assert_int_equal(trailers_parse(&fields, input, 8191, &used, &why), PARSE_PARTIAL);
	assert_int_equal(trailers_parse(&fields, input, 8192, &used, &why), PARSE_BAD);
	assert_string_equal(why, "trailers are too long");
	memcpy(input + 8188, "\r\n\r\n", 4);
	assert_int_equal(trailers_parse(&fields, input, 8300, &used, &why), PARSE_DONE);
	assert_int_equal(used, 8192);
}

static void test_write(void **state)
{
	char line[CHUNK_LINE_MAX];
	struct text out = text_over(out_room, sizeof out_room);

	(void)state;
	assert_int_equal(chunk_write_line(line, 0x1a), 4);
	assert_memory_equal(line, "1a\r\n", 4);
	assert_int_equal(chunk_write_line(line, UINT64_MAX), CHUNK_LINE_MAX);
	assert_memory_equal(line, "ffffffffffffffff\r\n", CHUNK_LINE_MAX);
	chunk_write_end(&out, NULL);
	assert_string_equal(text_string(&out), "0\r\n\r\n");
}

/* Random pieces of random octets: whole and octet by octet end alike, with the same content. */
static void test_random(void **state)
{
	static const char octets[] = "0123aF;\r\n\r\n\r\n x=\"\t";
	static char whole_room[256], single_room[256];
	unsigned seed = 7;

	(void)state;
	for (int i = 0; i < 20000; i++) {
		struct chunk_decoder whole = { 0 }, single = { 0 };
		struct text a = text_over(whole_room, sizeof whole_room);
		struct text b = text_over(single_room, sizeof single_room);
		enum chunk_result whole_result, single_result = CHUNK_MORE;
		char input[64] = "3\r\nabc\r\n1\r\nx\r\n";
		size_t used, n = 0;

		for (size_t k = (size_t)(i % 15); k < sizeof input; k++)
			input[k] = octets[(size_t)rand_r(&seed) % (sizeof octets - 1)];
		whole_result = feed(&whole, input, sizeof input, &used, &a);
		while (n < sizeof input && single_result == CHUNK_MORE) {
			size_t one;

			single_result = feed(&single, input + n, 1, &one, &b);
			n += one;
		}
		assert_int_equal(whole_result, single_result);
		assert_true(slice_equals(text_slice(&a), text_slice(&b)));
		if (whole_result == CHUNK_TRAILER)
			assert_int_equal(used, n);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_decode),
		cmocka_unit_test(test_bounds),
		cmocka_unit_test(test_extensions_of_a_kilobyte),
		cmocka_unit_test(test_framing_in_proportion_to_content),
		cmocka_unit_test(test_trailers),
		cmocka_unit_test(test_what_is_no_trailer),
		cmocka_unit_test(test_trailer_limits),
		cmocka_unit_test(test_write),
		cmocka_unit_test(test_random),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
