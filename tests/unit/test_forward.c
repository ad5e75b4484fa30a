/*
 * forward.c: what goes on (RFC 9110 7.6, RFC 9112 3, 6), and the invariant against smuggling: what
 * is written parses back to one request of the same meaning, for good, odd and damaged input.
 */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "guard.h"
#include "http/chunk.h"
#include "http/forward.h"
#include "http/request.h"
#include "http/response.h"

#define HOST "Host: h\r\n"
#define END  "\r\n\r\n"
/* what follows the fields of a plain request to host h */
#define OURS                                                                                       \
	"X-Forwarded-For: 10.0.0.1\r\nX-Forwarded-Host: h\r\nX-Forwarded-Proto: http\r\n"          \
	"Via: 1.1 tinylb\r\n\r\n"

static struct request request, again;
static struct response response;
static const struct head_limits limits = { 16384, 100 };
static char room[40000];

static struct forward_request usual(void)
{
	return (struct forward_request){
		.host = slice_of_string("backend:8001"),
		.peer = slice_of_string("10.0.0.1"),
		.scheme = slice_of_string("http"),
		.via = true,
		.x_forwarded = true,
	};
}

static const char *forward(const char *input, const struct forward_request *how)
{
	struct text out = text_over(room, sizeof room - 1);
	size_t len = strlen(input);
	char *copy = guard_place(input, len);

	assert_int_equal(request_parse(&request, copy, len, 0, &limits), PARSE_DONE);
	forward_request(&out, &request, how);
	assert_false(out.overflow);
	return text_string(&out);
}

struct forward_case {
	const char *input;
	const char *wanted;
};

static void test_requests(void **state)
{
	static const struct forward_case cases[] = {
		{ "GET /a?b=%20 HTTP/1.1\r\n" HOST "Accept: */*\r\nX:y\r\n\r\n",
			"GET /a?b=%20 HTTP/1.1\r\nHost: backend:8001\r\nAccept: */*\r\nX: "
			"y\r\n" OURS },
		/* order, duplicates and odd values stay; blanks around values go */
		{ "GET / HTTP/1.1\r\nB: 1 \r\n" HOST
		  "A:\t2\r\nB:\r\nCookie: a,b\r\nCookie: c\r\n\r\n",
			"GET / HTTP/1.1\r\nHost: backend:8001\r\nB: 1\r\nA: 2\r\nB: \r\n"
			"Cookie: a,b\r\nCookie: c\r\n" OURS },
		/* framing is written anew */
		{ "POST / HTTP/1.1\r\n" HOST "content-length: 007\r\nX: y\r\n\r\n",
			"POST / HTTP/1.1\r\nHost: backend:8001\r\nX: y\r\nContent-Length: "
			"7\r\n" OURS },
		{ "POST / HTTP/1.1\r\n" HOST "transfer-encoding: CHUNKED\r\nTrailer: X-A\r\n\r\n",
			"POST / HTTP/1.1\r\nHost: backend:8001\r\nTrailer: X-A\r\n"
			"Transfer-Encoding: chunked\r\n" OURS },
		{ "GET / HTTP/1.1\r\n" HOST "Trailer: X-A\r\n\r\n",
			"GET / HTTP/1.1\r\nHost: backend:8001\r\n" OURS },
		/* hop by hop */
		{ "GET / HTTP/1.1\r\n" HOST "Connection: close, X-A, Host, Via\r\nx-a: 1\r\n"
		  "Keep-Alive: 1\r\nProxy-Connection: x\r\nProxy-Authorization: x\r\n"
		  "Upgrade: h2c\r\nHTTP2-Settings: x\r\nTE: gzip\r\nVia: 1.0 v\r\nX-B: 2\r\n\r\n",
			"GET / HTTP/1.1\r\nHost: backend:8001\r\nVia: 1.0 v\r\nX-B: 2\r\n" OURS },
		/* nobody takes our own fields away */
		{ "GET / HTTP/1.1\r\n" HOST "Connection: X-Forwarded-For, X-Forwarded-Host\r\n"
		  "Connection: X-Forwarded-Proto, Content-Length\r\nContent-Length: 4\r\n\r\n",
			"GET / HTTP/1.1\r\nHost: backend:8001\r\nContent-Length: 4\r\n" OURS },
		{ "GET / HTTP/1.1\r\n" HOST "TE: trailers, gzip\r\nConnection: TE\r\n\r\n",
			"GET / HTTP/1.1\r\nHost: backend:8001\r\nConnection: TE\r\n"
			"TE: trailers\r\n" OURS },
		{ "GET /chat HTTP/1.1\r\n" HOST "Connection: keep-alive, Upgrade\r\n"
		  "Upgrade: WebSocket\r\nSec-WebSocket-Key: k\r\n\r\n",
			"GET /chat HTTP/1.1\r\nHost: backend:8001\r\nSec-WebSocket-Key: k\r\n"
			"Connection: Upgrade\r\nUpgrade: WebSocket\r\n" OURS },
		{ "POST / HTTP/1.1\r\n" HOST "Connection: Upgrade\r\nUpgrade: h2c, tcp\r\n"
		  "HTTP2-Settings: AAM\r\nContent-Length: 2\r\nUpgrade: SPDY/3.1\r\n\r\n",
			"POST / HTTP/1.1\r\nHost: backend:8001\r\nContent-Length: 2\r\n"
			"Connection: Upgrade\r\nUpgrade: tcp, SPDY/3.1\r\n" OURS },
		{ "GET / HTTP/1.1\r\n" HOST "Connection: Upgrade, TE\r\nTE: trailers\r\n"
		  "Upgrade: websocket\r\n\r\n",
			"GET / HTTP/1.1\r\nHost: backend:8001\r\nConnection: Upgrade, TE\r\n"
			"Upgrade: websocket\r\nTE: trailers\r\n" OURS },
		{ "POST / HTTP/1.1\r\n" HOST "Expect: 100-Continue\r\nContent-Length: 4\r\n\r\n",
			"POST / HTTP/1.1\r\nHost: backend:8001\r\nContent-Length: 4\r\n"
			"Expect: 100-continue\r\n" OURS },
		/* where it comes from */
		{ "GET / HTTP/1.1\r\n" HOST "X-Forwarded-For: a, b\r\nX-Forwarded-Host: forged\r\n"
		  "X-Forwarded-Proto: https\r\nX-Forwarded-For:\r\nx-forwarded-for: c\r\n\r\n",
			"GET / HTTP/1.1\r\nHost: backend:8001\r\n" OURS },
		{ "GET / HTTP/1.1\r\n" HOST "X_Forwarded_For: a\r\nX-Forwarded_Proto: b\r\n"
		  "X_Real_IP: c\r\nContent_Length: 4\r\nTransfer_Encoding: chunked\r\nX_Y: "
		  "z\r\n\r\n",
			"GET / HTTP/1.1\r\nHost: backend:8001\r\nX_Y: z\r\n" OURS },
		{ "GET / HTTP/1.0\r\nX-Forwarded-Host: forged\r\nExpect: x\r\n\r\n",
			"GET / HTTP/1.1\r\nHost: backend:8001\r\nX-Forwarded-For: 10.0.0.1\r\n"
			"X-Forwarded-Proto: http\r\nVia: 1.0 tinylb\r\n\r\n" },
		{ "GET http://other:81/x HTTP/1.1\r\n" HOST "\r\n",
			"GET /x HTTP/1.1\r\nHost: backend:8001\r\nX-Forwarded-For: 10.0.0.1\r\n"
			"X-Forwarded-Host: other:81\r\nX-Forwarded-Proto: http\r\n"
			"Via: 1.1 tinylb\r\n\r\n" },
		/* RFC 9110 7.6.2 */
		{ "OPTIONS * HTTP/1.1\r\n" HOST "Max-Forwards: 9\r\n\r\n",
			"OPTIONS * HTTP/1.1\r\nHost: backend:8001\r\nMax-Forwards: 8\r\n" OURS },
		{ "TRACE / HTTP/1.1\r\n" HOST "Max-Forwards: 1\r\n\r\n",
			"TRACE / HTTP/1.1\r\nHost: backend:8001\r\nMax-Forwards: 0\r\n" OURS },
		{ "GET / HTTP/1.1\r\n" HOST "Max-Forwards: 9\r\n\r\n",
			"GET / HTTP/1.1\r\nHost: backend:8001\r\nMax-Forwards: 9\r\n" OURS },
	};
	struct forward_request how = usual();

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct text out = text_over(room, sizeof room - 1);

		assert_string_equal(forward(cases[i].input, &how), cases[i].wanted);
		/* and once more, for another backend */
		forward_request(&out, &request, &how);
		assert_string_equal(text_string(&out), cases[i].wanted);
	}
}

static void test_host_and_peer(void **state)
{
	struct forward_request how = { .via = true, .x_forwarded = true };

	(void)state;
	assert_string_equal(forward("GET / HTTP/1.1\r\n" HOST "X-Forwarded-For: a\r\n\r\n", &how),
		"GET / HTTP/1.1\r\nHost: h\r\nX-Forwarded-Host: h\r\nVia: 1.1 tinylb\r\n\r\n");
	assert_string_equal(forward("GET http://o/ HTTP/1.1\r\n" HOST "\r\n", &how),
		"GET / HTTP/1.1\r\nHost: o\r\nX-Forwarded-Host: o\r\nVia: 1.1 tinylb\r\n\r\n");
}

/* RFC 9110 7.6.3, RFC 8586: what came of both goes on, and ours is behind it. */
static void test_via_and_cdn_loop(void **state)
{
	static const char input[] = "GET / HTTP/1.0\r\nVia: 1.1 a\r\nCDN-Loop: b\r\n"
				    "Connection: via, cdn-loop\r\nCDN_Loop: c\r\n\r\n";
	static const char open[] = "GET / HTTP/1.1\r\n" HOST "CDN-Loop: b;c=\"\r\n\r\n";
	struct forward_request how = { .host = slice_of_string("h"), .cdn_loop = true };

	(void)state;
	assert_string_equal(forward(input, &how),
		"GET / HTTP/1.1\r\nHost: h\r\nVia: 1.1 a\r\nCDN-Loop: b\r\n\r\n");
	how.token = "tinylb-0123456789abcdef, not this";
	assert_string_equal(forward(input, &how),
		"GET / HTTP/1.1\r\nHost: h\r\nVia: 1.1 a\r\nCDN-Loop: b\r\n"
		"CDN-Loop: tinylb-0123456789abcdef\r\n\r\n");
	assert_string_equal(forward(open, &how),
		"GET / HTTP/1.1\r\nHost: h\r\nCDN-Loop: tinylb-0123456789abcdef\r\n\r\n");
	how.cdn_loop = false;
	how.via = true;
	assert_string_equal(forward(input, &how),
		"GET / HTTP/1.1\r\nHost: h\r\nVia: 1.1 a\r\nCDN-Loop: b\r\n"
		"Via: 1.0 tinylb-0123456789abcdef\r\n\r\n");
}

static void test_via_of_a_response(void **state)
{
	static const char *const inputs[] = { "HTTP/1.0 204 x\r\nVia: 1.1 a\r\n\r\n",
		"HTTP/1.1 204 x\r\n\r\n", "HTTP/1.1 100 x\r\n\r\n" };
	static const char *const wanted[] = {
		"HTTP/1.1 204 x\r\nVia: 1.1 a\r\nVia: 1.0 tinylb\r\n\r\n",
		"HTTP/1.1 204 x\r\nVia: 1.1 tinylb\r\n\r\n", "HTTP/1.1 100 x\r\n\r\n"
	};
	struct forward_response how = { .client_minor = 1 };

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		struct text out = text_over(room, sizeof room - 1);

		assert_int_equal(response_parse(&response, inputs[i], strlen(inputs[i]), 0,
					 METHOD_GET, &limits),
			PARSE_DONE);
		assert_false(response.via);
		response.via = true;
		forward_response(&out, &response, &how);
		assert_string_equal(text_string(&out), wanted[i]);
	}
}

/* What is said of the client: nothing of a stranger's word; what a trusted peer said, and the peer
 * itself. */
static void test_client(void **state)
{
	static const char input[] =
		"GET / HTTP/1.1\r\nHost: h:1\r\nX-Forwarded-For: a, b\r\nForwarded: for=a\r\n"
		"X-Forwarded-Proto: https\r\nX-Forwarded-For:\r\nX-Real-IP: a\r\nX-A: 1\r\n"
		"x-forwarded-for: c\r\nX-Forwarded-Port: 2\r\nX-Request-Id: 3\r\n"
		"X_Forwarded_Port: 4\r\nforwarded: for=b\r\n\r\n";
	static const struct {
		const char *peer;
		const char *forwarded; /* x: X-Forwarded, r: RFC 7239 */
		bool trusted;
		const char *wanted; /* behind the Host */
	} cases[] = {
		{ "p", "", false, "X-A: 1\r\n" },
		{ "p", "x", false,
			"X-A: 1\r\nX-Forwarded-For: p\r\nX-Forwarded-Host: h:1\r\n"
			"X-Forwarded-Proto: http\r\n" },
		{ "p", "r", false, "X-A: 1\r\nForwarded: for=p;host=\"h:1\";proto=http\r\n" },
		{ "::1", "xr", false,
			"X-A: 1\r\nX-Forwarded-For: ::1\r\nX-Forwarded-Host: h:1\r\n"
			"X-Forwarded-Proto: http\r\n"
			"Forwarded: for=\"[::1]\";host=\"h:1\";proto=http\r\n" },
		{ "", "xr", false,
			"X-A: 1\r\nX-Forwarded-Host: h:1\r\nX-Forwarded-Proto: http\r\n"
			"Forwarded: for=unknown;host=\"h:1\";proto=http\r\n" },
		{ "p", "", true,
			"X-Forwarded-For: a, b\r\nForwarded: for=a\r\nX-Forwarded-Proto: "
			"https\r\n"
			"X-Forwarded-For: \r\nX-Real-IP: a\r\nX-A: 1\r\nx-forwarded-for: c\r\n"
			"X-Forwarded-Port: 2\r\nforwarded: for=b\r\n" },
		{ "p", "x", true,
			"Forwarded: for=a\r\nX-Forwarded-Proto: https\r\nX-Real-IP: a\r\nX-A: "
			"1\r\n"
			"X-Forwarded-Port: 2\r\nforwarded: for=b\r\n"
			"X-Forwarded-For: a, b, c, p\r\nX-Forwarded-Host: h:1\r\n" },
		{ "", "x", true,
			"Forwarded: for=a\r\nX-Forwarded-Proto: https\r\nX-Real-IP: a\r\nX-A: "
			"1\r\n"
			"X-Forwarded-Port: 2\r\nforwarded: for=b\r\n"
			"X-Forwarded-For: a, b, c\r\nX-Forwarded-Host: h:1\r\n" },
		{ "p", "r", true,
			"X-Forwarded-For: a, b\r\nX-Forwarded-Proto: https\r\n"
			"X-Forwarded-For: \r\nX-Real-IP: a\r\nX-A: 1\r\nx-forwarded-for: c\r\n"
			"X-Forwarded-Port: 2\r\n"
			"Forwarded: for=a, for=b, for=p;host=\"h:1\";proto=http\r\n" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		char wanted[1024];
		struct text w = text_over(wanted, sizeof wanted);
		struct forward_request how = {
			.peer = slice_of_string(cases[i].peer),
			.scheme = slice_of_string("http"),
			.x_forwarded = strchr(cases[i].forwarded, 'x') != NULL,
			.rfc7239 = strchr(cases[i].forwarded, 'r') != NULL,
			.trusted = cases[i].trusted,
			.request_id = slice_of_string(i % 2 == 0 ? "5" : ""),
			.via = true,
		};

		text_format(&w, "GET / HTTP/1.1\r\nHost: h:1\r\n%s%sVia: 1.1 tinylb\r\n\r\n",
			cases[i].wanted, i % 2 == 0 ? "X-Request-Id: 5\r\n" : "");
		assert_string_equal(forward(input, &how), text_string(&w));
	}
}

/* What a trusted peer said is kept as far as nobody can read our own element as a part of it. */
static void test_lists_that_swallow(void **state)
{
	static const struct {
		const char *said[4];
		const char *kept;
	} cases[] = {
		{ { "for=_x" }, "for=_x, " },
		{ { "for=\"_x\", for=\"a, \\\"b(\"" }, "for=\"_x\", for=\"a, \\\"b(\", " },
		{ { "a (b (c)), d" }, "a (b (c)), d, " },
		{ { "for=\"_x" }, "" },
		{ { "for=_x\"" }, "" },
		{ { "for=\"_x\\\"" }, "" },
		{ { "for=_x\\" }, "" },
		{ { "for=\"_x\\" }, "" },
		{ { "for=\\\"_x\"" }, "" },
		{ { "a (b" }, "" },
		{ { "a (b (c)" }, "" },
		{ { "a (b\\)" }, "" },
		/* Readers who know comments, and those who do not. */
		{ { "a (\") b" }, "" },
		{ { "a (\\)) b" }, "" },
		{ { "a (\"b) (c\")" }, "a (\"b) (c\"), " },
		{ { "a \"(\" b" }, "a \"(\" b, " },
		/* Each of the fields may be the last one that somebody reads. */
		{ { "for=\"a", "b\"" }, "" },
		{ { "for=a", "for=\"b", "for=c", "for=d" }, "for=c, for=d, " },
		{ { "for=a", "", "for=b", "for=\"c" }, "" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		char input[512], wanted[512];
		struct text in = text_over(input, sizeof input);
		struct forward_request how = usual();

		how.rfc7239 = how.trusted = true;
		text_add_string(&in, "GET / HTTP/1.1\r\n" HOST);
		for (size_t j = 0; j < 4 && cases[i].said[j] != NULL; j++)
			text_format(&in, "Forwarded: %s\r\nX-Forwarded-For: %s\r\n",
				cases[i].said[j], cases[i].said[j]);
		text_add_string(&in, "\r\n");
		snprintf(wanted, sizeof wanted,
			"GET / HTTP/1.1\r\nHost: backend:8001\r\nX-Forwarded-For: %s10.0.0.1\r\n"
			"X-Forwarded-Host: h\r\nX-Forwarded-Proto: http\r\n"
			"Forwarded: %sfor=10.0.0.1;host=h;proto=http\r\nVia: 1.1 tinylb\r\n\r\n",
			cases[i].kept, cases[i].kept);
		assert_string_equal(forward(text_string(&in), &how), wanted);
	}
	/* Nothing is added to this one. */
	assert_non_null(strstr(forward("GET / HTTP/1.1\r\n" HOST "Forwarded: a=\"\r\n\r\n",
				       &(struct forward_request){ .trusted = true }),
		"Forwarded: a=\"\r\n"));
}

/* Of anybody: readers may put fields together. */
static void test_via_that_swallows(void **state)
{
	static const struct forward_case cases[] = {
		{ "GET / HTTP/1.1\r\n" HOST "Via: 1.1 a (b)\r\nA: (\r\nVia: 1.1 c\r\n\r\n",
			"Via: 1.1 a (b)\r\nA: (\r\nVia: 1.1 c\r\n" OURS },
		{ "GET / HTTP/1.1\r\n" HOST "Via: 1.1 a (b\r\nA: (\r\nVia: 1.1 c\r\n\r\n",
			"A: (\r\nVia: 1.1 c\r\n" OURS },
		{ "GET / HTTP/1.1\r\n" HOST "Via: 1.1 a\r\nA: (\r\nVia: 1.1 c \"\r\n\r\n",
			"A: (\r\n" OURS },
	};
	struct forward_request how = usual();

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		const char *written = strstr(forward(cases[i].input, &how), "backend:8001\r\n");

		assert_non_null(written);
		assert_string_equal(written + strlen("backend:8001\r\n"), cases[i].wanted);
	}
}

/* As Go's singleJoiningSlash. */
static void test_paths(void **state)
{
	static const struct {
		const char *path;
		const char *target;
		const char *wanted;
	} cases[] = {
		{ "", "/a?b", "/a?b" },
		{ "/", "/a", "/a" },
		{ "/x", "/a?b", "/x/a?b" },
		{ "/x/", "/a", "/x/a" },
		{ "/x/", "//a", "/x//a" },
		{ "/x", "/", "/x/" },
		{ "/x/", "/", "/x/" },
		{ "/x", "/?a", "/x/?a" },
		{ "", "http://h?a", "/?a" },
		{ "/x", "http://h?a", "/x/?a" },
		{ "/x/", "http://h?a", "/x/?a" },
		{ "/x", "http://h", "/x/" },
		{ "/x", "/%2e%2E/..//", "/x/%2e%2E/..//" },
	};
	struct forward_request how = usual();

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		char input[256], wanted[256];
		struct text t = text_over(input, sizeof input);
		struct text w = text_over(wanted, sizeof wanted);

		text_format(&t, "GET %s HTTP/1.1\r\nHost: h\r\n\r\n", cases[i].target);
		text_format(
			&w, "GET %s HTTP/1.1\r\nHost: backend:8001\r\n%s", cases[i].wanted, OURS);
		how.path = slice_of_string(cases[i].path);
		assert_string_equal(forward(text_string(&t), &how), text_string(&w));
	}
	/* a path is as long as it says, whatever follows it */
	how.path = slice_of("/x%/", 2);
	assert_memory_equal(
		forward("GET http://h?a HTTP/1.1\r\n" HOST "\r\n", &how), "GET /x/?a HTTP", 14);
	how.path = slice_of_string("/x");
	assert_memory_equal(
		forward("OPTIONS * HTTP/1.1\r\n" HOST "\r\n", &how), "OPTIONS * HTTP", 14);
}

static bool same_framing(struct body a, struct body b)
{
	return a.kind == b.kind && a.length == b.length;
}

/* What was written is one request, means the same, and is no longer than promised. */
/* False where the input was refused. */
static bool check_invariant(const char *input, size_t len)
{
	struct text out = text_over(room, sizeof room);
	struct forward_request how = usual();
	char *copy = guard_place(input, len);
	struct head_limits wide = { sizeof room, FIELDS_MAX };

	how.host = slice_of("", 0);
	how.rfc7239 = true;
	how.request_id = slice_of_string("0123456789abcdef0123456789abcdef");
	how.cdn_loop = true;
	how.token = "tinylb-0123456789abcdef";
	how.trusted = len % 2 != 0;
	if (len % 3 == 0)
		how.cookie = slice_of_string("s");
	if (request_parse(&request, copy, len, 0, &limits) != PARSE_DONE ||
		slice_is_empty(request.host))
		return false;
	forward_request(&out, &request, &how);
	assert_false(out.overflow);
	assert_true(out.len <= request.head_len + FORWARD_EXTRA + how.peer.len + how.scheme.len +
				       how.request_id.len);
	assert_int_equal(request_parse(&again, room, out.len, 0, &wide), PARSE_DONE);
	assert_int_equal(again.head_len, out.len);
	assert_true(same_framing(request.body, again.body));
	assert_true(slice_equals(request.method_name, again.method_name));
	assert_true(slice_equals(request.host, again.host));
	assert_true(request.upgrade == again.upgrade);
	assert_true(request.expect_continue == again.expect_continue);
	assert_true(request.te_trailers == again.te_trailers);
	assert_true(again.keep_alive);
	assert_true(slice_equals(request.target, again.target) || request.target.data[0] == '?');
	return true;
}

static void test_invariant(void **state)
{
	static const char *const good[] = {
		"POST /a?b HTTP/1.1\r\nHost: a.b:80\r\nContent-Length: 5\r\n"
		"Connection: keep-alive, X-A\r\nX-A: b c\r\nTE: trailers\r\n\r\n",
		"GET http://h:1/x HTTP/1.1\r\nHost:a\r\nConnection: upgrade\r\nUpgrade: "
		"websocket\r\n"
		"X_Forwarded_For: a\r\nX-Forwarded-For: a\r\nx-forwarded-for:b\r\n\r\n",
		"PUT / HTTP/1.1\r\nTransfer-Encoding: chunked\r\nTrailer: a\r\nHost: [::1]\r\n"
		"Expect: 100-continue\r\nMax-Forwards: 5\r\nProxy-Connection: a\r\n\r\n",
		"OPTIONS * HTTP/1.0\r\nHost: a\r\nContent-Length: 0\r\nMax-Forwards: 5\r\n\r\n",
	};
	static const char *const pieces[] = { " ", "\t", "\r\n", "\r", "\n", ":", ",", ";", "5",
		"_", "\x80", "#", "?", "@", "Content-Length: 5\r\n",
		"Transfer-Encoding: chunked\r\n", "Host: x\r\n", "\r\n ", "chunked",
		"Connection: Host, Content-Length\r\n", "1.0" };
	unsigned seed = 3;
	unsigned accepted = 0;

	(void)state;
	for (int i = 0; i < 100000; i++) {
		const char *base = good[i % 4];
		char input[512];
		struct text t = text_over(input, sizeof input);
		size_t len = strlen(base);
		size_t at = (size_t)rand_r(&seed) % len;
		size_t skip = (size_t)rand_r(&seed) % 3;

		if (skip > len - at)
			skip = len - at;
		text_add(&t, base, at);
		text_add_string(
			&t, pieces[(size_t)rand_r(&seed) % (sizeof pieces / sizeof pieces[0])]);
		text_add(&t, base + at + skip, len - at - skip);
		accepted += check_invariant(input, t.len);
	}
	assert_in_range(accepted, 1000, 99000);
	for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
		assert_true(check_invariant(good[i], strlen(good[i])));
}

/* The longest that can be made of a head. */
static void test_extra(void **state)
{
	char input[8192], host[262];
	struct text t = text_over(input, sizeof input);

	(void)state;
	memset(host, 'h', sizeof host);
	text_add_string(&t, "OPTIONS http://");
	text_add(&t, host, 261);
	text_add_string(&t, "?a HTTP/1.1\r\nHost:h\r\nMax-Forwards:1\r\nContent-Length:1\r\n"
			    "Expect:100-continue\r\nTE:trailers\r\n");
	for (int i = 0; i < 90; i++)
		text_add_string(&t, "a:b\r\n");
	text_add_string(&t, "\r\n");
	assert_true(check_invariant(input, t.len));
}

static const char *respond(
	const char *input, enum method method, const struct forward_response *how)
{
	struct text out = text_over(room, sizeof room - 1);
	size_t len = strlen(input);

	assert_int_equal(
		response_parse(&response, guard_place(input, len), len, 0, method, &limits),
		PARSE_DONE);
	forward_response(&out, &response, how);
	return text_string(&out);
}

static void test_responses(void **state)
{
	static const struct {
		const char *input;
		const char *to_11;
		const char *to_10;
	} cases[] = {
		{ "HTTP/1.1 200 OK\r\nContent-Length: 05\r\nSet-Cookie: a\r\nset-cookie: b\r\n\r\n",
			"HTTP/1.1 200 OK\r\nSet-Cookie: a\r\nset-cookie: b\r\nContent-Length: 5\r\n"
			"Date: now\r\n\r\n",
			"HTTP/1.1 200 OK\r\nSet-Cookie: a\r\nset-cookie: b\r\nContent-Length: 5\r\n"
			"Connection: keep-alive\r\nDate: now\r\n\r\n" },
		{ "HTTP/1.1 200\r\nDate: then\r\nTransfer-Encoding: chunked\r\nTrailer: X\r\n\r\n",
			"HTTP/1.1 200 \r\nDate: then\r\nTrailer: X\r\n"
			"Transfer-Encoding: chunked\r\n\r\n",
			"HTTP/1.1 200 \r\nDate: then\r\nConnection: close\r\n\r\n" },
		{ "HTTP/1.0 200 OK\r\nDate: then\r\n\r\n",
			"HTTP/1.1 200 OK\r\nDate: then\r\nTransfer-Encoding: chunked\r\n\r\n",
			"HTTP/1.1 200 OK\r\nDate: then\r\nConnection: close\r\n\r\n" },
		{ "HTTP/1.1 200 OK\r\nConnection: close, X-A\r\nX-A: 1\r\nKeep-Alive: x\r\n"
		  "Upgrade: h2\r\nProxy-Authenticate: x\r\nContent-Length: 0\r\nDate: then\r\n"
		  "X_Request_Id: x\r\n\r\n",
			"HTTP/1.1 200 OK\r\nDate: then\r\nX_Request_Id: x\r\nContent-Length: "
			"0\r\n\r\n",
			"HTTP/1.1 200 OK\r\nDate: then\r\nX_Request_Id: x\r\nContent-Length: 0\r\n"
			"Connection: keep-alive\r\n\r\n" },
		/* 426 and 407 are nothing without these */
		{ "HTTP/1.1 426 Up\r\nConnection: x, Upgrade\r\nUpgrade: websocket,\r\nX: y\r\n"
		  "upgrade: ,foo/2\r\nContent-Length: 0\r\nDate: then\r\n\r\n",
			"HTTP/1.1 426 Up\r\nDate: then\r\nContent-Length: 0\r\n"
			"Upgrade: websocket,foo/2\r\nConnection: Upgrade\r\n\r\n",
			"HTTP/1.1 426 Up\r\nDate: then\r\nContent-Length: 0\r\n"
			"Upgrade: websocket,foo/2\r\nConnection: Upgrade, keep-alive\r\n\r\n" },
		{ "HTTP/1.0 426 Up\r\nUpgrade: h2c\r\nDate: then\r\n\r\n",
			"HTTP/1.1 426 Up\r\nDate: then\r\nTransfer-Encoding: chunked\r\n"
			"Upgrade: h2c\r\nConnection: Upgrade\r\n\r\n",
			"HTTP/1.1 426 Up\r\nDate: then\r\n"
			"Upgrade: h2c\r\nConnection: Upgrade, close\r\n\r\n" },
		{ "HTTP/1.1 426 Up\r\nUpgrade: ,\r\nContent-Length: 0\r\nDate: then\r\n\r\n",
			"HTTP/1.1 426 Up\r\nDate: then\r\nContent-Length: 0\r\n\r\n",
			"HTTP/1.1 426 Up\r\nDate: then\r\nContent-Length: 0\r\n"
			"Connection: keep-alive\r\n\r\n" },
		{ "HTTP/1.1 407 No\r\nProxy-Authenticate: Basic a, b\r\nContent-Length: 0\r\n"
		  "Proxy-Authenticate: New\r\nDate: then\r\n\r\n",
			"HTTP/1.1 407 No\r\nProxy-Authenticate: Basic a, b\r\n"
			"Proxy-Authenticate: New\r\nDate: then\r\nContent-Length: 0\r\n\r\n",
			"HTTP/1.1 407 No\r\nProxy-Authenticate: Basic a, b\r\n"
			"Proxy-Authenticate: New\r\nDate: then\r\nContent-Length: 0\r\n"
			"Connection: keep-alive\r\n\r\n" },
		{ "HTTP/1.1 204 No\r\nContent-Length: 4\r\nDate: then\r\n\r\n",
			"HTTP/1.1 204 No\r\nDate: then\r\n\r\n",
			"HTTP/1.1 204 No\r\nDate: then\r\nConnection: keep-alive\r\n\r\n" },
		{ "HTTP/1.1 304 No\r\nContent-Length: 4\r\nDate: then\r\n\r\n",
			"HTTP/1.1 304 No\r\nDate: then\r\nContent-Length: 4\r\n\r\n",
			"HTTP/1.1 304 No\r\nDate: then\r\nContent-Length: 4\r\n"
			"Connection: keep-alive\r\n\r\n" },
	};
	struct forward_response to_11 = { .client_minor = 1, .date = slice_of_string("now") };
	struct forward_response to_10 = { .keep_alive_10 = true, .date = slice_of_string("now") };

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		assert_string_equal(respond(cases[i].input, METHOD_GET, &to_11), cases[i].to_11);
		assert_string_equal(respond(cases[i].input, METHOD_GET, &to_10), cases[i].to_10);
	}
	to_11.close = to_10.close = true;
	assert_non_null(
		strstr(respond(cases[0].input, METHOD_GET, &to_11), "\r\nConnection: close\r\n"));
	assert_non_null(
		strstr(respond(cases[0].input, METHOD_GET, &to_10), "\r\nConnection: close\r\n"));
}

/* RFC 9112 9.3: 1.1 keeps a connection without a word, and a 1.0 client that did not ask is told
 * nothing. */
static void test_only_who_asked_is_told_of_keep_alive(void **state)
{
	static const char input[] = "HTTP/1.1 200 OK\r\nDate: then\r\nContent-Length: 0\r\n\r\n";
	const struct forward_response cases[] = { { .client_minor = 0 }, { .client_minor = 1 },
		{ .client_minor = 1, .keep_alive_10 = true } };

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
		assert_string_equal(respond(input, METHOD_GET, &cases[i]), input);
}

/* RFC 9110 15.2: an interim response goes on with its own fields and nothing of ours. */
static void test_interim_responses_gain_nothing(void **state)
{
	static const char *const inputs[] = { "HTTP/1.1 100 Continue\r\n\r\n",
		"HTTP/1.1 103 Early Hints\r\nLink: a\r\n\r\n", "HTTP/1.1 199 x\r\nA: b\r\n\r\n" };
	const struct forward_response how = { .date = slice_of_string("now"),
		.close = true,
		.cookie = slice_of_string("s"),
		.cookie_value = slice_of_string("1") };

	(void)state;
	for (size_t i = 0; i < sizeof inputs / sizeof inputs[0]; i++)
		assert_string_equal(respond(inputs[i], METHOD_GET, &how), inputs[i]);
}

/* A cookie that backends neither get nor set. */
static void test_cookie(void **state)
{
	static const char asked[] =
		"GET / HTTP/1.1\r\n" HOST "Cookie: a=1; s=0; b=2\r\nX: s=1\r\nCookie: s=9\r\n\r\n";
	static const char said[] = "HTTP/1.1 200 OK\r\nSet-Cookie: a=1\r\nSet-Cookie: s=1\r\n"
				   "Content-Length: 0\r\nDate: then\r\n\r\n";
	struct forward_request there = usual();
	struct forward_response back = { .client_minor = 1, .cookie = slice_of_string("s") };

	(void)state;
	there.cookie = slice_of_string("s");
	assert_string_equal(forward(asked, &there),
		"GET / HTTP/1.1\r\nHost: backend:8001\r\nX: s=1\r\nCookie: a=1; b=2\r\n" OURS);
	assert_string_equal(respond(said, METHOD_GET, &back),
		"HTTP/1.1 200 OK\r\nSet-Cookie: a=1\r\nDate: then\r\nContent-Length: 0\r\n\r\n");
	back.cookie_value = slice_of_string("0af3");
	assert_string_equal(respond(said, METHOD_GET, &back),
		"HTTP/1.1 200 OK\r\nSet-Cookie: a=1\r\nDate: then\r\nContent-Length: 0\r\n"
		"Set-Cookie: s=0af3; Path=/; HttpOnly; SameSite=Lax\r\n"
		"Cache-Control: private\r\n\r\n");
	assert_string_equal(respond("HTTP/1.1 103 Early\r\n\r\n", METHOD_GET, &back),
		"HTTP/1.1 103 Early\r\n\r\n");
	assert_non_null(strstr(respond("HTTP/1.1 101 Up\r\nConnection: upgrade\r\n"
				       "Upgrade: websocket\r\n\r\n",
				       METHOD_GET, &back),
		"Set-Cookie: s=0af3"));
	assert_non_null(strstr(
		respond("HTTP/1.1 500 No\r\n\r\n", METHOD_GET, &back), "Set-Cookie: s=0af3"));
}

static void test_responses_without_body(void **state)
{
	struct forward_response how = { .client_minor = 1, .close = true };

	(void)state;
	assert_string_equal(
		respond("HTTP/1.1 200 OK\r\nContent-Length: 9\r\nA: b\r\n\r\n", METHOD_HEAD, &how),
		"HTTP/1.1 200 OK\r\nA: b\r\nContent-Length: 9\r\nConnection: close\r\n\r\n");
	assert_string_equal(
		respond("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", METHOD_HEAD, &how),
		"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n");
	assert_string_equal(respond("HTTP/1.1 103 Early\r\nLink: a\r\nContent-Length: 9\r\n"
				    "Connection: close\r\n\r\n",
				    METHOD_GET, &how),
		"HTTP/1.1 103 Early\r\nLink: a\r\n\r\n");
	assert_string_equal(respond("HTTP/1.1 101 Go\r\nUpgrade: WebSocket\r\nA: b\r\n"
				    "Connection: upgrade\r\nTransfer-Encoding: chunked\r\n\r\n",
				    METHOD_GET, &how),
		"HTTP/1.1 101 Go\r\nA: b\r\nConnection: Upgrade\r\nUpgrade: WebSocket\r\n\r\n");
}

/* A response written for either kind of client has one reading, and that is the framing promised.
 */
static void test_response_framing(void **state)
{
	static const char *const inputs[] = {
		"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
		"HTTP/1.1 200 OK\r\nA: b\r\n\r\n",
		"HTTP/1.0 404 OK\r\nA:b\r\n\r\n",
		"HTTP/1.1 304 OK\r\nContent-Length: 5\r\n\r\n",
		"HTTP/1.1 204 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
	};
	static struct response back;

	(void)state;
	for (size_t i = 0; i < 2 * sizeof inputs / sizeof inputs[0]; i++) {
		struct forward_response how = { .client_minor = i % 2, .keep_alive_10 = true };
		const char *text = respond(inputs[i / 2], METHOD_GET, &how);
		struct body promised = forward_response_body(&response, how.client_minor);

		assert_int_equal(response_parse(&back, text, strlen(text), 0, METHOD_GET, &limits),
			PARSE_DONE);
		assert_int_equal(back.head_len, strlen(text));
		assert_true(same_framing(promised, back.body));
		assert_int_equal(back.keep_alive, promised.kind != BODY_UNTIL_CLOSE);
	}
}

static void test_overflow(void **state)
{
	static const char input[] = "GET / HTTP/1.1\r\n" HOST "A: b\r\n\r\n";
	struct forward_request how = usual();

	(void)state;
	for (size_t cap = 0; cap < strlen(forward(input, &how)); cap++) {
		struct text out = text_over(room, cap);

		room[cap] = '!';
		forward_request(&out, &request, &how);
		assert_true(out.overflow);
		assert_int_equal(room[cap], '!');
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_requests),
		cmocka_unit_test(test_host_and_peer),
		cmocka_unit_test(test_via_and_cdn_loop),
		cmocka_unit_test(test_via_of_a_response),
		cmocka_unit_test(test_client),
		cmocka_unit_test(test_lists_that_swallow),
		cmocka_unit_test(test_via_that_swallows),
		cmocka_unit_test(test_paths),
		cmocka_unit_test(test_invariant),
		cmocka_unit_test(test_extra),
		cmocka_unit_test(test_responses),
		cmocka_unit_test(test_only_who_asked_is_told_of_keep_alive),
		cmocka_unit_test(test_interim_responses_gain_nothing),
		cmocka_unit_test(test_cookie),
		cmocka_unit_test(test_responses_without_body),
		cmocka_unit_test(test_response_framing),
		cmocka_unit_test(test_overflow),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
