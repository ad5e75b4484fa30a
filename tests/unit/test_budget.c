/* The retry budget: what counts, for how long, and how much it allows. */
#include "config.h"

#include "board/budget.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define SECOND UINT64_C(1000000)
#define NOW    (1000 * SECOND + 500000)

static struct rows_second ring[ROWS_SECONDS];

static int empty(void **state)
{
	(void)state;
	for (unsigned i = 0; i < ROWS_SECONDS; i++)
		ring[i].second = ring[i].requests = ring[i].retries = 0;
	return 0;
}

static void note(uint64_t now_us, unsigned requests, unsigned retries)
{
	while (requests-- > 0)
		budget_note(&budget_slot(ring, now_us)->requests);
	while (retries-- > 0)
		budget_note(&budget_slot(ring, now_us)->retries);
}

static struct budget_sum sum(uint64_t now_us)
{
	struct budget_sum s = { 0 };

	budget_add(ring, now_us, &s);
	return s;
}

static void test_ten_seconds_count(void **state)
{
	(void)state;
	for (uint64_t second = 0; second < 100; second++)
		note(NOW + second * SECOND, 7, 2);
	for (uint64_t later = 0; later < 20; later++) {
		struct budget_sum s = sum(NOW + (99 + later) * SECOND);
		uint64_t seconds = later < 10 ? 10 - later : 0;

		assert_int_equal(s.requests, 7 * seconds);
		assert_int_equal(s.retries, 2 * seconds);
	}
}

/* Whichever slot of the ring a second has. */
static void test_each_second_counts_alone(void **state)
{
	for (uint64_t second = 0; second < 2 * ROWS_SECONDS; second++) {
		empty(state);
		note(NOW + second * SECOND, 3, 2);
		assert_int_equal(sum(NOW + second * SECOND).requests, 3);
		assert_int_equal(sum(NOW + second * SECOND).retries, 2);
	}
}

/* To the microsecond, however long the machine runs. */
static void test_a_second_is_a_second(void **state)
{
	const uint64_t at = 3000000 * SECOND;

	(void)state;
	note(at, 1, 0);
	note(at - 1, 2, 0);
	assert_int_equal(sum(at + 9 * SECOND - 1).requests, 3);
	assert_int_equal(sum(at + 9 * SECOND).requests, 1);
	assert_int_equal(sum(at + 10 * SECOND - 1).requests, 1);
	assert_int_equal(sum(at + 10 * SECOND).requests, 0);
}

/* After a pause the slot that comes next may be of long ago. */
static void test_old_seconds_do_not_come_back(void **state)
{
	(void)state;
	note(NOW, 5, 5);
	note(NOW + 16 * SECOND, 1, 0);
	assert_int_equal(sum(NOW + 16 * SECOND).requests, 1);
	assert_int_equal(sum(NOW + 16 * SECOND).retries, 0);
	assert_int_equal(sum(NOW + 32 * SECOND).requests, 0);
}

/* A reader's clock may be a little behind the writer's. */
static void test_who_is_ahead_counts(void **state)
{
	(void)state;
	note(NOW, 3, 1);
	assert_int_equal(sum(NOW - SECOND).requests, 3);
}

static void test_rings_add_up(void **state)
{
	struct budget_sum s = { .requests = 10, .retries = 4 };

	(void)state;
	note(NOW, 3, 1);
	budget_add(ring, NOW, &s);
	assert_int_equal(s.requests, 13);
	assert_int_equal(s.retries, 5);
}

static bool allows(uint64_t requests, uint64_t retries, unsigned percent, unsigned rate)
{
	struct budget_sum s = { requests, retries };

	return budget_allows(&s, percent, rate);
}

static void test_what_is_allowed(void **state)
{
	(void)state;
	assert_true(allows(0, 0, 20, 10));
	assert_true(allows(0, 99, 20, 10));
	assert_false(allows(0, 100, 20, 10));
	assert_true(allows(1000, 299, 20, 10));
	assert_false(allows(1000, 300, 20, 10));
	assert_true(allows(1000, 9, 1, 0));
	assert_false(allows(1000, 10, 1, 0));
	assert_false(allows(1000, 0, 0, 0));
	assert_true(allows(UINT32_MAX, UINT32_MAX - 1, 100, 0));
	assert_true(allows(0, UINT32_MAX, 0, UINT32_MAX));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_ten_seconds_count, empty),
		cmocka_unit_test_setup(test_each_second_counts_alone, empty),
		cmocka_unit_test_setup(test_a_second_is_a_second, empty),
		cmocka_unit_test_setup(test_old_seconds_do_not_come_back, empty),
		cmocka_unit_test_setup(test_who_is_ahead_counts, empty),
		cmocka_unit_test_setup(test_rings_add_up, empty),
		cmocka_unit_test(test_what_is_allowed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
