/* reply.c: own answers are whole and well-formed, whatever is asked of them. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "http/reply.h"
#include "http/response.h"

static char room[REPLY_MAX];

static const char *written(const struct reply *reply)
{
	static char copy[REPLY_MAX + 1];
	struct text t = text_over(room, sizeof room);

	reply_write(&t, reply);
	assert_false(t.overflow);
	memcpy(copy, room, t.len);
	copy[t.len] = '\0';
	return copy;
}

static void test_reply(void **state)
{
	struct reply reply = { .status = 502,
		.detail = "no backend",
		.close = true,
		.date = slice_of_string("Sun, 06 Nov 1994 08:49:37 GMT") };

	(void)state;
	assert_string_equal(written(&reply),
		"HTTP/1.1 502 Bad Gateway\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\n"
		"Content-Type: text/plain\r\nContent-Length: 28\r\nConnection: close\r\n\r\n"
		"502 Bad Gateway: no backend\n");
}

static void test_variants(void **state)
{
	struct reply reply = {
		.status = 503, .retry_after = 5, .keep_alive_10 = true, .head = true
	};

	(void)state;
	assert_string_equal(written(&reply),
		"HTTP/1.1 503 Service Unavailable\r\nContent-Type: text/plain\r\n"
		"Content-Length: 24\r\nRetry-After: 5\r\nConnection: keep-alive\r\n\r\n");
	reply = (struct reply){ .status = 100 };
	assert_string_equal(written(&reply), "HTTP/1.1 100 Continue\r\n\r\n");
}

static void test_parses_back(void **state)
{
	static const struct head_limits limits = { REPLY_MAX, 20 };
	static struct response response;
	char detail[2000];

	(void)state;
	memset(detail, 'd', sizeof detail);
	detail[sizeof detail - 1] = '\0';
	for (int status = 200; status < 600; status++) {
		struct reply reply = { .status = status,
			.detail = detail,
			.close = true,
			.keep_alive_10 = true,
			.retry_after = INT32_MAX,
			.date = slice_of_string("Sun, 06 Nov 1994 08:49:37 GMT") };
		const char *text = written(&reply);
		size_t len = strlen(text);

		if (status == 204 || status == 304)
			continue;
		assert_int_equal(
			response_parse(&response, text, len, 0, METHOD_GET, &limits), PARSE_DONE);
		assert_int_equal(response.status, status);
		assert_false(response.keep_alive);
		assert_int_equal(response.body.kind, BODY_LENGTH);
		assert_in_range(response.body.length, 400, 450); /* cut, not left out */
		assert_int_equal(response.head_len + response.body.length, len);
	}
}

static void test_body_of_another(void **state)
{
	struct reply reply = {
		.status = 404, .type = "text/html", .body = slice_of_string("<p>none")
	};

	(void)state;
	assert_string_equal(written(&reply),
		"HTTP/1.1 404 Not Found\r\nContent-Type: text/html\r\nContent-Length: 7\r\n\r\n"
		"<p>none");
	reply.head = true;
	assert_string_equal(written(&reply),
		"HTTP/1.1 404 Not Found\r\nContent-Type: text/html\r\nContent-Length: "
		"7\r\n\r\n");
	reply = (struct reply){ .status = 200, .type = "text/plain" };
	assert_string_equal(written(&reply), "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
	reply.status = 204;
	assert_string_equal(written(&reply), "HTTP/1.1 204 No Content\r\n\r\n");
	reply = (struct reply){ .status = 301, .location = slice_of_string("https://a/") };
	assert_string_equal(written(&reply),
		"HTTP/1.1 301 Moved Permanently\r\nLocation: https://a/\r\n"
		"Content-Type: text/plain\r\nContent-Length: 22\r\n\r\n301 Moved Permanently\n");
}

/* RFC 9110 15, RFC 6585 4 and 5, RFC 7725 3, RFC 2324 2.3.2: the phrases, and no others. */
static void test_reason(void **state)
{
	static const char *const phrases[600] = {
		[100] = "Continue",
		[200] = "OK",
		[201] = "Created",
		[202] = "Accepted",
		[204] = "No Content",
		[301] = "Moved Permanently",
		[302] = "Found",
		[303] = "See Other",
		[307] = "Temporary Redirect",
		[308] = "Permanent Redirect",
		[400] = "Bad Request",
		[401] = "Unauthorized",
		[403] = "Forbidden",
		[404] = "Not Found",
		[405] = "Method Not Allowed",
		[406] = "Not Acceptable",
		[408] = "Request Timeout",
		[409] = "Conflict",
		[410] = "Gone",
		[413] = "Content Too Large",
		[414] = "URI Too Long",
		[415] = "Unsupported Media Type",
		[417] = "Expectation Failed",
		[418] = "I'm a teapot",
		[421] = "Misdirected Request",
		[426] = "Upgrade Required",
		[429] = "Too Many Requests",
		[431] = "Request Header Fields Too Large",
		[451] = "Unavailable For Legal Reasons",
		[500] = "Internal Server Error",
		[501] = "Not Implemented",
		[502] = "Bad Gateway",
		[503] = "Service Unavailable",
		[504] = "Gateway Timeout",
		[505] = "HTTP Version Not Supported",
		[508] = "Loop Detected",
	};

	(void)state;
	for (int status = 0; status < 600; status++)
		assert_string_equal(reply_reason(status),
			phrases[status] != NULL ? phrases[status] : "Unknown");
}

/* RFC 9110 15.2, 8.6: what is interim has neither fields nor content. */
static void test_interim_replies_are_a_line(void **state)
{
	struct reply reply = { .status = 199, .detail = "no", .close = true, .retry_after = 1 };

	(void)state;
	assert_string_equal(written(&reply), "HTTP/1.1 199 Unknown\r\n\r\n");
}

/* The least that can be said is said. */
static void test_short_replies(void **state)
{
	struct reply reply = { .status = 503, .detail = "d", .retry_after = 1 };

	(void)state;
	assert_string_equal(written(&reply),
		"HTTP/1.1 503 Service Unavailable\r\nContent-Type: text/plain\r\n"
		"Content-Length: 27\r\nRetry-After: 1\r\n\r\n503 Service Unavailable: d\n");
	reply = (struct reply){ .status = 200, .type = "text/html", .body = slice_of_string("x") };
	assert_string_equal(written(&reply),
		"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 1\r\n\r\nx");
}

/* A detail goes up to 400 octets, and what is longer is cut there. */
static void test_long_details_are_cut(void **state)
{
	char detail[403];
	struct reply reply = { .status = 404, .detail = detail };

	(void)state;
	memset(detail, 'd', sizeof detail);
	for (size_t len = 399; len <= 402; len++) {
		const char *body;

		detail[len] = '\0';
		body = strstr(written(&reply), "\r\n\r\n") + 4;
		detail[len] = 'd';
		assert_int_equal(
			strlen(body), strlen("404 Not Found: \n") + (len < 400 ? len : 400));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_reply),
		cmocka_unit_test(test_variants),
		cmocka_unit_test(test_parses_back),
		cmocka_unit_test(test_body_of_another),
		cmocka_unit_test(test_reason),
		cmocka_unit_test(test_interim_replies_are_a_line),
		cmocka_unit_test(test_short_replies),
		cmocka_unit_test(test_long_details_are_cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
