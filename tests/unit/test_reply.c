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

static void test_reason(void **state)
{
	(void)state;
	assert_string_equal(reply_reason(431), "Request Header Fields Too Large");
	assert_string_equal(reply_reason(599), "Unknown");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_reply),
		cmocka_unit_test(test_variants),
		cmocka_unit_test(test_parses_back),
		cmocka_unit_test(test_body_of_another),
		cmocka_unit_test(test_reason),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
