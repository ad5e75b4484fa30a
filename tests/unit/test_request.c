/*
 * request.c: what is accepted and how it is understood, and what is refused with which status.
 * Every input is also given in two pieces, cut at every octet, and octet by octet: the outcome must
 * be the same, and nothing may be looked at behind the end.
 */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "../../src/http/framing.h"
#include "base/text.h"
#include "guard.h"
#include "http/request.h"

#define HOST "Host: h\r\n"
#define END  "\r\n\r\n"

static struct request request;
static const struct head_limits limits = { 32768, 100 };

static void add_body(struct text *t, struct body body)
{
	if (body.kind == BODY_CHUNKED)
		text_add_string(t, " chunked");
	if (body.kind == BODY_LENGTH)
		text_format(t, " length=%llu", (unsigned long long)body.length);
}

/* One line that holds everything that was understood. */
static void summarize(struct text *t, enum parse_result result)
{
	static const char *const flags[] = { "", " expect", " te" };

	if (result == PARSE_PARTIAL) {
		text_add_string(t, "partial");
		return;
	}
	if (result == PARSE_BAD) {
		assert_non_null(request.why);
		text_add_decimal(t, (uint64_t)request.status);
		return;
	}
	assert_int_equal(result, PARSE_DONE);
	assert_true(request.status == 0 && request.why == NULL);
	assert_true(request.max_forwards >= -1);
	text_format(t, "%d:%.*s %.*s 1.%d host=%.*s", (int)request.method,
		SLICE_ARGS(request.method_name), SLICE_ARGS(request.target), request.minor,
		SLICE_ARGS(request.host));
	add_body(t, request.body);
	text_add_string(t, request.keep_alive ? " keep" : " close");
	text_add_string(t, flags[request.expect_continue ? 1 : 0]);
	text_add_string(t, flags[request.te_trailers ? 2 : 0]);
	if (request.upgrade)
		text_add_string(t, " upgrade");
	if (request.max_forwards >= 0)
		text_format(t, " max=%lld", (long long)request.max_forwards);
	text_format(t, " n=%u", request.fields.count);
}

static const char *parse(const char *data, size_t len, size_t seen)
{
	static char room[16384];
	struct text t = text_over(room, sizeof room);
	enum parse_result result;

	memset(&request, 0xa5, sizeof request);
	result = request_parse(&request, guard_place(data, len), len, seen, &limits);
	if (result == PARSE_DONE)
		assert_true(request.head_len <= len);
	summarize(&t, result);
	assert_false(t.overflow);
	return text_string(&t);
}

static void check_in_pieces(const char *data, size_t len, const char *wanted)
{
	size_t step = len > 2000 ? 97 : 1;
	bool ended = false;

	for (size_t part = 0; part <= len; part += step) {
		if (strcmp(parse(data, part, 0), "partial") != 0)
			assert_string_equal(parse(data, part, 0), wanted);
		else
			assert_string_equal(parse(data, len, part), wanted);
	}
	for (size_t part = 1; part <= len && !ended; part++) {
		const char *got = parse(data, part, part - 1);

		if (strcmp(got, "partial") != 0) {
			assert_string_equal(got, wanted);
			ended = true;
		}
	}
	assert_int_equal(ended, strcmp(wanted, "partial") != 0);
}

static void check(const char *data, size_t len, const char *wanted)
{
	const char *got = parse(data, len, 0);

	if (strcmp(got, wanted) != 0)
		print_error("input: %.200s\n", data);
	assert_string_equal(got, wanted);
	check_in_pieces(data, len, wanted);
}

struct request_case {
	const char *input;
	const char *wanted;
};

static void check_all(const struct request_case *cases, size_t count)
{
	for (size_t i = 0; i < count; i++)
		check(cases[i].input, strlen(cases[i].input), cases[i].wanted);
}

/* RFC 9112 3 */
static void test_request_line(void **state)
{
	static const struct request_case cases[] = {
		{ "GET / HTTP/1.1\r\n" HOST "\r\n", "1:GET / 1.1 host=h keep n=1" },
		{ "\r\nGET / HTTP/1.1\r\n" HOST "\r\n", "1:GET / 1.1 host=h keep n=1" },
		{ "HEAD /a HTTP/1.1\r\n" HOST "\r\n", "2:HEAD /a 1.1 host=h keep n=1" },
		{ "POST /a HTTP/1.1\r\n" HOST "\r\n", "3:POST /a 1.1 host=h keep n=1" },
		{ "PUT /a HTTP/1.1\r\n" HOST "\r\n", "4:PUT /a 1.1 host=h keep n=1" },
		{ "DELETE /a HTTP/1.1\r\n" HOST "\r\n", "5:DELETE /a 1.1 host=h keep n=1" },
		{ "OPTIONS /a HTTP/1.1\r\n" HOST "\r\n", "7:OPTIONS /a 1.1 host=h keep n=1" },
		{ "TRACE /a HTTP/1.1\r\n" HOST "\r\n", "8:TRACE /a 1.1 host=h keep n=1" },
		{ "PATCH /a HTTP/1.1\r\n" HOST "\r\n", "9:PATCH /a 1.1 host=h keep n=1" },
		{ "get /a HTTP/1.1\r\n" HOST "\r\n", "0:get /a 1.1 host=h keep n=1" },
		{ "M-SEARCH /a HTTP/1.1\r\n" HOST "\r\n", "0:M-SEARCH /a 1.1 host=h keep n=1" },
		{ "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345 /a HTTP/1.1\r\n" HOST "\r\n",
			"0:ABCDEFGHIJKLMNOPQRSTUVWXYZ012345 /a 1.1 host=h keep n=1" },
		{ "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456 /a HTTP/1.1\r\n" HOST "\r\n", "501" },
		{ "CONNECT h:80 HTTP/1.1\r\n" HOST "\r\n", "501" },
		{ "CONNECT /h HTTP/1.1\r\n" HOST "\r\n", "501" },
		/* the target's octets go on as they are */
		{ "GET /%00%2f%5C..//a?b=\"<>\\^`{|}&c=? HTTP/1.1\r\n" HOST "\r\n",
			"1:GET /%00%2f%5C..//a?b=\"<>\\^`{|}&c=? 1.1 host=h keep n=1" },
		/* versions */
		{ "GET / HTTP/1.0" END, "1:GET / 1.0 host= close n=0" },
		{ "GET / HTTP/1.2\r\n" HOST "\r\n", "1:GET / 1.1 host=h keep n=1" },
		{ "GET / HTTP/1.9\r\n" HOST "\r\n", "1:GET / 1.1 host=h keep n=1" },
		{ "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "505" },
		{ "GET / HTTP/2.0\r\n" HOST "\r\n", "505" },
		{ "GET / HTTP/3.0\r\n" HOST "\r\n", "505" },
		{ "GET / HTTP/0.9\r\n" HOST "\r\n", "505" },
		{ "GET / HTTP/2\r\n" HOST "\r\n", "400" },
		{ "GET / HTTP/1\r\n" HOST "\r\n", "400" },
		{ "GET / HTTP/1.\r\n" HOST "\r\n", "400" },
		{ "GET / HTTP/1.10\r\n" HOST "\r\n", "400" },
		{ "GET / HTTP/11.1\r\n" HOST "\r\n", "400" },
		{ "GET / HTTP/1,1\r\n" HOST "\r\n", "400" },
		{ "GET / HTTP/1.x\r\n" HOST "\r\n", "400" },
		{ "GET / HTTP/x.1\r\n" HOST "\r\n", "400" },
		{ "GET / http/1.1\r\n" HOST "\r\n", "400" },
		{ "GET / HTTPS/1.1\r\n" HOST "\r\n", "400" },
		{ "GET / HTTP /1.1\r\n" HOST "\r\n", "400" },
		{ "GET / \r\n" HOST "\r\n", "400" },
		{ "GET /\r\n" HOST "\r\n", "400" },
		{ "GET /\r\n", "400" },
		{ "GET\r\n", "400" },
		{ "GET \r\n", "400" },
		{ "GET  HTTP/1.1\r\n" HOST "\r\n", "400" },
		/* blanks */
		{ " GET / HTTP/1.1\r\n" HOST "\r\n", "400" },
		{ "GET  / HTTP/1.1\r\n" HOST "\r\n", "400" },
		{ "GET\t/ HTTP/1.1\r\n" HOST "\r\n", "400" },
		{ "GET /\tHTTP/1.1\r\n" HOST "\r\n", "400" },
		{ "GET /  HTTP/1.1\r\n" HOST "\r\n", "400" },
		{ "GET / HTTP/1.1 \r\n" HOST "\r\n", "400" },
		{ "GET /a b HTTP/1.1\r\n" HOST "\r\n", "400" },
		{ "GET / HTTP/1.1 HTTP/1.1\r\n" HOST "\r\n", "400" },
		/* line ends: RFC 9112 2.2 */
		{ "\r\n\r\nGET / HTTP/1.1\r\n" HOST "\r\n", "400" },
		{ "\nGET / HTTP/1.1\r\n" HOST "\r\n", "400" },
		{ "\rGET / HTTP/1.1\r\n" HOST "\r\n", "400" },
		{ "\r\rGET / HTTP/1.1\r\n" HOST "\r\n", "400" },
		{ "\r\n\nGET / HTTP/1.1\r\n" HOST "\r\n", "400" },
		{ "GET / HTTP/1.1\n" HOST "\r\n", "400" },
		{ "GET / HTTP/1.1\r" HOST "\r\n", "400" },
		{ "GET / HTTP/1.1\r\r\n" HOST "\r\n", "400" },
		{ "GET /\r HTTP/1.1\r\n" HOST "\r\n", "400" },
		{ "GET /\n HTTP/1.1\r\n" HOST "\r\n", "400" },
		{ "G\rET / HTTP/1.1\r\n" HOST "\r\n", "400" },
		/* octets */
		{ "G{T / HTTP/1.1\r\n" HOST "\r\n", "400" },
		{ "G\x80T / HTTP/1.1\r\n" HOST "\r\n", "400" },
		{ "GET /# HTTP/1.1\r\n" HOST "\r\n", "400" },
		{ "GET /abcdefghi#jkl HTTP/1.1\r\n" HOST "\r\n", "400" },
		{ "GET /\x7f HTTP/1.1\r\n" HOST "\r\n", "400" },
		{ "GET /\x01 HTTP/1.1\r\n" HOST "\r\n", "400" },
		{ "GET /\xc3\xa4 HTTP/1.1\r\n" HOST "\r\n", "400" },
		{ "GET /abcdefgh\xff HTTP/1.1\r\n" HOST "\r\n", "400" },
		{ "\x16\x03\x01\x02", "400" },
		{ "GET / HTTP/2.0\x01\r\n", "400" },
		/* not yet */
		{ "", "partial" },
		{ "\r", "partial" },
		{ "\r\n", "partial" },
		{ "G", "partial" },
		{ "GET / HTTP/1.1\r\n", "partial" },
		{ "GET / HTTP/1.1\r\n" HOST "\r", "partial" },
		/* surplus is not looked at */
		{ "GET / HTTP/1.1\r\n" HOST "\r\n\n\r\x01", "1:GET / 1.1 host=h keep n=1" },
	};

	(void)state;
	check_all(cases, sizeof cases / sizeof cases[0]);
	check("GET /\0 HTTP/1.1\r\n" HOST "\r\n", 28, "400");
	check("G\0T / HTTP/1.1\r\n" HOST "\r\n", 27, "400");
	check("\0", 1, "400");
	check("GET / HTTP/1.1\0\r\n" HOST "\r\n", 28, "400");
	check("GET / HTTP/1.1\r\nHost: \0h\r\n\r\n", 28, "400");
}

/* RFC 9112 3.2 */
static void test_target_forms(void **state)
{
	static const struct request_case cases[] = {
		{ "OPTIONS * HTTP/1.1\r\n" HOST "\r\n", "7:OPTIONS * 1.1 host=h keep n=1" },
		{ "GET * HTTP/1.1\r\n" HOST "\r\n", "400" },
		{ "OPTIONS ** HTTP/1.1\r\n" HOST "\r\n", "400" },
		{ "OPTIONS *?a HTTP/1.1\r\n" HOST "\r\n", "400" },
		{ "GET h:80 HTTP/1.1\r\n" HOST "\r\n", "400" },
		{ "GET a/b HTTP/1.1\r\n" HOST "\r\n", "400" },
		{ "GET ?a HTTP/1.1\r\n" HOST "\r\n", "400" },
		{ "GET //a HTTP/1.1\r\n" HOST "\r\n", "1:GET //a 1.1 host=h keep n=1" },
		{ "GET http://a/b?c HTTP/1.1\r\n" HOST "\r\n", "1:GET /b?c 1.1 host=a keep n=1" },
		{ "GET HTTP://a:81/b HTTP/1.1\r\n" HOST "\r\n", "1:GET /b 1.1 host=a:81 keep n=1" },
		{ "GET https://a HTTP/1.1\r\n" HOST "\r\n", "1:GET / 1.1 host=a keep n=1" },
		{ "GET https:// HTTP/1.1\r\n" HOST "\r\n", "400" },
		{ "GET http://? HTTP/1.1\r\n" HOST "\r\n", "400" },
		{ "GET https://a/b HTTP/1.1\r\n" HOST "\r\n", "1:GET /b 1.1 host=a keep n=1" },
		{ "GET http://a HTTP/1.1\r\n" HOST "\r\n", "1:GET / 1.1 host=a keep n=1" },
		{ "OPTIONS http://a HTTP/1.1\r\n" HOST "\r\n", "7:OPTIONS * 1.1 host=a keep n=1" },
		{ "OPTIONS http://a/ HTTP/1.1\r\n" HOST "\r\n", "7:OPTIONS / 1.1 host=a keep n=1" },
		{ "GET http://a?b/c HTTP/1.1\r\n" HOST "\r\n", "1:GET ?b/c 1.1 host=a keep n=1" },
		{ "GET http://[::1]:8/ HTTP/1.1\r\n" HOST "\r\n",
			"1:GET / 1.1 host=[::1]:8 keep n=1" },
		{ "GET http://a/ HTTP/1.0" END, "1:GET / 1.0 host=a close n=0" },
		{ "GET http://a/ HTTP/1.1\r\nHost:\r\n\r\n", "1:GET / 1.1 host=a keep n=1" },
		{ "GET http://a/ HTTP/1.1" END, "400" },
		{ "GET http://a/ HTTP/1.1\r\nHost: b@c\r\n\r\n", "400" },
		{ "GET http:/// HTTP/1.1\r\n" HOST "\r\n", "400" },
		{ "GET http:// HTTP/1.1\r\n" HOST "\r\n", "400" },
		{ "GET http:/a HTTP/1.1\r\n" HOST "\r\n", "400" },
		{ "GET http://u@a/ HTTP/1.1\r\n" HOST "\r\n", "400" },
		{ "GET http://u:p@a/ HTTP/1.1\r\n" HOST "\r\n", "400" },
		{ "GET http://a:b/ HTTP/1.1\r\n" HOST "\r\n", "400" },
		{ "GET http://a\\b/ HTTP/1.1\r\n" HOST "\r\n", "400" },
		{ "GET ftp://a/ HTTP/1.1\r\n" HOST "\r\n", "400" },
		{ "GET http//a/ HTTP/1.1\r\n" HOST "\r\n", "400" },
	};

	(void)state;
	check_all(cases, sizeof cases / sizeof cases[0]);
}

/* What the log says of it. */
static void test_what_is_wrong_is_named(void **state)
{
	static const struct request_case cases[] = {
		{ "GET http:// HTTP/1.1\r\n", "request target is neither a path nor an http URL" },
		{ "GET https:// HTTP/1.1\r\n", "request target is neither a path nor an http URL" },
		{ "GET httpx://a HTTP/1.1\r\n",
			"request target is neither a path nor an http URL" },
		{ "GET http:///a HTTP/1.1\r\n", "bad host in the request target" },
		{ "GET https://@ HTTP/1.1\r\n", "bad host in the request target" },
		{ "GET * HTTP/1.1\r\n", "target * of another method than OPTIONS" },
		{ "CONNECT a HTTP/1.1\r\n", "CONNECT is not offered" },
		{ "GET / HTTP/2.0\r\n", "not HTTP/1" },
		{ "GET / HTTP/1.1x", "bad end of the request line" },
		{ "GET", NULL },
		{ "G(T /", "bad method" },
		{ "GET /\x7f", "bad request target" },
		{ "GET / HTTP/1.1\r\n\r\n", "no Host" },
		{ "GET / HTTP/1.1\r\nHost:\r\n\r\n", "empty Host" },
		{ "GET / HTTP/1.1\r\nHost: @\r\n\r\n", "bad Host" },
		{ "GET / HTTP/1.1\r\n" HOST HOST "\r\n", "several Host fields" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		(void)parse(cases[i].input, strlen(cases[i].input), 0);
		if (cases[i].wanted != NULL)
			assert_string_equal(request.why, cases[i].wanted);
		else
			assert_null(request.why);
	}
}

/* RFC 9112 3.2, RFC 9110 7.2, RFC 3986 3.2 */
static void test_host(void **state)
{
	static const struct request_case cases[] = {
		{ "a.example", "a.example" },
		{ "a_b-c~d", "a_b-c~d" },
		{ "127.0.0.1:8080", "127.0.0.1:8080" },
		{ "a:", "a:" },
		{ "a:0", "a:0" },
		{ "a:65535", "a:65535" },
		{ "[::1]", "[::1]" },
		{ "[2001:DB8::1]:80", "[2001:DB8::1]:80" },
		{ "[::ffff:127.0.0.1]", "[::ffff:127.0.0.1]" },
		{ "a%7e", "a%7e" },
		{ "%69%90%aF%Fa%A0%6a%f9:1", "%69%90%aF%Fa%A0%6a%f9:1" },
		{ "a.", "a." },
		{ "a%2e", "a%2e" },
		{ "a%2Eb.c.:80", "a%2Eb.c.:80" },
		{ "..", NULL },
		{ ".", NULL },
		{ ".a", NULL },
		{ "%2ea", NULL },
		{ "a..", NULL },
		{ "a..:80", NULL },
		{ "a..b", NULL },
		{ "a.%2E", NULL },
		{ "a%2e%2e", NULL },
		{ "a%2e.b", NULL },
		{ "a%20", NULL },
		{ "a%20b", NULL },
		{ "%20", NULL },
		{ "a%09", NULL },
		{ "a%00", NULL },
		{ "a%00.b", NULL },
		{ "a%0d%0a", NULL },
		{ "a%7f", NULL },
		{ "a%25", NULL },
		{ "a%2fb", NULL },
		{ "a%5Cb", NULL },
		{ "a%3a80", NULL },
		{ "u%40a", NULL },
		{ "a%2cb", NULL },
		{ "a%3fb", NULL },
		{ "a%23b", NULL },
		{ "%5b::1]", NULL },
		{ "a:%38%30", NULL },
		{ "a!$&'()*+;=b", "a!$&'()*+;=b" },
		{ " \t a \t", "a" },
		{ "", NULL },
		{ ":80", NULL },
		{ "a:65536", NULL },
		{ "a:99999999999999999999", NULL },
		{ "a:-1", NULL },
		{ "a:+1", NULL },
		{ "a:8 0", NULL },
		{ "a:80:80", NULL },
		{ "a:b", NULL },
		{ "::1", NULL },
		{ "a,b", NULL },
		{ "a, b", NULL },
		{ "a b", NULL },
		{ "a\tb", NULL },
		{ "u@a", NULL },
		{ "u:p@a", NULL },
		{ "a/b", NULL },
		{ "a?b", NULL },
		{ "a#b", NULL },
		{ "http://a", NULL },
		{ "a%", NULL },
		{ "a%2", NULL },
		{ "a%2g", NULL },
		{ "a%g2", NULL },
		{ "a%2G", NULL },
		{ "a%/0", NULL },
		{ "a%0/", NULL },
		{ "a%:0", NULL },
		{ "a%0:", NULL },
		{ "a%@0", NULL },
		{ "a%0@", NULL },
		{ "a%`0", NULL },
		{ "a%0`", NULL },
		{ "a%\x10\x11", NULL },
		{ "%2", NULL },
		{ "a%41%", NULL },
		{ "a%%41", NULL },
		{ "a\"b", NULL },
		{ "a<b>", NULL },
		{ "a\\b", NULL },
		{ "a[::1]", NULL },
		{ "[::1", NULL },
		{ "[::1]a", NULL },
		{ "[]", NULL },
		{ "[", NULL },
		{ "[::1%25lo]", NULL },
		{ "[::1::2]", NULL },
		{ "[127.0.0.1]", NULL },
		{ "[v1.a]", NULL },
		{ "[1111:2222:3333:4444:5555:6666:7777:8888:9999:0000:1111]", NULL },
		{ "[1111:2222:3333:4444:5555:6666:7777:8888:9999:0]", NULL },
		{ "[1111:2222:3333:4444:5555:6666:7777:8888:9999:]", NULL },
		{ "[1111:2222:3333:4444:5555:6666:100.100.100.100]",
			"[1111:2222:3333:4444:5555:6666:100.100.100.100]" },
		{ "\xc3\xa4", NULL },
	};
	char input[256], wanted[256];

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		snprintf(input, sizeof input, "GET / HTTP/1.1\r\nHost:%s\r\n\r\n", cases[i].input);
		snprintf(wanted, sizeof wanted, "1:GET / 1.1 host=%s keep n=1", cases[i].wanted);
		check(input, strlen(input), cases[i].wanted != NULL ? wanted : "400");
		snprintf(input, sizeof input, "GET / HTTP/1.0\r\nHost:%s\r\n\r\n", cases[i].input);
		snprintf(wanted, sizeof wanted, "1:GET / 1.0 host=%s close n=1",
			cases[i].wanted != NULL ? cases[i].wanted : "");
		check(input, strlen(input),
			cases[i].wanted != NULL || cases[i].input[0] == '\0' ? wanted : "400");
	}
}

static void test_host_count(void **state)
{
	static const struct request_case cases[] = {
		{ "GET / HTTP/1.1" END, "400" },
		{ "GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n", "400" },
		{ "GET / HTTP/1.1\r\nHost: a\r\nX: y\r\nhOST: b\r\n\r\n", "400" },
		{ "GET / HTTP/1.0\r\nHost: a\r\nHost: a\r\n\r\n", "400" },
		{ "GET http://a/ HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n", "400" },
		{ "GET / HTTP/1.1\r\nHost : a\r\n\r\n", "400" },
		{ "GET / HTTP/1.1\r\n Host: a\r\n\r\n", "400" },
		{ "GET / HTTP/1.1\r\nHost: a\r\n b\r\n\r\n", "400" },
	};
	char input[512], long_host[300];

	(void)state;
	check_all(cases, sizeof cases / sizeof cases[0]);
	memset(long_host, 'a', sizeof long_host);
	snprintf(input, sizeof input, "GET / HTTP/1.1\r\nHost: %.255s:80\r\n\r\n", long_host);
	assert_string_not_equal(parse(input, strlen(input), 0), "400");
	snprintf(input, sizeof input, "GET / HTTP/1.1\r\nHost: %.262s\r\n\r\n", long_host);
	check(input, strlen(input), "400");
}

#define POST         "POST / HTTP/1.1\r\n" HOST
#define POSTED(rest) "3:POST / 1.1 host=h" rest

/* RFC 9112 6 */
static void test_framing(void **state)
{
	static const struct request_case cases[] = {
		{ POST "Content-Length: 0\r\n\r\n", POSTED(" length=0 keep n=2") },
		{ POST "Content-Length:\t5 \r\n\r\n", POSTED(" length=5 keep n=2") },
		{ POST "content-LENGTH: 007\r\n\r\n", POSTED(" length=7 keep n=2") },
		{ POST "Content-Length: 9223372036854775807\r\n\r\n",
			POSTED(" length=9223372036854775807 keep n=2") },
		{ POST "Content-Length: 9223372036854775808\r\n\r\n", "400" },
		{ POST "Content-Length: 18446744073709551617\r\n\r\n", "400" },
		{ POST "Content-Length:\r\n\r\n", "400" },
		{ POST "Content-Length: +5\r\n\r\n", "400" },
		{ POST "Content-Length: -5\r\n\r\n", "400" },
		{ POST "Content-Length: 5 5\r\n\r\n", "400" },
		{ POST "Content-Length: 5,\r\n\r\n", "400" },
		{ POST "Content-Length: 5, 5\r\n\r\n", "400" },
		{ POST "Content-Length: 0x5\r\n\r\n", "400" },
		{ POST "Content-Length: 5.0\r\n\r\n", "400" },
		{ POST "Content-Length: 5e1\r\n\r\n", "400" },
		{ POST "Content-Length: 5;a=b\r\n\r\n", "400" },
		{ POST "Content-Length: \"5\"\r\n\r\n", "400" },
		{ POST "Content-Length: \xef\xbc\x95\r\n\r\n", "400" },
		{ POST "Content-Length: 5\x0b\r\n\r\n", "400" },
		{ POST "Content-Length : 5\r\n\r\n", "400" },
		{ POST "Content-Length: 5\r\n 6\r\n\r\n", "400" },
		{ POST "Content-Length: 5\r\nContent-Length: 5\r\n\r\n", "400" },
		{ POST "Content-Length: 5\r\nContent-Length: 6\r\n\r\n", "400" },
		{ POST "Content-Length: 5\r\nContent-Length:\r\n\r\n", "400" },
		{ POST "Content_Length: 5\r\n\r\n", POSTED(" keep n=2") },
		{ POST "Transfer-Encoding: chunked\r\n\r\n", POSTED(" chunked keep n=2") },
		{ POST "transfer-encoding:CHUNKED \r\n\r\n", POSTED(" chunked keep n=2") },
		{ POST "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n", "400" },
		{ POST "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n", "400" },
		{ POST "Content-Length: 5\r\nTransfer-Encoding: gzip\r\n\r\n", "400" },
		{ POST "Transfer-Encoding: gzip\r\n\r\n", "501" },
		{ POST "Transfer-Encoding: identity\r\n\r\n", "501" },
		{ POST "Transfer-Encoding: xchunked\r\n\r\n", "501" },
		{ POST "Transfer-Encoding: gzip, chunked\r\n\r\n", "501" },
		{ POST "Transfer-Encoding: gzip;a=b ; c=d , chunked\r\n\r\n", "501" },
		{ POST "Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n\r\n", "501" },
		{ POST "Transfer-Encoding: chunked, gzip\r\n\r\n", "400" },
		{ POST "Transfer-Encoding: chunked, chunked\r\n\r\n", "400" },
		{ POST "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n", "400" },
		{ POST "Transfer-Encoding: chunked\r\nTransfer-Encoding: gzip\r\n\r\n", "400" },
		{ POST "Transfer-Encoding: chunked\r\nTransfer-Encoding:\r\n\r\n", "400" },
		{ POST "Transfer-Encoding: chunked;a=b\r\n\r\n", "400" },
		{ POST "Transfer-Encoding: chunked;\r\n\r\n", "400" },
		{ POST "Transfer-Encoding: chunked,\r\n\r\n", "400" },
		{ POST "Transfer-Encoding: ,chunked\r\n\r\n", "400" },
		{ POST "Transfer-Encoding:\r\n\r\n", "400" },
		{ POST "Transfer-Encoding: \"chunked\"\r\n\r\n", "400" },
		{ POST "Transfer-Encoding: chun ked\r\n\r\n", "400" },
		{ POST "Transfer-Encoding: gzip chunked\r\n\r\n", "400" },
		{ POST "Transfer-Encoding: gzip;a\r\n\r\n", "400" },
		{ POST "Transfer-Encoding: gzip;=b\r\n\r\n", "400" },
		{ POST "Transfer-Encoding: gzip;a=\r\n\r\n", "400" },
		{ POST "Transfer-Encoding: gzip;a=\"b\"\r\n\r\n", "400" },
		{ POST "Transfer-Encoding: gzip;a=(\r\n\r\n", "400" },
		{ POST "Transfer-Encoding: gzip;a=b=\r\n\r\n", "400" },
		{ POST "Transfer-Encoding: \x0b"
		       "chunked\r\n\r\n",
			"400" },
		{ POST "Transfer-Encoding: chunked\x80\r\n\r\n", "400" },
		{ POST "Transfer-Encoding : chunked\r\n\r\n", "400" },
		{ POST "Transfer-Encoding\r\n : chunked\r\n\r\n", "400" },
		{ POST "Transfer-Encoding:\r\n chunked\r\n\r\n", "400" },
		{ POST "Transfer_Encoding: chunked\r\n\r\n", POSTED(" keep n=2") },
		/* framing does not depend on the method: RFC 9110 9.3 */
		{ "GET / HTTP/1.1\r\n" HOST "Content-Length: 5\r\n\r\n",
			"1:GET / 1.1 host=h length=5 keep n=2" },
		{ "TRACE / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n",
			"8:TRACE / 1.1 host=h chunked keep n=2" },
		/* HTTP/1.0 */
		{ "POST / HTTP/1.0\r\nContent-Length: 5\r\n\r\n",
			"3:POST / 1.0 host= length=5 close n=1" },
		{ "POST / HTTP/1.0" END, "3:POST / 1.0 host= close n=0" },
		{ "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", "400" },
		{ "POST / HTTP/1.0\r\nTransfer-Encoding: gzip\r\n\r\n", "400" },
		{ "GET / HTTP/1.0\r\nContent-Length: 5\r\n\r\n", "413" },
		{ "GET / HTTP/1.0\r\nContent-Length: 1\r\n\r\n", "413" },
		{ "HEAD / HTTP/1.0\r\nContent-Length: 5\r\n\r\n", "413" },
		{ "DELETE / HTTP/1.0\r\nContent-Length: 5\r\n\r\n", "413" },
		{ "GET / HTTP/1.0\r\nContent-Length: 0\r\n\r\n",
			"1:GET / 1.0 host= length=0 close n=1" },
	};

	(void)state;
	check_all(cases, sizeof cases / sizeof cases[0]);
	check(POST "Transfer-Encoding: chunked\0\r\n\r\n", sizeof POST + 29, "400");
	check(POST "Content-Length: 5\0\r\n\r\n", sizeof POST + 20, "400");
}

#define GET       "GET / HTTP/1.1\r\n" HOST
#define GOT(rest) "1:GET / 1.1 host=h" rest

/* RFC 9112 9.3, RFC 9110 7.6.1, 7.8, 10.1.1, 10.1.4, 7.6.2 */
static void test_connection(void **state)
{
	static const struct request_case cases[] = {
		{ GET "Connection: close\r\n\r\n", GOT(" close n=2") },
		{ GET "Connection: Keep-Alive\r\n\r\n", GOT(" keep n=2") },
		{ GET "Connection: keep-alive, CLOSE\r\n\r\n", GOT(" close n=2") },
		{ GET "Connection: a\r\nConnection:,close\r\n\r\n", GOT(" close n=3") },
		{ GET "Connection: closed\r\n\r\n", GOT(" keep n=2") },
		{ GET "Connection:\r\n\r\n", GOT(" keep n=2") },
		{ GET "Connection: a b\r\n\r\n", "400" },
		{ GET "Connection: close;a\r\n\r\n", "400" },
		{ GET "Proxy-Connection: close\r\n\r\n", GOT(" keep n=2") },
		{ "GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
			"1:GET / 1.0 host= keep n=1" },
		{ "GET / HTTP/1.0\r\nConnection: keep-alive, close\r\n\r\n",
			"1:GET / 1.0 host= close n=1" },
		/* upgrade */
		{ GET "Connection: Upgrade\r\nUpgrade: WebSocket\r\n\r\n",
			GOT(" keep upgrade n=3") },
		{ GET "Connection: keep-alive, upgrade\r\nUpgrade: websocket\r\n\r\n",
			GOT(" keep upgrade n=3") },
		{ GET "Connection: Upgrade\r\nUpgrade: websocket\r\nContent-Length: 0\r\n\r\n",
			GOT(" length=0 keep upgrade n=4") },
		{ GET "Upgrade: websocket\r\n\r\n", GOT(" keep n=2") },
		{ GET "Connection: Upgrade\r\n\r\n", GOT(" keep n=2") },
		{ GET "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n\r\n",
			GOT(" keep n=3") },
		{ GET "Connection: Upgrade\r\nUpgrade: HTTP/2.0, TLS/1.2\r\n\r\n",
			GOT(" keep n=3") },
		{ GET "Connection: Upgrade\r\nUpgrade: a b\r\n\r\n", GOT(" keep n=3") },
		{ GET "Connection: Upgrade\r\nUpgrade: websocket\r\nUpgrade: a b\r\n\r\n",
			GOT(" keep n=4") },
		{ GET "Connection: Upgrade\r\nUpgrade: websocket, h2c\r\n\r\n",
			GOT(" keep upgrade n=3") },
		{ GET "Connection: Upgrade\r\nUpgrade: h2c\r\nUpgrade: websocket\r\n\r\n",
			GOT(" keep upgrade n=4") },
		{ GET "Connection: Upgrade\r\nUpgrade: tcp\r\nContent-Length: 1\r\n\r\n",
			GOT(" length=1 keep upgrade n=4") },
		{ POST "Connection: Upgrade\r\nUpgrade: SPDY/3.1\r\n\r\n",
			POSTED(" keep upgrade n=3") },
		{ "GET / HTTP/1.0\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n",
			"1:GET / 1.0 host= close n=2" },
		/* expectations */
		{ POST "Expect: 100-continue\r\nContent-Length: 5\r\n\r\n",
			POSTED(" length=5 keep expect n=3") },
		{ POST "Expect: 100-Continue\r\nTransfer-Encoding: chunked\r\n\r\n",
			POSTED(" chunked keep expect n=3") },
		{ POST "Expect: 100-continue\r\nContent-Length: 0\r\n\r\n",
			POSTED(" length=0 keep n=3") },
		{ POST "Expect: 100-continue\r\nContent-Length: 1\r\n\r\n",
			POSTED(" length=1 keep expect n=3") },
		{ GET "Expect: 100-continue\r\n\r\n", GOT(" keep n=2") },
		{ GET "Expect: 200-ok\r\n\r\n", "417" },
		{ GET "Expect: 100-continue;q=1\r\n\r\n", "417" },
		/* a list, and so it may have empty elements and several fields */
		{ POST "Expect:\r\nContent-Length: 5\r\n\r\n", POSTED(" length=5 keep n=3") },
		{ POST "Expect: ,\r\nContent-Length: 5\r\n\r\n", POSTED(" length=5 keep n=3") },
		{ POST "Expect: 100-continue,\r\nContent-Length: 5\r\n\r\n",
			POSTED(" length=5 keep expect n=3") },
		{ POST "Expect: ,\t100-Continue , 100-continue\r\nContent-Length: 5\r\n\r\n",
			POSTED(" length=5 keep expect n=3") },
		{ POST "Expect: \r\nContent-Length: 5\r\nexpect:,100-continue\r\n\r\n",
			POSTED(" length=5 keep expect n=4") },
		{ POST "Expect: 100-continue, x\r\nContent-Length: 5\r\n\r\n", "417" },
		{ POST "Expect: 100-continue\r\nContent-Length: 5\r\nExpect: x\r\n\r\n", "417" },
		{ POST "Expect: a=\"b,100-continue\"\r\nContent-Length: 5\r\n\r\n", "417" },
		{ "POST / HTTP/1.0\r\nExpect: 200-ok\r\nContent-Length: 5\r\n\r\n",
			"3:POST / 1.0 host= length=5 close n=2" },
		{ "POST / HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n",
			"3:POST / 1.0 host= length=5 close n=2" },
		/* TE */
		{ GET "TE: trailers\r\n\r\n", GOT(" keep te n=2") },
		{ GET "TE: deflate;q=0.5\r\nte:, Trailers\r\n\r\n", GOT(" keep te n=3") },
		{ GET "TE: deflate\r\n\r\n", GOT(" keep n=2") },
		{ GET "TE: deflate\r\nA: b\r\nTE: ,trailers,\r\n\r\n", GOT(" keep te n=4") },
		{ "GET / HTTP/1.0\r\nTE: trailers\r\n\r\n", "1:GET / 1.0 host= close n=1" },
		{ GET "TE: trailers;q=1\r\n\r\n", GOT(" keep n=2") },
		/* Max-Forwards */
		{ "TRACE / HTTP/1.1\r\n" HOST "Max-Forwards: 0\r\n\r\n",
			"8:TRACE / 1.1 host=h keep max=0 n=2" },
		{ "OPTIONS / HTTP/1.1\r\n" HOST "Max-Forwards: 10\r\n\r\n",
			"7:OPTIONS / 1.1 host=h keep max=10 n=2" },
		{ "OPTIONS / HTTP/1.1\r\n" HOST "Max-Forwards: -1\r\n\r\n", "400" },
		{ "OPTIONS / HTTP/1.1\r\n" HOST "Max-Forwards: 1\r\nMax-Forwards: 1\r\n\r\n",
			"400" },
		{ GET "Max-Forwards: x\r\n\r\n", GOT(" keep n=2") },
	};
	char many[512];
	struct text t = text_over(many, sizeof many);

	(void)state;
	check_all(cases, sizeof cases / sizeof cases[0]);
	text_add_string(&t, GET "Connection: a");
	for (int i = 0; i < 64; i++)
		text_add_string(&t, ",b");
	text_add_string(&t, END);
	check(many, t.len, "400");
	assert_string_equal(request.why, "too many Connection options");
	check(many + 0, t.len - 6, "partial");
	/* one less is not too many */
	t.len -= 6;
	text_add_string(&t, END);
	check(many, t.len, GOT(" keep n=2"));
}

/* RFC 9112 6.3: what no field says is said; and 0 is all that a good section gives. */
static void test_nothing_is_framed_by_nothing(void **state)
{
	struct body body = { BODY_CHUNKED, 5 };
	struct connection_options options = { true, true, true, true };
	const char *why = NULL;

	(void)state;
	assert_string_equal(parse(GET "\r\n", sizeof GET + 1, 0), GOT(" keep n=1"));
	assert_int_equal(framing_read(&request.fields, &body, &why), 0);
	assert_true(body.kind == BODY_NONE && body.length == 0);
	assert_int_equal(framing_read_connection(&options, &request.fields), 0);
	assert_false(options.close || options.keep_alive || options.upgrade || options.malformed);
	assert_string_equal(
		parse(GET "Connection: a\r\n\r\n", sizeof GET + 16, 0), GOT(" keep n=2"));
	assert_int_equal(framing_read_connection(&options, &request.fields), 0);
}

/* One octet of the pattern, `count` times, between two strings. */
static size_t fill(
	char *out, size_t room, const char *before, char c, size_t count, const char *after)
{
	struct text t = text_over(out, room);

	text_add_string(&t, before);
	for (size_t i = 0; i < count; i++)
		text_add_char(&t, c);
	text_add_string(&t, after);
	assert_false(t.overflow);
	return t.len;
}

static void test_limits(void **state)
{
	static char input[40000];
	static const char line[] = "GET /";
	size_t len;

	(void)state;
	len = fill(input, sizeof input, line, 'a', 7999, " HTTP/1.1\r\n" HOST "\r\n");
	assert_int_equal(parse(input, len, 0)[0], '1');
	assert_int_equal(request.target.len, 8000);
	len = fill(input, sizeof input, line, 'a', 8000, " HTTP/1.1\r\n" HOST "\r\n");
	check(input, len, "414");
	/* all that a target can be, and not yet its end */
	len = fill(input, sizeof input, line, 'a', 7999, "");
	assert_string_equal(parse(input, len, 0), "partial");
	assert_string_equal(parse(input, len, len - 1), "partial");
	len = fill(input, sizeof input, line, 'a', 9000, "");
	check(input, len, "414");
	len = fill(input, sizeof input, "", 'A', 9000, "");
	check(input, len, "501");
	/* the head as a whole */
	len = fill(input, sizeof input, GET "A: ", 'a', limits.size - sizeof GET - 3 - 3, END);
	assert_int_equal(len, limits.size);
	check(input, len, GOT(" keep n=2"));
	len = fill(input, sizeof input, GET "A: ", 'a', limits.size - sizeof GET - 3 - 2, END);
	check(input, len, "431");
	len = fill(input, sizeof input, GET "A: ", 'a', 35000, "");
	check(input, len, "431");
	assert_string_equal(parse(input, limits.size, 0), "431");
	assert_string_equal(parse(input, limits.size - 1, 0), "partial");
}

/* RFC 9112 3, RFC 6585 5: a head that is too long is told by where it was when it became so. */
static void test_which_part_is_too_long(void **state)
{
	static const struct head_limits few = { 40, 10 };
	char input[64];
	size_t len = fill(input, sizeof input, "GET /", 'a', 50, "");

	(void)state;
	assert_int_equal(request_parse(&request, input, 39, 0, &few), PARSE_PARTIAL);
	assert_int_equal(request_parse(&request, input, 40, 0, &few), PARSE_BAD);
	assert_int_equal(request.status, 414);
	assert_int_equal(request_parse(&request, input, len, 0, &few), PARSE_BAD);
	assert_int_equal(request.status, 414);
	assert_string_equal(request.why, "request line is too long");
	assert_int_equal(request.line.len, 40);
	len = fill(input, sizeof input, "GET / HTTP/1.1\r\nA: ", 'a', 40, "");
	assert_int_equal(request_parse(&request, input, len, 0, &few), PARSE_BAD);
	assert_int_equal(request.status, 431);
	assert_string_equal(request.why, "head is too long");
}

static void test_field_count(void **state)
{
	char input[1024];
	struct text t = text_over(input, sizeof input);

	(void)state;
	text_add_string(&t, GET);
	for (int i = 0; i < 99; i++)
		text_add_string(&t, "A:\r\n");
	text_add_string(&t, "\r\n");
	check(input, t.len, GOT(" keep n=100"));
	t.len -= 2;
	text_add_string(&t, "A:\r\n\r\n");
	check(input, t.len, "431");
}

/* A head that cannot become right is refused when the line that is wrong has come. */
static void test_refused_early(void **state)
{
	static const char *const cases[] = { "\x16", "GET / HTTP/1.1\n", "GET / HTTP/2.0\r\n",
		GET " a\r\n", GET "A: b\n", GET "A: \x01", GET "Bad name: b\r\n",
		GET "A: b\r\n c\r\n", GET "A: b\rc", "\r\n\r\n", "\r\n\n", "\rx" };

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		size_t len = strlen(cases[i]);

		assert_string_not_equal(parse(cases[i], len, 0), "partial");
		assert_string_not_equal(parse(cases[i], len, len - 1), "partial");
	}
}

static enum parse_result parse_after(const char *before, const char *input)
{
	(void)!request_parse(&request, before, strlen(before), 0, &limits);
	return request_parse(&request, input, strlen(input), 0, &limits);
}

/* The struct is shared by many requests (field.h): nothing of the one before is seen. */
static void test_a_request_before_is_forgotten(void **state)
{
	(void)state;
	assert_int_equal(parse_after(GET "X: y\r\nTransfer-Encoding: chunked, gzip\r\n\r\n",
				 GET "Transfer-Encoding: gzip\r\n\r\n"),
		PARSE_BAD);
	assert_int_equal(request.status, 501);
	assert_int_equal(parse_after(GET "X: y\r\nTE: trailers\r\n\r\n", GET "TE: deflate\r\n\r\n"),
		PARSE_DONE);
	assert_false(request.te_trailers);
	assert_int_equal(
		parse_after(GET "X: y\r\nConnection: close\r\n\r\n", GET "Connection: a\r\n\r\n"),
		PARSE_DONE);
	assert_true(request.keep_alive);
}

/* The line for the log: also of what was refused, and of what has only begun. */
static void test_line(void **state)
{
	static const struct request_case cases[] = {
		{ "GET / HTTP/1.1\r\n" HOST "\r\n", "GET / HTTP/1.1" },
		{ "\r\nGET / HTTP/1.1\r\n" HOST "\r\n", "GET / HTTP/1.1" },
		{ "GET / HTTP/1.1\r\n" HOST, "GET / HTTP/1.1" },
		{ "GET / HT", "GET / HT" },
		{ "GET / HTTP/1.1\r", "GET / HTTP/1.1" },
		{ "\r\n", "" },
		{ "", "" },
		{ "\x16\x03\x01", "\x16\x03\x01" },
		{ "GET /a b HTTP/1.1\r\n" HOST "\r\n", "GET /a b HTTP/1.1" },
		{ "GET / HTTP/1.1\r\nA\r\n", "GET / HTTP/1.1" },
		{ "GET / HTTP/9.1\n" HOST, "GET / HTTP/9.1" },
		/* after the empty line that is forgiven, and after nothing else */
		{ "\r\nGET / HTTP/9.1\r\n", "GET / HTTP/9.1" },
		{ "\r\nGE", "GE" },
		{ "\r\nG", "G" },
		{ "\r\n\nGET", "" },
		{ "\r", "" },
		{ "x\r", "x" },
		{ "x\ny\r\n", "x" },
		{ "\rx\ny\r\n", "\rx" },
		{ "\n\nGET", "" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		parse(cases[i].input, strlen(cases[i].input), 0);
		assert_int_equal(request.line.len, strlen(cases[i].wanted));
		assert_memory_equal(request.line.data, cases[i].wanted, request.line.len);
	}
	/* What stands before the head is not of it. */
	assert_int_equal(request_parse(&request, "\r\nGET" + 1, 4, 0, &limits), PARSE_BAD);
	assert_int_equal(request.line.len, 0);
}

/* An answer to HEAD has no body (RFC 9110 9.3.2): that of a refused one neither. */
static void test_method_of_refused(void **state)
{
	static const struct {
		const char *input;
		enum method wanted;
	} cases[] = {
		{ "HEAD / HTTP/1.1\r\n" HOST HOST "\r\n", METHOD_HEAD },
		{ "HEAD / HTTP/2.0\r\n", METHOD_HEAD },
		{ "GET / HTTP/1.1\r\n\r\n", METHOD_GET },
		{ "HEAD\t/ HTTP/1.1\r\n", METHOD_OTHER },
		{ "\x16", METHOD_OTHER },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		request.method = METHOD_HEAD; /* of the one before */
		assert_int_equal(
			request_parse(&request, cases[i].input, strlen(cases[i].input), 0, &limits),
			PARSE_BAD);
		assert_int_equal(request.method, cases[i].wanted);
	}
}

static void test_head_len(void **state)
{
	static const char one[] = "\r\n" GET "\r\n";
	static const char two[] = "\r\n" GET "\r\nGET";

	(void)state;
	parse(two, sizeof two - 1, 0);
	assert_int_equal(request.head_len, sizeof one - 1);
}

/* Random damage to good heads: the same outcome in every way of feeding. */
static void test_damaged(void **state)
{
	static const char good[] =
		"POST /a?b HTTP/1.1\r\nHost: a.b:80\r\nContent-Length: 5\r\n"
		"Connection: keep-alive, X-A\r\nX-A: b c\r\nTE: trailers\r\n\r\n";
	static const char octets[] = " \t\r\n\0:,;5a_\x80#";
	unsigned seed = 1;

	(void)state;
	for (int i = 0; i < 4000; i++) {
		char input[sizeof good];
		char wanted[256];

		memcpy(input, good, sizeof good);
		for (int n = 0; n <= i % 3; n++)
			input[(size_t)rand_r(&seed) % (sizeof good - 1)] =
				octets[(size_t)rand_r(&seed) % (sizeof octets - 1)];
		snprintf(wanted, sizeof wanted, "%s", parse(input, sizeof good - 1, 0));
		check_in_pieces(input, sizeof good - 1, wanted);
	}
}

/* RFC 9110 9.2.2 */
static void test_idempotent(void **state)
{
	(void)state;
	assert_true(method_is_idempotent(METHOD_GET));
	assert_true(method_is_idempotent(METHOD_HEAD));
	assert_true(method_is_idempotent(METHOD_OPTIONS));
	assert_true(method_is_idempotent(METHOD_TRACE));
	assert_true(method_is_idempotent(METHOD_PUT));
	assert_true(method_is_idempotent(METHOD_DELETE));
	assert_false(method_is_idempotent(METHOD_POST));
	assert_false(method_is_idempotent(METHOD_PATCH));
	assert_false(method_is_idempotent(METHOD_OTHER));
	assert_false(method_is_idempotent(METHOD_CONNECT));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_request_line),
		cmocka_unit_test(test_target_forms),
		cmocka_unit_test(test_what_is_wrong_is_named),
		cmocka_unit_test(test_host),
		cmocka_unit_test(test_host_count),
		cmocka_unit_test(test_framing),
		cmocka_unit_test(test_connection),
		cmocka_unit_test(test_nothing_is_framed_by_nothing),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_which_part_is_too_long),
		cmocka_unit_test(test_field_count),
		cmocka_unit_test(test_refused_early),
		cmocka_unit_test(test_a_request_before_is_forgotten),
		cmocka_unit_test(test_line),
		cmocka_unit_test(test_method_of_refused),
		cmocka_unit_test(test_head_len),
		cmocka_unit_test(test_damaged),
		cmocka_unit_test(test_idempotent),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
