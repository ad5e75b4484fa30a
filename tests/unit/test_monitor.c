/* What the monitor concludes from checks, failures, time and answers: nothing here opens a socket.
 */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <errno.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "monitor/check_request.h"
#include "monitor/check_response.h"
#include "monitor/confine.h"
#include "monitor/eject.h"
#include "monitor/ramp.h"
#include "monitor/rise_fall.h"

#define SECOND UINT64_C(1000000)

static const struct check_settings check = {
	.interval = 2000,
	.fast_interval = 500,
	.rise = 2,
	.fall = 3,
	.status_least = 200,
	.status_most = 399,
};

/* Takes results, "+" and "-", and writes what changed: "u", "d" or ".". */
static const char *take(struct rise_fall *c, const char *results)
{
	static char out[32];
	size_t n = 0;

	for (; *results != '\0'; results++)
		out[n++] = ".ud"[rise_fall_take(c, &check, *results == '+')];
	out[n] = '\0';
	return out;
}

static void test_checks(void **state)
{
	struct rise_fall c;

	(void)state;
	rise_fall_init(&c, true, true);
	assert_string_equal(take(&c, "--+--+---"), "........d");
	assert_string_equal(take(&c, "-+-+-++"), "......u");
	rise_fall_fail(&c);
	assert_string_equal(take(&c, "+-++"), "...u");
	/* The first result of all is believed. */
	rise_fall_init(&c, true, false);
	assert_string_equal(take(&c, "-++"), "d.u");
	rise_fall_init(&c, true, false);
	assert_string_equal(take(&c, "+---"), "...d");
}

static void test_pauses(void **state)
{
	struct rise_fall c;

	(void)state;
	rise_fall_init(&c, true, true);
	assert_int_equal(rise_fall_pause_us(&c, &check, 0), 1800000);
	assert_int_equal(rise_fall_pause_us(&c, &check, 400000), 2200000);
	assert_int_equal(rise_fall_pause_us(&c, &check, 400001), 1800000);
	(void)take(&c, "-");
	assert_int_equal(rise_fall_pause_us(&c, &check, 50000), 500000);
	(void)take(&c, "--");
	assert_int_equal(rise_fall_pause_us(&c, &check, 200000), 2000000);
}

static const struct eject_settings usual = {
	.failures = 5, .time = 10000, .time_max = 300000, .most = 50
};

static struct rows_tally total;
static struct eject eject;
static uint64_t again_us;

static bool look(const struct eject_settings *settings, uint64_t now_us)
{
	struct eject_cause cause;

	return eject_look(&eject, settings, &total, now_us, &cause, &again_us);
}

static void begin(const struct eject_settings *settings)
{
	total = (struct rows_tally){ .counts = { 0 } };
	total.counts[ROWS_RESPONSES] = 1000;
	total.counts[ROWS_CUT] = 7;
	eject = (struct eject){ 0 };
	eject_begin(&eject, settings, &total);
}

/* A window of the default settings begins with a response that was cut, and that is not enough. */
static void begin_window(uint64_t now_us)
{
	begin(&usual);
	total.counts[ROWS_CUT]++;
	assert_false(look(&usual, now_us));
}

static void test_failures_in_a_row(void **state)
{
	(void)state;
	begin(&usual);
	assert_false(look(&usual, SECOND));
	total.counts[ROWS_CUT] += 4;
	assert_false(look(&usual, SECOND));
	total.counts[ROWS_RESPONSES]++;
	total.counts[ROWS_CUT]++;
	assert_false(look(&usual, SECOND));
	total.counts[ROWS_CONNECT_FAILED] += 2;
	total.counts[ROWS_TIMED_OUT] += 2;
	assert_false(look(&usual, SECOND));
	total.counts[ROWS_BAD_RESPONSE]++;
	assert_true(look(&usual, SECOND));
	/* A status of 500 is an answer. */
	begin(&usual);
	total.counts[ROWS_5XX] += 100;
	total.counts[ROWS_RESPONSES] += 100;
	assert_false(look(&usual, SECOND));
}

static void test_status_is_a_failure(void **state)
{
	struct eject_settings s = usual;

	(void)state;
	s.on_5xx = true;
	begin(&s);
	total.counts[ROWS_5XX] += 4;
	total.counts[ROWS_RESPONSES] += 4;
	assert_false(look(&s, SECOND));
	total.counts[ROWS_5XX]++;
	total.counts[ROWS_RESPONSES]++;
	assert_true(look(&s, SECOND));
}

/* Every other request fails: never five in a row. */
static void test_many_of_a_second(void **state)
{
	(void)state;
	begin(&usual);
	total.counts[ROWS_CUT]++;
	total.counts[ROWS_RESPONSES]++;
	assert_false(look(&usual, 100 * SECOND));
	assert_int_equal(again_us, 101 * SECOND);
	total.counts[ROWS_CUT] += 20;
	total.counts[ROWS_RESPONSES] += 18;
	assert_false(look(&usual, 100 * SECOND + 1000));
	assert_int_equal(again_us, 101 * SECOND);
	assert_true(look(&usual, 101 * SECOND));

	begin_window(100 * SECOND);
	total.counts[ROWS_CUT] += 20;
	total.counts[ROWS_RESPONSES] += 20;
	assert_false(look(&usual, 101 * SECOND));
	/* Then nothing fails any more, and nobody looks for ever. */
	for (uint64_t now = 102; again_us != 0; now++) {
		assert_true(now < 110);
		assert_false(look(&usual, now * SECOND));
	}
}

/* What was fine before does not excuse it, and few requests are no proof. */
static void test_window(void **state)
{
	(void)state;
	begin_window(SECOND);
	total.counts[ROWS_RESPONSES] += 100000;
	total.counts[ROWS_CUT]++;
	assert_false(look(&usual, 50 * SECOND));
	total.counts[ROWS_CUT] += 30;
	total.counts[ROWS_RESPONSES] += 10;
	assert_true(look(&usual, 51 * SECOND));
	begin_window(SECOND);
	total.counts[ROWS_CUT] += 10;
	total.counts[ROWS_RESPONSES] += 5;
	assert_false(look(&usual, 2 * SECOND));
}

static void test_off(void **state)
{
	struct eject_settings s = usual;

	(void)state;
	s.failures = 0;
	begin(&s);
	total.counts[ROWS_CUT] += 1000;
	assert_false(look(&s, SECOND));
	assert_int_equal(again_us, 0);
}

/* It doubles, and is forgiven. */
static void test_ejection_grows(void **state)
{
	struct eject_settings s = usual;
	uint64_t now = 1000 * SECOND;

	(void)state;
	s.time_max = 60000;
	begin(&s);
	for (uint64_t ms = 10000; ms <= 40000; ms *= 2) {
		assert_int_equal(eject_start(&eject, &s, now), ms);
		assert_int_equal(eject.until_us, now + ms * 1000);
		now = eject.until_us;
		eject_end(&eject, &s, &total, now);
		assert_int_equal(eject.until_us, 0);
	}
	for (int i = 0; i < 3; i++) {
		assert_int_equal(eject_start(&eject, &s, now), 60000);
		now = eject.until_us;
		eject_end(&eject, &s, &total, now);
	}
	assert_int_equal(eject_start(&eject, &s, now + 60 * SECOND), 30000);
	now = eject.until_us;
	eject_end(&eject, &s, &total, now);
	assert_int_equal(eject_start(&eject, &s, now + 3600 * SECOND), 10000);
}

static void test_most(void **state)
{
	struct eject_settings s = usual;

	(void)state;
	assert_int_equal(eject_most(&s, 0), 0);
	assert_int_equal(eject_most(&s, 1), 0);
	assert_int_equal(eject_most(&s, 2), 1);
	assert_int_equal(eject_most(&s, 3), 1);
	assert_int_equal(eject_most(&s, 10), 5);
	s.most = 10;
	assert_int_equal(eject_most(&s, 2), 1);
	s.most = 0;
	assert_int_equal(eject_most(&s, 10), 0);
}

static void test_ramp(void **state)
{
	uint64_t next, at = 0;
	unsigned steps = 0, last = 0;

	(void)state;
	assert_int_equal(ramp_share(0, 10000, &next), 26);
	assert_int_equal(ramp_share(5 * SECOND, 10000, &next), 128);
	assert_int_equal(ramp_share(10 * SECOND, 10000, &next), 256);
	assert_int_equal(next, 0);
	assert_int_equal(ramp_share(0, 0, &next), 256);
	for (;; at += next, steps++) {
		unsigned share = ramp_share(at, 10000, &next);

		assert_true(share >= last);
		last = share;
		if (next == 0)
			break;
	}
	assert_in_range(steps, 19, 21);
	assert_int_equal(last, 256);
	assert_int_equal(ramp_age_us(26, 10000), 0);
	assert_int_equal(ramp_age_us(128, 10000), 5 * SECOND);
}

static const struct judgement {
	const char *answer;
	const char *body; /* that it must have */
	bool ended;
	enum check_response verdict;
	const char *why;
} judgements[] = {
	{ "", NULL, false, CHECK_RESPONSE_PARTIAL, "" },
	{ "HTTP/1.1 200", NULL, false, CHECK_RESPONSE_PARTIAL, "" },
	{ "HTTP/1.1 200 OK\r\n\r\n", NULL, false, CHECK_RESPONSE_GOOD, "" },
	{ "HTTP/1.0 399\r\n\r\n", NULL, false, CHECK_RESPONSE_GOOD, "" },
	{ "HTTP/1.1 404 N\r\n\r\n", NULL, false, CHECK_RESPONSE_BAD, "status 404" },
	{ "HTTP/1.1 103 E\r\n\r\nHTTP/1.1 503 N\r\n\r\n", NULL, false, CHECK_RESPONSE_BAD,
		"status 503" },
	{ "HTTP/1.1 199 X\r\n\r\nHTTP/1.1 503 N\r\n\r\n", NULL, false, CHECK_RESPONSE_BAD,
		"status 503" },
	{ "HTTP/1.1 100 C\r\n\r\n", NULL, false, CHECK_RESPONSE_PARTIAL, "" },
	{ "", NULL, true, CHECK_RESPONSE_BAD, "the connection was closed before an answer" },
	{ "SSH-2.0-x\r\n", NULL, false, CHECK_RESPONSE_BAD, "a bad answer: " },
	{ "HTTP/1.1 200 OK\r\n\r\nwell", "well", false, CHECK_RESPONSE_GOOD, "" },
	{ "HTTP/1.1 200 OK\r\n\r\nwel", "well", false, CHECK_RESPONSE_PARTIAL, "" },
	{ "HTTP/1.1 200 OK\r\n\r\nwel", "well", true, CHECK_RESPONSE_BAD, "the body" },
	{ "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nwell", "well", false, CHECK_RESPONSE_BAD,
		"the body" },
	{ "HTTP/1.1 200 OK\r\nX: well\r\nContent-Length: 0\r\n\r\n", "well", false,
		CHECK_RESPONSE_BAD, "the body" },
	{ "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nwe\r\n2\r\nll\r\n", "well",
		false, CHECK_RESPONSE_GOOD, "" },
	{ "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nwe\r\n", "well", false,
		CHECK_RESPONSE_PARTIAL, "" },
	{ "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nwe\r\n0\r\n\r\n", "well",
		false, CHECK_RESPONSE_BAD, "the body" },
	{ "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz", "well", false,
		CHECK_RESPONSE_BAD, "the body" },
};

static void test_answers(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof judgements / sizeof *judgements; i++) {
		const struct judgement *j = &judgements[i];
		struct check_settings c = check;
		char bytes[256], body[16];
		struct text why = text_over(bytes, sizeof bytes);

		if (j->body != NULL)
			c.body = strcpy(body, j->body);
		assert_int_equal(
			check_response_judge(j->answer, strlen(j->answer), j->ended, &c, &why),
			j->verdict);
		assert_memory_equal(text_string(&why), j->why, strlen(j->why));
	}
}

/* Only the first 64 KiB count. */
static void test_long_body(void **state)
{
	static const char head[] = "HTTP/1.1 200 OK\r\n\r\n";
	static char answer[sizeof head + CHECK_RESPONSE_BODY_MAX + 100];
	struct check_settings c = check;
	char bytes[256], body[] = "well";
	struct text why = text_over(bytes, sizeof bytes);
	size_t len = sizeof head - 1;

	(void)state;
	c.body = body;
	memset(answer, 'x', sizeof answer);
	memcpy(answer, head, len);
	memcpy(answer + len + CHECK_RESPONSE_BODY_MAX - 4, "well", 4);
	assert_int_equal(
		check_response_judge(answer, len + CHECK_RESPONSE_BODY_MAX, false, &c, &why),
		CHECK_RESPONSE_GOOD);
	memmove(answer + len + 1, answer + len, CHECK_RESPONSE_BODY_MAX);
	assert_int_equal(
		check_response_judge(answer, len + CHECK_RESPONSE_BODY_MAX + 1, false, &c, &why),
		CHECK_RESPONSE_BAD);
}

/* One chunk with more than is looked at, all of it read at once. */
static void test_long_chunk(void **state)
{
	static const char head[] = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n11000\r\n";
	static char answer[sizeof head + 0x11000];
	struct check_settings c = check;
	char bytes[256], body[] = "well";
	struct text why = text_over(bytes, sizeof bytes);
	size_t len = sizeof head - 1;

	(void)state;
	c.body = body;
	memset(answer, 'x', sizeof answer);
	memcpy(answer, head, len);
	memcpy(answer + len + CHECK_RESPONSE_BODY_MAX - 4, "well", 4);
	assert_int_equal(
		check_response_judge(answer, len + 0x11000, false, &c, &why), CHECK_RESPONSE_GOOD);
	memmove(answer + len + 1, answer + len, CHECK_RESPONSE_BODY_MAX);
	assert_int_equal(
		check_response_judge(answer, len + 0x11000, false, &c, &why), CHECK_RESPONSE_BAD);
}

static void test_request(void **state)
{
	char path[] = "/app/", authority[] = "a:81", asked[] = "/up?x=1", host[] = "b";
	const struct backend_settings backend = { .url = { .path = path, .authority = authority } };
	struct check_settings c = check;
	char bytes[256];
	struct text out = text_over(bytes, sizeof bytes);

	(void)state;
	c.path = asked;
	assert_true(check_request_write(&out, &backend, &c));
	assert_string_equal(text_string(&out),
		"GET /app/up?x=1 HTTP/1.1\r\nHost: a:81\r\nUser-Agent: tinylb\r\nAccept: */*\r\n"
		"Connection: close\r\n\r\n");
	c.host = host;
	out = text_over(bytes, 40);
	assert_false(check_request_write(&out, &backend, &c));
}

/* The path of a backend may be empty; each method has its word. */
static void test_methods(void **state)
{
	static const char *const words[] = {
		[CHECK_GET] = "GET /up HTTP/1.1\r\n",
		[CHECK_HEAD] = "HEAD /up HTTP/1.1\r\n",
		[CHECK_OPTIONS] = "OPTIONS /up HTTP/1.1\r\n",
	};
	char path[] = "", authority[] = "a:81", asked[] = "/up", host[] = "b";
	const struct backend_settings backend = { .url = { .path = path, .authority = authority } };
	struct check_settings c = check;
	char bytes[256];

	(void)state;
	c.path = asked;
	c.host = host;
	for (int method = CHECK_GET; method <= CHECK_OPTIONS; method++) {
		struct text out = text_over(bytes, sizeof bytes);

		c.method = method;
		assert_true(check_request_write(&out, &backend, &c));
		assert_memory_equal(text_string(&out), words[method], strlen(words[method]));
		assert_non_null(strstr(text_string(&out), "\r\nHost: b\r\n"));
	}
}

/* An answer to HEAD has no body, whatever its head says. */
static void test_answer_to_head(void **state)
{
	static const char answer[] = "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n";
	static const char more[] = "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nwell";
	struct check_settings c = check;
	char bytes[256], body[] = "w";
	struct text why = text_over(bytes, sizeof bytes);

	(void)state;
	c.method = CHECK_HEAD;
	c.body = body;
	assert_int_equal(check_response_judge(answer, sizeof answer - 1, false, &c, &why),
		CHECK_RESPONSE_BAD);
	assert_int_equal(
		check_response_judge(more, sizeof more - 1, false, &c, &why), CHECK_RESPONSE_BAD);
	c.method = CHECK_GET;
	assert_int_equal(check_response_judge(answer, sizeof answer - 1, false, &c, &why),
		CHECK_RESPONSE_PARTIAL);
}

static void test_kinds(void **state)
{
	static const struct {
		enum rows_count count;
		const char *name;
	} cases[] = {
		{ ROWS_CONNECT_FAILED, "no connection" },
		{ ROWS_CUT, "closed before the end of an answer" },
		{ ROWS_TIMED_OUT, "no answer in time" },
		{ ROWS_BAD_RESPONSE, "an answer that is not HTTP" },
		{ ROWS_5XX, "a status of 500 or more" },
	};
	struct eject_kinds before, now;

	(void)state;
	begin(&usual);
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		before = eject_kinds(&total);
		for (size_t k = 0; k < sizeof cases / sizeof *cases; k++)
			total.counts[cases[k].count] += k == i ? 3 : 2;
		now = eject_kinds(&total);
		assert_string_equal(eject_main_kind(&before, &now), cases[i].name);
	}
}

/* Half of the requests is not more than half. */
static void test_half_fails(void **state)
{
	(void)state;
	begin_window(100 * SECOND);
	total.counts[ROWS_CUT] += 10;
	total.counts[ROWS_RESPONSES] += 10;
	assert_false(look(&usual, 101 * SECOND));
	assert_int_equal(again_us, 0);
	begin_window(100 * SECOND);
	total.counts[ROWS_CUT] += 11;
	total.counts[ROWS_RESPONSES] += 9;
	assert_true(look(&usual, 101 * SECOND));
	/* 19 requests are too few; the window goes on, for a second more. */
	begin_window(100 * SECOND);
	total.counts[ROWS_CUT] += 4;
	total.counts[ROWS_RESPONSES] += 15;
	assert_false(look(&usual, 101 * SECOND));
	assert_int_equal(again_us, 101 * SECOND + SECOND / 2);
	assert_false(look(&usual, 102 * SECOND));
	assert_int_equal(again_us, 0);
}

/* However it is cut: nothing is wrong before the text has come. */
static void test_every_piece(void **state)
{
	static const char answer[] =
		"HTTP/1.1 103 E\r\n\r\nHTTP/1.1 200 OK\r\n"
		"Transfer-Encoding: chunked\r\n\r\n2\r\nwe\r\n1\r\nl\r\n1\r\nl";
	struct check_settings c = check;
	char bytes[256], body[] = "well";
	struct text why = text_over(bytes, sizeof bytes);

	(void)state;
	c.body = body;
	for (size_t len = 0; len < sizeof answer - 1; len++)
		assert_int_equal(
			check_response_judge(answer, len, false, &c, &why), CHECK_RESPONSE_PARTIAL);
	assert_int_equal(check_response_judge(answer, sizeof answer - 1, false, &c, &why),
		CHECK_RESPONSE_GOOD);
}

/* Several chunks with more than is looked at; and a body of just so much. */
static void test_limits_of_bodies(void **state)
{
	static const char head[] = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
	static const char plain[] = "HTTP/1.1 200 OK\r\n\r\n";
	static char answer[sizeof head + 3 * 0xc010];
	struct check_settings c = check;
	char bytes[256], body[] = "well";
	struct text why = text_over(bytes, sizeof bytes);
	size_t len = sizeof head - 1;

	(void)state;
	c.body = body;
	memcpy(answer, head, len);
	for (int i = 0; i < 3; i++) {
		memcpy(answer + len, "c000\r\n", 6);
		memset(answer + len + 6, 'x', 0xc000);
		memcpy(answer + len + 6 + 0xc000, "\r\n", 2);
		len += 0xc000 + 8;
	}
	/* In the last of the bytes that are looked at, and one behind. */
	memcpy(answer + sizeof head - 1 + 0xc000 + 8 + 6 + 0x4000 - 4, "well", 4);
	assert_int_equal(check_response_judge(answer, len, false, &c, &why), CHECK_RESPONSE_GOOD);
	memcpy(answer + sizeof head - 1 + 0xc000 + 8 + 6 + 0x4000 - 4, "xwel", 4);
	answer[sizeof head - 1 + 0xc000 + 8 + 6 + 0x4000] = 'l';
	assert_int_equal(check_response_judge(answer, len, false, &c, &why), CHECK_RESPONSE_BAD);
	memcpy(answer, plain, sizeof plain - 1);
	memset(answer + sizeof plain - 1, 'x', CHECK_RESPONSE_BODY_MAX);
	len = sizeof plain - 1 + CHECK_RESPONSE_BODY_MAX;
	assert_int_equal(check_response_judge(answer, len, false, &c, &why), CHECK_RESPONSE_BAD);
	assert_int_equal(
		check_response_judge(answer, len - 1, false, &c, &why), CHECK_RESPONSE_PARTIAL);
}

/* What eject_begin forgives is not found in a window that was open. */
static void test_begin_closes_the_window(void **state)
{
	(void)state;
	begin_window(100 * SECOND);
	total.counts[ROWS_CUT] += 40;
	eject_begin(&eject, &usual, &total);
	total.counts[ROWS_RESPONSES]++;
	total.counts[ROWS_CUT]++;
	assert_false(look(&usual, 101 * SECOND));
	assert_int_equal(again_us, 102 * SECOND);
}

static void test_windows_end(void **state)
{
	(void)state;
	/* Nothing more has failed. */
	begin_window(100 * SECOND);
	assert_false(look(&usual, 101 * SECOND));
	assert_int_equal(again_us, 0);
	/* One more has. */
	begin_window(100 * SECOND);
	total.counts[ROWS_CUT]++;
	assert_false(look(&usual, 101 * SECOND));
	assert_int_equal(again_us, 101 * SECOND + SECOND / 2);
	/* After a window that was fine another one begins. */
	begin_window(100 * SECOND);
	total.counts[ROWS_CUT] += 10;
	total.counts[ROWS_RESPONSES] += 10;
	assert_false(look(&usual, 101 * SECOND));
	total.counts[ROWS_CUT] += 30;
	total.counts[ROWS_RESPONSES]++;
	assert_false(look(&usual, 101 * SECOND + SECOND / 2));
	assert_int_equal(again_us, 102 * SECOND + SECOND / 2);
	/* And after one that nothing failed in. */
	begin_window(100 * SECOND);
	assert_false(look(&usual, 103 * SECOND));
	assert_int_equal(eject.window_us, 0);
}

static void test_cause(void **state)
{
	struct eject_cause cause = { 1, 2, 3 };

	(void)state;
	begin(&usual);
	assert_false(eject_look(&eject, &usual, &total, SECOND, &cause, &again_us));
	assert_int_equal(cause.in_a_row, 0);
	assert_int_equal(cause.failures, 0);
	assert_int_equal(cause.requests, 0);
	total.counts[ROWS_TIMED_OUT] += 3;
	total.counts[ROWS_BAD_RESPONSE] += 3;
	assert_true(eject_look(&eject, &usual, &total, SECOND, &cause, &again_us));
	assert_int_equal(cause.in_a_row, 6);
}

/* The last ejection was by settings that have a longer time_max. */
static void test_shorter_time_max(void **state)
{
	struct eject_settings s = usual;

	(void)state;
	begin(&s);
	eject.next_ms = 200000;
	eject.well_us = 1000 * SECOND;
	s.time_max = 60000;
	assert_int_equal(eject_start(&eject, &s, 1000 * SECOND), 60000);
	/* What fails while it is ejected does not count. */
	total.counts[ROWS_CUT] += 50;
	eject_end(&eject, &s, &total, 1060 * SECOND);
	assert_false(look(&s, 1061 * SECOND));
	assert_int_equal(again_us, 0);
	assert_int_equal(eject_most(&s, 198), 99);
}

/* Which call went through that should not; 0: none. */
static int try_calls(void)
{
	static const long denied[] = { SYS_ptrace, SYS_unshare, 0x40000000 | SYS_getpid };

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == -1 || !confine_enter())
		return 0; /* there is no filter here */
	for (size_t i = 0; i < sizeof denied / sizeof *denied; i++)
		if (syscall(denied[i], 0, 0, 0, 0) != -1 || errno != EPERM)
			return (int)i + 1;
	return getppid() > 1 ? 0 : 100;
}

/* Whichever way a call is numbered. */
static void test_confined(void **state)
{
	pid_t pid = fork();
	int status;

	(void)state;
	assert_int_not_equal(pid, -1);
	if (pid == 0)
		_exit(try_calls());
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_checks),
		cmocka_unit_test(test_pauses),
		cmocka_unit_test(test_failures_in_a_row),
		cmocka_unit_test(test_status_is_a_failure),
		cmocka_unit_test(test_many_of_a_second),
		cmocka_unit_test(test_window),
		cmocka_unit_test(test_off),
		cmocka_unit_test(test_ejection_grows),
		cmocka_unit_test(test_most),
		cmocka_unit_test(test_ramp),
		cmocka_unit_test(test_answers),
		cmocka_unit_test(test_long_body),
		cmocka_unit_test(test_long_chunk),
		cmocka_unit_test(test_request),
		cmocka_unit_test(test_methods),
		cmocka_unit_test(test_answer_to_head),
		cmocka_unit_test(test_kinds),
		cmocka_unit_test(test_half_fails),
		cmocka_unit_test(test_every_piece),
		cmocka_unit_test(test_limits_of_bodies),
		cmocka_unit_test(test_begin_closes_the_window),
		cmocka_unit_test(test_windows_end),
		cmocka_unit_test(test_cause),
		cmocka_unit_test(test_shorter_time_max),
		cmocka_unit_test(test_confined),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
