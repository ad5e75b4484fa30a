/* response.c: what is accepted of a backend, and where its body is taken to end (RFC 9112 4, 6).
 * Fed whole, in two pieces cut at every octet, and octet by octet. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/text.h"
#include "guard.h"
#include "http/response.h"

#define OK  "HTTP/1.1 200 OK\r\n"
#define END "\r\n\r\n"

static struct response response;
static const struct head_limits limits = { 4096, 10 };

static void summarize(struct text *t, enum parse_result result)
{
	static const char *const kinds[] = { " none", " length=", " chunked", " until-close" };

	if (result == PARSE_PARTIAL) {
		text_add_string(t, "partial");
		return;
	}
	if (result == PARSE_BAD) {
		assert_non_null(response.why);
		text_add_string(t, "bad");
		return;
	}
	text_format(t, "1.%d %d [%.*s]%s", response.minor, response.status,
		SLICE_ARGS(response.reason), kinds[response.body.kind]);
	if (response.body.kind == BODY_LENGTH)
		text_add_decimal(t, response.body.length);
	text_add_string(t, response.keep_alive ? " keep" : " close");
	if (!slice_is_empty(response.upgrade))
		text_format(t, " upgrade=%.*s", SLICE_ARGS(response.upgrade));
}

static const char *parse(const char *data, size_t len, size_t seen, enum method method)
{
	static char room[8192];
	struct text t = text_over(room, sizeof room);
	enum parse_result result;

	memset(&response, 0xa5, sizeof response);
	result = response_parse(&response, guard_place(data, len), len, seen, method, &limits);
	assert_in_range(result + 1, 0, 2);
	summarize(&t, result);
	return text_string(&t);
}

static void check(const char *data, size_t len, const char *wanted, enum method method)
{
	const char *got = parse(data, len, 0, method);
	bool ended = false;

	if (strcmp(got, wanted) != 0)
		print_error("input: %.200s\n", data);
	assert_string_equal(got, wanted);
	for (size_t part = 0; part <= len; part++) {
		if (strcmp(parse(data, part, 0, method), "partial") != 0)
			assert_string_equal(parse(data, part, 0, method), wanted);
		else
			assert_string_equal(parse(data, len, part, method), wanted);
	}
	for (size_t part = 1; part <= len && !ended; part++) {
		got = parse(data, part, part - 1, method);
		if (strcmp(got, "partial") != 0) {
			assert_string_equal(got, wanted);
			ended = true;
		}
	}
	assert_int_equal(ended, strcmp(wanted, "partial") != 0);
}

struct response_case {
	const char *input;
	const char *wanted;
};

static void check_all(const struct response_case *cases, size_t count, enum method method)
{
	for (size_t i = 0; i < count; i++)
		check(cases[i].input, strlen(cases[i].input), cases[i].wanted, method);
}

static void test_status_line(void **state)
{
	static const struct response_case cases[] = {
		{ "HTTP/1.1 200 OK" END, "1.1 200 [OK] until-close close" },
		{ "HTTP/1.1 200 " END, "1.1 200 [] until-close close" },
		{ "HTTP/1.1 200" END, "1.1 200 [] until-close close" },
		{ "HTTP/1.1 200 a\tb \xe4 c" END, "1.1 200 [a\tb \xe4 c] until-close close" },
		{ "HTTP/1.0 599 x" END, "1.0 599 [x] until-close close" },
		{ "HTTP/1.3 200 x" END, "1.1 200 [x] until-close close" },
		{ "HTTP/2.0 200 x" END, "bad" },
		{ "HTTP/0.9 200 x" END, "bad" },
		{ "http/1.1 200 x" END, "bad" },
		{ "HTTP/1.10 200 x" END, "bad" },
		{ "HTTP/1 200 x" END, "bad" },
		{ "ICY 200 OK" END, "bad" },
		{ "HTTP/1.1  200 x" END, "bad" },
		{ "HTTP/1.1\t200 x" END, "bad" },
		{ " HTTP/1.1 200 x" END, "bad" },
		{ "\r\nHTTP/1.1 200 x" END, "bad" },
		{ "\nHTTP/1.1 200 x" END, "bad" },
		{ "HTTP/1.1 20 x" END, "bad" },
		{ "HTTP/1.1 2000 x" END, "bad" },
		{ "HTTP/1.1 099 x" END, "bad" },
		{ "HTTP/1.1 600 x" END, "1.1 600 [x] until-close close" },
		{ "HTTP/1.1 999 Request Denied" END, "1.1 999 [Request Denied] until-close close" },
		{ "HTTP/1.1 1000 x" END, "bad" },
		{ "HTTP/1.1 000 x" END, "bad" },
		{ "HTTP/1.1 +20 x" END, "bad" },
		{ "HTTP/1.1 2x0 x" END, "bad" },
		{ "HTTP/1.1 20/ x" END, "bad" },
		{ "HTTP/1.1 20: x" END, "bad" },
		{ "HTTP/1.1 2/0 x" END, "bad" },
		{ "HTTP/1.1 2:0 x" END, "bad" },
		{ "HTTP/1./ 200 x" END, "bad" },
		{ "HTTP/1.: 200 x" END, "bad" },
		{ "HTTP/1.0 20/ x" END, "bad" },
		{ "HTTP/1.0 20: x" END, "bad" },
		{ "HTTP/1.9 100 x" END, "1.1 100 [x] none keep" },
		{ "HTTP/1.1 200OK" END, "bad" },
		{ "HTTP/1.1 200\tOK" END, "bad" },
		{ "HTTP/1.1 200 O\x01K" END, "bad" },
		{ "HTTP/1.1 200 OK\n\r\n", "bad" },
		{ "HTTP/1.1 200 O\rK" END, "bad" },
		{ "HTTP/1.1 200\n\r\n", "bad" },
		{ "<html>" END, "bad" },
		{ "", "partial" },
		{ "HTTP/1.1 200", "partial" },
		{ "HTTP/1.1 200 OK\r\n", "partial" },
	};

	(void)state;
	check_all(cases, sizeof cases / sizeof cases[0], METHOD_GET);
	check("HTTP/1.1 200 \0" END, 18, "bad", METHOD_GET);
}

static void test_fields(void **state)
{
	static const struct response_case cases[] = {
		{ OK "A : b" END, "bad" },
		{ OK "A: b\r\n c" END, "bad" },
		{ OK " A: b" END, "bad" },
		{ OK "A: b\n\r\n", "bad" },
		{ OK "A: b\rc" END, "bad" },
		{ OK ": b" END, "bad" },
		{ OK "A: \x7f" END, "bad" },
		{ OK "A\r\n\r\n", "bad" },
		{ OK "a:\r\nb:\r\nc:\r\nd:\r\ne:\r\nf:\r\ng:\r\nh:\r\ni:\r\nj:" END,
			"1.1 200 [OK] until-close close" },
		{ OK "a:\r\nb:\r\nc:\r\nd:\r\ne:\r\nf:\r\ng:\r\nh:\r\ni:\r\nj:\r\nk:" END, "bad" },
	};

	(void)state;
	check_all(cases, sizeof cases / sizeof cases[0], METHOD_GET);
}

static void test_framing(void **state)
{
	static const struct response_case cases[] = {
		{ OK "Content-Length: 5" END, "1.1 200 [OK] length=5 keep" },
		{ OK "Content-Length: 0" END, "1.1 200 [OK] length=0 keep" },
		{ OK "Content-Length: 5\r\nConnection: close" END, "1.1 200 [OK] length=5 close" },
		{ OK "Connection: a b\r\nContent-Length: 5" END, "1.1 200 [OK] length=5 keep" },
		{ OK "Transfer-Encoding: Chunked" END, "1.1 200 [OK] chunked keep" },
		{ OK "Connection: keep-alive" END, "1.1 200 [OK] until-close close" },
		{ OK "Content-Length: 5\r\nContent-Length: 5" END, "bad" },
		{ OK "Content-Length: 5\r\nContent-Length: 6" END, "bad" },
		{ OK "Content-Length: 5, 5" END, "bad" },
		{ OK "Content-Length: +5" END, "bad" },
		{ OK "Content-Length:" END, "bad" },
		{ OK "Content-Length: 9223372036854775808" END, "bad" },
		{ OK "Content-Length: 5\r\nTransfer-Encoding: chunked" END, "bad" },
		{ OK "Transfer-Encoding: chunked\r\nContent-Length: 5" END, "bad" },
		{ OK "Transfer-Encoding: gzip" END, "bad" },
		{ OK "Transfer-Encoding: gzip, chunked" END, "bad" },
		{ OK "Transfer-Encoding: chunked, chunked" END, "bad" },
		{ OK "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked" END, "bad" },
		{ OK "Transfer-Encoding:" END, "bad" },
		/* RFC 9112 6.1: read as it says, and the connection is not trusted any more */
		{ "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked" END,
			"1.0 200 [OK] chunked close" },
		{ "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\nConnection: keep-alive" END,
			"1.0 200 [OK] chunked close" },
		{ "HTTP/1.0 304 OK\r\nTransfer-Encoding: chunked\r\nConnection: keep-alive" END,
			"1.0 304 [OK] none close" },
		{ "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 5" END, "bad" },
		{ "HTTP/1.0 200 OK\r\nTransfer-Encoding: gzip, chunked" END, "bad" },
		{ "HTTP/1.0 200 OK\r\nContent-Length: 5" END, "1.0 200 [OK] length=5 close" },
		{ "HTTP/1.0 200 OK\r\nContent-Length: 5\r\nConnection: Keep-Alive" END,
			"1.0 200 [OK] length=5 keep" },
		{ "HTTP/1.1 204 x" END, "1.1 204 [x] none keep" },
		{ "HTTP/1.1 204 x\r\nContent-Length: 0" END, "1.1 204 [x] none keep" },
		/* such a backend may send what it announces: the connection is done with */
		{ "HTTP/1.1 204 x\r\nContent-Length: 5" END, "1.1 204 [x] none close" },
		{ "HTTP/1.1 204 x\r\nContent-Length: 1" END, "1.1 204 [x] none close" },
		{ "HTTP/1.1 204 x\r\nTransfer-Encoding: chunked" END, "1.1 204 [x] none close" },
		{ "HTTP/1.1 199 x" END, "1.1 199 [x] none keep" },
		{ "HTTP/1.1 199 x\r\nContent-Length: 1" END, "1.1 199 [x] none close" },
		{ "HTTP/1.1 304 x\r\nContent-Length: 5" END, "1.1 304 [x] none keep" },
		{ "HTTP/1.1 304 x\r\nTransfer-Encoding: chunked" END, "1.1 304 [x] none keep" },
		{ "HTTP/1.1 304 x" END, "1.1 304 [x] none keep" },
		{ "HTTP/1.1 205 x" END, "1.1 205 [x] until-close close" },
		{ "HTTP/1.1 100 Continue" END, "1.1 100 [Continue] none keep" },
		{ "HTTP/1.1 103 x\r\nLink: a\r\nContent-Length: 3" END, "1.1 103 [x] none close" },
		{ "HTTP/1.1 204 x\r\nContent-Length: x" END, "bad" },
	};
	static const struct response_case head[] = {
		{ OK "Content-Length: 5" END, "1.1 200 [OK] none keep" },
		{ OK "Transfer-Encoding: chunked" END, "1.1 200 [OK] none keep" },
		{ OK "X: y" END, "1.1 200 [OK] none keep" },
		{ OK "Content-Length: 5\r\nTransfer-Encoding: chunked" END, "bad" },
	};

	(void)state;
	check_all(cases, sizeof cases / sizeof cases[0], METHOD_GET);
	check_all(head, sizeof head / sizeof head[0], METHOD_HEAD);
}

#define SWITCH "HTTP/1.1 101 x\r\n"

/* RFC 9110 7.8, 15.2.2 */
static void test_switch(void **state)
{
	static const struct response_case cases[] = {
		{ SWITCH "Connection: Upgrade\r\nUpgrade: WebSocket" END,
			"1.1 101 [x] none close upgrade=WebSocket" },
		{ SWITCH "Connection: Upgrade\r\nUpgrade: SPDY/3.1" END,
			"1.1 101 [x] none close upgrade=SPDY/3.1" },
		{ SWITCH "Connection: Upgrade\r\nUpgrade: websocket\r\nContent-Length: 5" END,
			"1.1 101 [x] none close upgrade=websocket" },
		{ SWITCH "X: y" END, "bad" },
		{ SWITCH "Upgrade: websocket" END, "bad" },
		{ SWITCH "Connection: Upgrade" END, "bad" },
		{ SWITCH "Connection: Upgrade\r\nUpgrade:" END, "bad" },
		{ SWITCH "Connection: Upgrade\r\nUpgrade: a b" END, "bad" },
		{ SWITCH "Connection: Upgrade\r\nUpgrade: TLS/1.0, HTTP/1.1" END, "bad" },
		{ SWITCH "Connection: Upgrade\r\nUpgrade: websocket\r\nUpgrade: h2c" END, "bad" },
	};

	(void)state;
	check_all(cases, sizeof cases / sizeof cases[0], METHOD_GET);
}

static void test_limits(void **state)
{
	char input[8192];

	(void)state;
	memset(input, 'a', sizeof input);
	memcpy(input, OK, sizeof OK - 1);
	input[sizeof OK] = ':';
	memcpy(input + limits.size - 4, END, 4);
	check(input, limits.size, "1.1 200 [OK] until-close close", METHOD_GET);
	memset(input + limits.size - 4, 'a', 4);
	memcpy(input + limits.size - 3, END, 4);
	check(input, limits.size + 1, "bad", METHOD_GET);
	check(input, limits.size, "bad", METHOD_GET);
	memset(input, 'a', sizeof input);
	memcpy(input, OK, sizeof OK - 3);
	check(input, limits.size, "bad", METHOD_GET);
}

/* What the log says of it. */
static void test_what_is_wrong_is_named(void **state)
{
	static const char *const cases[][2] = {
		{ "HTTP/1.1 x00 OK" END, "bad status line" },
		{ "HTTP/2.0 200 OK" END, "bad status line" },
		{ "HTTP/1.1 200OK" END, "bad status line" },
		{ "HTTP/1.1 099 x" END, "bad status" },
		{ SWITCH "X: y" END, "101 that does not name one protocol" },
		{ OK "Content-Length: 5\r\nContent-Length: 5" END,
			"several Content-Length fields" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		assert_string_equal(parse(cases[i][0], strlen(cases[i][0]), 0, METHOD_GET), "bad");
		assert_string_equal(response.why, cases[i][1]);
	}
}

/* RFC 9110 7.6.1: each option costs a search through the fields, so there are up to 64. */
static void test_connection_options_are_counted(void **state)
{
	char input[512];

	(void)state;
	for (int count = 63; count <= 65; count++) {
		struct text t = text_over(input, sizeof input);

		text_add_string(&t, OK "Content-Length: 0\r\nConnection: a");
		for (int i = 1; i < count; i++)
			text_add_string(&t, ",b");
		text_add_string(&t, END);
		check(input, t.len, count <= 64 ? "1.1 200 [OK] length=0 keep" : "bad", METHOD_GET);
		assert_true(
			count <= 64 || strcmp(response.why, "too many Connection options") == 0);
	}
}

/* RFC 2068 19.7.1.1: how long the backend keeps an idle connection, in seconds; up to a day. */
static void test_keep_alive_timeout(void **state)
{
	static const struct {
		const char *fields;
		bool said;
		uint64_t seconds;
	} cases[] = {
		{ "Keep-Alive: timeout=5", true, 5 },
		{ "keep-alive: max=100, TimeOut=17", true, 17 },
		{ "Keep-Alive: timeout=0", true, 0 },
		{ "Keep-Alive: timeout=86400", true, 86400 },
		{ "Keep-Alive: timeout=86401", false, 0 },
		{ "Keep-Alive: timeout=3, timeout=4", true, 3 },
		{ "Keep-Alive: ,, max=9 ,Timeout=3", true, 3 },
		{ "Keep-Alive: max=5\r\nA: b\r\nkeep-alive: timeout=7", true, 7 },
		{ "Keep-Alive: \r\nKeep-Alive: timeout=7", true, 7 },
		{ "Keep-Alive: timeout=", false, 0 },
		{ "Keep-Alive: timeout=, timeout=5", true, 5 },
		{ "Keep-Alive: timeout", false, 0 },
		{ "Keep-Alive: timeout:5", false, 0 },
		{ "Keep-Alive: timeout=x", false, 0 },
		{ "Keep-Alive: timeout=-1", false, 0 },
		{ "Keep-Alive: timeout=5s", false, 0 },
		{ "Keep-Alive: timeouts=5", false, 0 },
		{ "Keep-Alive: ttimeout=5", false, 0 },
		{ "Keep-Alive: max=5", false, 0 },
		{ "Keep-Alive: max=100, n=9", false, 0 },
		{ "Keep-Alive:", false, 0 },
		{ "X: timeout=5", false, 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		char input[128];
		struct text t = text_over(input, sizeof input);
		uint64_t seconds = 0;

		text_format(&t, OK "Content-Length: 0\r\n%s" END, cases[i].fields);
		assert_string_equal(
			parse(input, t.len, 0, METHOD_GET), "1.1 200 [OK] length=0 keep");
		assert_int_equal(response_keep_alive_timeout(&response, &seconds), cases[i].said);
		assert_true(!cases[i].said || seconds == cases[i].seconds);
	}
}

static void test_head_len(void **state)
{
	static const char input[] = OK "Content-Length: 2" END "hi";

	(void)state;
	parse(input, sizeof input - 1, 0, METHOD_GET);
	assert_int_equal(response.head_len, sizeof input - 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_status_line),
		cmocka_unit_test(test_fields),
		cmocka_unit_test(test_framing),
		cmocka_unit_test(test_switch),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_what_is_wrong_is_named),
		cmocka_unit_test(test_connection_options_are_counted),
		cmocka_unit_test(test_keep_alive_timeout),
		cmocka_unit_test(test_head_len),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
