/* What is clearly worse, and what may be chance. */
#include "config.h"

#include "master/generations/canary_compare.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static struct board_tally old, new;
static char why[256];

static int set_up(void **state)
{
	(void)state;
	memset(&old, 0, sizeof old);
	memset(&new, 0, sizeof new);
	why[0] = '\0';
	return 0;
}

static void answer(struct board_tally *tally, uint64_t requests, uint64_t us)
{
	tally->counts[BOARD_REQUESTS] += requests;
	tally->latency[board_latency_bucket(us)] += requests;
}

static bool is_worse(void)
{
	return canary_compare_is_worse(&old, &new, why, sizeof why);
}

static void test_nothing_was_seen(void **state)
{
	(void)state;
	assert_false(is_worse());
	answer(&new, 100, 1000);
	new.counts[BOARD_5XX] = 100;
	/* There is nothing to compare with. */
	assert_false(is_worse());
}

static void test_5xx(void **state)
{
	(void)state;
	answer(&old, 1000, 1000);
	answer(&new, 100, 1000);
	old.counts[BOARD_5XX] = 10;
	new.counts[BOARD_5XX] = 1;
	assert_false(is_worse());
	new.counts[BOARD_5XX] = 4; /* four times as often, but there are few of them */
	assert_false(is_worse());
	new.counts[BOARD_5XX] = 12;
	assert_true(is_worse());
	assert_string_equal(why,
		"of 100 requests with the new settings 12 were answered with 5xx, of "
		"1000 with the old ones 10");
}

/* Of `old_total` requests with the old settings `old_events` failed: so many of `new_total` are
 * clearly more, and one less is not. */
static void check_least(uint64_t old_events, uint64_t old_total, uint64_t new_total, uint64_t least)
{
	memset(&old, 0, sizeof old);
	memset(&new, 0, sizeof new);
	old.counts[BOARD_REQUESTS] = old_total;
	old.counts[BOARD_5XX] = old_events;
	new.counts[BOARD_REQUESTS] = new_total;
	new.counts[BOARD_5XX] = least - 1;
	assert_false(is_worse());
	new.counts[BOARD_5XX] = least;
	assert_true(is_worse());
}

static void test_least(void **state)
{
	(void)state;
	/* five at least */
	check_least(0, 1000000, 1000, 5);
	/* four standard errors: by hand, p = 16 / 2000, 16 p (1 - p) (2 / 1000) = 0.000254 and
	 * (16 / 1000)^2 = 0.000256 */
	check_least(0, 1000, 1000, 16);
	check_least(0, 50, 50, 14);
	check_least(10, 1000, 300, 14);
	check_least(100, 1000, 100, 24);
	check_least(2, 400, 8000, 383);
	/* more than twice as often */
	check_least(200, 1000, 1000, 401);
	check_least(3000, 10000, 200, 121);
	check_least(30, 100, 5000, 3001);
}

static void test_one_old_request(void **state)
{
	(void)state;
	old.counts[BOARD_REQUESTS] = 1;
	new.counts[BOARD_REQUESTS] = new.counts[BOARD_5XX] = 1000;
	assert_true(is_worse());
}

static void test_both_are_bad(void **state)
{
	(void)state;
	answer(&old, 1000, 1000);
	answer(&new, 1000, 1000);
	old.counts[BOARD_5XX] = 400;
	new.counts[BOARD_5XX] = 600; /* by far no chance, but not twice as often */
	assert_false(is_worse());
	new.counts[BOARD_5XX] = 900;
	assert_true(is_worse());
}

static void test_connect_errors(void **state)
{
	(void)state;
	answer(&old, 100, 1000);
	answer(&new, 20, 1000);
	new.counts[BOARD_CONNECT_ERRORS] = 4;
	assert_false(is_worse());
	new.counts[BOARD_CONNECT_ERRORS] = 45; /* more than one a request */
	assert_true(is_worse());
	assert_non_null(strstr(why, "20 could not connect to a backend"));
}

static void test_latency(void **state)
{
	(void)state;
	answer(&old, 900, 20000);
	answer(&old, 100, 70000);
	answer(&new, 90, 20000);
	answer(&new, 10, 70000); /* as before */
	assert_false(is_worse());
	answer(&new, 40, 70000);
	assert_true(is_worse());
	assert_non_null(strstr(why, "took more than"));
}

/* Answers that took twice as long as nine in ten of the old ones, and no less, are slow. */
static void test_slow_bucket(void **state)
{
	uint64_t usual;

	(void)state;
	answer(&old, 1000, 8000);
	usual = canary_compare_usual_us(&old);
	assert_int_equal(usual, 8192);
	/* the bucket that ends where slow begins */
	answer(&new, 20, 2 * usual - 1);
	assert_false(is_worse());
	answer(&new, 980, 8000);
	/* and the one that begins there */
	answer(&new, 4, 2 * usual);
	assert_false(is_worse());
	answer(&new, 16, 2 * usual);
	assert_true(is_worse());
	assert_string_equal(why, "of 1020 requests with the new settings 20 took more than 16 ms, "
				 "of 1000 with the old ones 0");
}

static void test_slow_by_five_ms(void **state)
{
	(void)state;
	answer(&old, 1000, 50);
	answer(&new, 50, 4096);
	assert_false(is_worse());
	answer(&new, 50, 6144);
	assert_true(is_worse());
	assert_non_null(strstr(why, "50 took more than 5 ms"));
}

static void test_few_slow(void **state)
{
	(void)state;
	answer(&old, 100000, 50);
	answer(&new, 96, 50);
	answer(&new, 4, 100000);
	assert_false(is_worse());
	answer(&new, 1, 100000);
	assert_true(is_worse());
}

/* Twice of very little is no reason. */
static void test_latency_of_microseconds(void **state)
{
	(void)state;
	answer(&old, 1000, 200);
	answer(&new, 1000, 4000);
	assert_false(is_worse());
	answer(&new, 1000, 12000);
	assert_true(is_worse());
}

static void test_usual(void **state)
{
	(void)state;
	assert_int_equal(canary_compare_usual_us(&old), 0);
	answer(&old, 89, 50);
	answer(&old, 1, 500);
	answer(&old, 10, 50000);
	assert_in_range(canary_compare_usual_us(&old), 500, 1000);
	answer(&new, 1, UINT64_C(100000000));
	assert_true(canary_compare_usual_us(&new) == UINT64_MAX);
	assert_false(canary_compare_is_worse(&new, &old, why, sizeof why));
}

static void test_since(void **state)
{
	struct board_tally since;

	(void)state;
	answer(&old, 5, 1000);
	new = old;
	answer(&new, 7, 1000);
	since = canary_compare_since(&new, &old);
	assert_int_equal(since.counts[BOARD_REQUESTS], 7);
	assert_int_equal(since.latency[board_latency_bucket(1000)], 7);
	for (unsigned i = 0; i < BOARD_COUNTERS; i++) {
		old.counts[i] = 10 + i;
		new.counts[i] = 30 + 3 * i;
	}
	for (unsigned i = 0; i < BOARD_LATENCY_BUCKETS; i++) {
		old.latency[i] = 1;
		new.latency[i] = 5 + i;
	}
	since = canary_compare_since(&new, &old);
	for (unsigned i = 0; i < BOARD_COUNTERS; i++)
		assert_int_equal(since.counts[i], 20 + 2 * i);
	for (unsigned i = 0; i < BOARD_LATENCY_BUCKETS; i++)
		assert_int_equal(since.latency[i], 4 + i);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_nothing_was_seen, set_up),
		cmocka_unit_test_setup(test_5xx, set_up),
		cmocka_unit_test_setup(test_least, set_up),
		cmocka_unit_test_setup(test_one_old_request, set_up),
		cmocka_unit_test_setup(test_both_are_bad, set_up),
		cmocka_unit_test_setup(test_connect_errors, set_up),
		cmocka_unit_test_setup(test_latency, set_up),
		cmocka_unit_test_setup(test_slow_bucket, set_up),
		cmocka_unit_test_setup(test_slow_by_five_ms, set_up),
		cmocka_unit_test_setup(test_few_slow, set_up),
		cmocka_unit_test_setup(test_latency_of_microseconds, set_up),
		cmocka_unit_test_setup(test_usual, set_up),
		cmocka_unit_test_setup(test_since, set_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
