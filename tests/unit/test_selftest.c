/* The judging parts of the selftest: what counts as lost, what an answer has to be, the table. */
#include "config.h"

#include "command/selftest/selftest_probe.h"
#include "command/selftest/selftest_tally.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

static struct response scratch;

/* --- outcomes --- */

static void test_outcomes(void **state)
{
	static const struct {
		struct fate fate;
		enum outcome outcome;
		bool lost;
	} cases[] = {
		{ { .how = ENDING_ANSWERED, .right = true }, OUTCOME_RIGHT, false },
		{ { .how = ENDING_ANSWERED }, OUTCOME_WRONG, true },
		/* a killed worker excuses no wrong answer */
		{ { .how = ENDING_ANSWERED, .was_killed = true }, OUTCOME_WRONG, true },
		{ { .how = ENDING_ANSWERED, .was_warned = true }, OUTCOME_WRONG, true },
		{ { .how = ENDING_REFUSED }, OUTCOME_REFUSED, true },
		/* what was refused cannot have been held */
		{ { .how = ENDING_REFUSED, .was_killed = true }, OUTCOME_REFUSED, true },
		{ { .how = ENDING_REFUSED, .was_warned = true }, OUTCOME_AWAY, false },
		{ { .how = ENDING_CLOSED }, OUTCOME_RESET, true },
		{ { .how = ENDING_CLOSED, .began = true }, OUTCOME_CUT, true },
		{ { .how = ENDING_CLOSED, .was_killed = true }, OUTCOME_KILLED, false },
		{ { .how = ENDING_CLOSED, .began = true, .was_killed = true }, OUTCOME_KILLED,
			false },
		{ { .how = ENDING_CLOSED, .was_warned = true }, OUTCOME_AWAY, false },
		/* who was let in has to be served to the end */
		{ { .how = ENDING_CLOSED, .began = true, .was_warned = true }, OUTCOME_CUT, true },
		{ { .how = ENDING_LATE }, OUTCOME_LATE, true },
		{ { .how = ENDING_LATE, .was_killed = true }, OUTCOME_LATE, true },
		{ { .how = ENDING_LATE, .was_warned = true }, OUTCOME_LATE, true },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct tally tally = { 0 };

		assert_int_equal(selftest_tally_outcome(&cases[i].fate), cases[i].outcome);
		selftest_tally_add(&tally, selftest_tally_outcome(&cases[i].fate), 0);
		assert_int_equal(selftest_tally_lost(&tally), cases[i].lost);
		assert_int_equal(selftest_tally_sent(&tally), cases[i].outcome != OUTCOME_AWAY);
	}
}

static void test_slowest_is_that_of_right_answers(void **state)
{
	struct tally tally = { 0 };

	(void)state;
	selftest_tally_add(&tally, OUTCOME_RIGHT, 7000);
	selftest_tally_add(&tally, OUTCOME_RIGHT, 5000);
	selftest_tally_add(&tally, OUTCOME_LATE, 9000000);
	assert_int_equal(tally.slowest_us, 7000);
}

static void test_table(void **state)
{
	struct tally_row rows[] = { { .name = "quiet" }, { .name = "kill" } };
	char *text = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);

	(void)state;
	assert_non_null(out);
	for (int i = 0; i < 10; i++)
		selftest_tally_add(&rows[0].tally, OUTCOME_RIGHT, 1500);
	for (int i = 0; i < OUTCOME_COUNT; i++)
		for (int k = 0; k <= i; k++)
			selftest_tally_add(&rows[1].tally, (enum outcome)i, 2000);
	selftest_tally_write(out, rows, 2);
	(void)fclose(out);
	assert_string_equal(text, "step     requests answered  refused    reset      cut    wrong  "
				  "   late   killed   max ms\n"
				  "quiet          10       10        0        0        0        0  "
				  "      0        0        2\n"
				  "kill           28        1        2        3        4        5  "
				  "      6        7        2\n"
				  "all            38       11        2        3        4        5  "
				  "      6        7        2\n");
	free(text);
}

/* --- answers --- */

/* What a backend of the demo answers, behind a balancer, to the request `probe`. */
static size_t answer(const struct probe *probe, char out[2 * PROBE_MAX])
{
	static char request[PROBE_MAX], body[2 * PROBE_MAX];
	struct text sent = text_over(request, sizeof request);
	struct text echo = text_over(body, sizeof body), whole = text_over(out, 2 * PROBE_MAX);

	selftest_probe_write(&sent, probe);
	assert_false(sent.overflow);
	text_add_string(&echo, "backend 8001\n\n");
	for (size_t i = 0; i < sent.len; i++) {
		if (sent.data[i] == '\n' && echo.data[echo.len - 1] == '\n')
			text_add_string(&echo, "Via: 1.1 tinylb\n");
		if (sent.data[i] != '\r')
			text_add_char(&echo, sent.data[i]);
	}
	if (probe->post)
		text_add_string(&echo, "\n");
	text_format(&whole, "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\n%s\r\n", echo.len,
		probe->close ? "Connection: close\r\n" : "");
	text_add_slice(&whole, text_slice(&echo));
	assert_false(whole.overflow);
	return whole.len;
}

static enum verdict judge(const struct probe *probe, const char *data, size_t len)
{
	struct judgement judgement;
	enum verdict verdict =
		selftest_probe_judge(probe, slice_of(data, len), &scratch, &judgement);

	assert_true((verdict == VERDICT_WRONG) == (judgement.why != NULL));
	if (verdict == VERDICT_RIGHT)
		assert_int_equal(judgement.keep_alive, !probe->close);
	return verdict;
}

/* Both kinds of requests, short and long. */
static const struct probe probes[] = {
	{ .token = 1, .filler = 1 },
	{ .token = 0xfedcba9876543210, .filler = 700, .close = true },
	{ .token = 2, .filler = 1, .post = true, .close = true },
	{ .token = 3, .filler = 600, .post = true },
};

#define PROBES (sizeof probes / sizeof *probes)

static void test_right_answers_in_pieces(void **state)
{
	static char data[2 * PROBE_MAX];

	(void)state;
	for (size_t i = 0; i < PROBES; i++) {
		size_t len = answer(&probes[i], data);

		for (size_t part = 0; part < len; part++)
			assert_int_equal(judge(&probes[i], data, part), VERDICT_MORE);
		assert_int_equal(judge(&probes[i], data, len), VERDICT_RIGHT);
		assert_int_equal(judge(&probes[i], data, len + 1), VERDICT_WRONG);
	}
}

static void test_answers_to_others(void **state)
{
	static char data[2 * PROBE_MAX];

	(void)state;
	for (size_t i = 0; i < PROBES; i++) {
		size_t len = answer(&probes[i], data);

		for (size_t k = 0; k < PROBES; k++)
			assert_int_equal(judge(&probes[k], data, len),
				i == k ? VERDICT_RIGHT : VERDICT_WRONG);
	}
}

/* Of the bytes that the request determines, none may be another. */
static void test_a_wrong_byte(void **state)
{
	static char data[2 * PROBE_MAX];

	(void)state;
	for (size_t i = 0; i < PROBES; i++) {
		size_t len = answer(&probes[i], data);
		const char *filler = probes[i].post ? strstr(strstr(data, "/selftest/"), "\n\n")
						    : strstr(data, "X-Selftest-Filler");
		size_t at = (size_t)(filler - data) + (probes[i].post ? 2 : 0);
		size_t end = probes[i].post ? len : at + 20 + probes[i].filler;

		for (; at < end; at++) {
			data[at]++;
			assert_int_equal(judge(&probes[i], data, len), VERDICT_WRONG);
			data[at]--;
		}
	}
}

static void test_other_answers(void **state)
{
	static const char *const texts[] = {
		"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n",
		"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
		"HTTP/1.1 200 OK\r\n\r\nbackend 8001\n\n",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
		"HTTP/1.1 100 Continue\r\n\r\n",
		"backend 8001\n\n",
	};

	(void)state;
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
		assert_int_equal(judge(&probes[0], texts[i], strlen(texts[i])), VERDICT_WRONG);
}

static void test_made_requests(void **state)
{
	static char data[PROBE_MAX];
	unsigned posts = 0;
	size_t longest = 0;

	(void)state;
	for (uint64_t i = 0; i < 100000; i++) {
		struct probe probe =
			selftest_probe_make(i, i * UINT64_C(11400714819323198485), i % 2 == 0);

		assert_int_equal(probe.token, i);
		assert_int_equal(probe.close, i % 2 == 0);
		assert_true(probe.filler > 0);
		posts += probe.post;
		if (probe.filler > longest) {
			struct text text = text_over(data, sizeof data);

			longest = probe.filler;
			selftest_probe_write(&text, &probe);
			assert_false(text.overflow);
		}
	}
	assert_in_range(posts, 20000, 30000);
	assert_in_range(longest, 8192, PROBE_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_outcomes),
		cmocka_unit_test(test_slowest_is_that_of_right_answers),
		cmocka_unit_test(test_table),
		cmocka_unit_test(test_right_answers_in_pieces),
		cmocka_unit_test(test_answers_to_others),
		cmocka_unit_test(test_a_wrong_byte),
		cmocka_unit_test(test_other_answers),
		cmocka_unit_test(test_made_requests),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
