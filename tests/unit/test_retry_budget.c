/* Whether a request may be sent again: by what all workers have counted of the last ten seconds. */
#include "config.h"

#include "upstream/retry_budget.h"

#include "base/log.h"
#include "board/budget.h"
#include "pools.h"
#include "said_warnx.h"

static struct pool *const pool = &w.pools[0];

static int begin(void **state)
{
	said_count = 0;
	return pools_begin(state);
}

static void start(int percent, int rate)
{
	w.app.retry.budget = percent;
	w.app.retry.budget_rate = rate;
	pools_start();
}

static bool take(void)
{
	bool is_spent = retry_budget_is_spent(pool, w.loop.now_us);
	bool taken = retry_budget_take(pool, w.loop.now_us);

	assert_int_equal(taken, !is_spent);
	return taken;
}

static void count_requests(unsigned n)
{
	while (n-- > 0)
		retry_budget_count(pool, w.loop.now_us);
}

static void expect_retries(unsigned n)
{
	for (; n > 0; n--)
		assert_true(take());
	assert_false(take());
	assert_false(take());
}

/* Another worker counts in the present second. */
static void count_elsewhere(uint32_t column, uint32_t requests, uint32_t retries)
{
	struct rows_second *second = budget_slot(pools_cells(column)->seconds, w.loop.now_us);

	atomic_store(&second->requests, requests);
	atomic_store(&second->retries, retries);
}

static void test_a_share_of_the_requests(void **state)
{
	(void)state;
	start(20, 0);
	assert_false(take());
	count_requests(50);
	expect_retries(10);
	count_requests(5);
	expect_retries(1);
}

static void test_so_many_a_second(void **state)
{
	(void)state;
	start(0, 2);
	expect_retries(20);
}

static void test_both_are_added(void **state)
{
	(void)state;
	start(10, 1);
	count_requests(30);
	expect_retries(13);
}

static void test_no_budget(void **state)
{
	(void)state;
	start(0, 0);
	count_requests(1000);
	assert_false(take());
}

/* After ten seconds it is as if nothing had been. */
static void test_it_comes_back(void **state)
{
	(void)state;
	start(0, 1);
	expect_retries(10);
	w.loop.now_us += 9 * POOLS_SECOND;
	assert_false(take());
	w.loop.now_us += POOLS_SECOND;
	expect_retries(10);
}

static void test_what_other_workers_count(void **state)
{
	(void)state;
	start(10, 0);
	count_elsewhere(POOLS_OTHER, 100, 0);
	count_elsewhere(0, 50, 2);
	expect_retries(13);
	count_elsewhere(POOLS_OTHER, 100, 1);
	assert_false(take());
	/* A column that no worker ever had is not looked at. */
	count_elsewhere(POOLS_OTHER + 1, 100, 0);
	assert_false(take());
}

/* A worker counts in its own cells, and retries are not requests. */
static void test_what_this_worker_counts(void **state)
{
	const struct rows_second *second;

	(void)state;
	start(50, 0);
	count_requests(4);
	expect_retries(2);
	second = budget_slot(pools_cells(POOLS_OWN)->seconds, w.loop.now_us);
	assert_int_equal(second->requests, 4);
	assert_int_equal(second->retries, 2);
	second = budget_slot(pools_cells(POOLS_OTHER)->seconds, w.loop.now_us);
	assert_int_equal(second->requests, 0);
}

/* To ask takes nothing. */
static void test_to_ask_is_free(void **state)
{
	(void)state;
	start(0, 1);
	for (int i = 0; i < 100; i++)
		assert_false(retry_budget_is_spent(pool, w.loop.now_us));
	expect_retries(10);
	assert_true(retry_budget_is_spent(pool, w.loop.now_us));
}

/* A worker without a place on the board has a budget of its own. */
static void test_without_the_board(void **state)
{
	(void)state;
	w.upstream.rows = NULL;
	start(10, 0);
	count_requests(40);
	expect_retries(4);
	assert_int_equal(budget_slot(pools_cells(POOLS_OWN)->seconds, w.loop.now_us)->requests, 0);
}

static void test_without_a_row(void **state)
{
	(void)state;
	w.app.row = SETTINGS_NO_ROW;
	/* Cells of no pool keep what the tests before counted: it is another time. */
	w.loop.now_us += 100 * POOLS_SECOND;
	start(10, 0);
	count_requests(30);
	expect_retries(3);
}

static void test_it_is_said_once_a_second(void **state)
{
	(void)state;
	start(10, 0);
	count_requests(20);
	assert_true(take());
	assert_true(take());
	assert_int_equal(said_count, 0);
	assert_true(retry_budget_is_spent(pool, w.loop.now_us));
	assert_int_equal(said_count, 0);
	assert_false(take());
	assert_int_equal(said_count, 1);
	assert_string_equal(said,
		"pool app: the retry budget is spent: 2 of the last 20 requests were sent again");
	w.loop.now_us += POOLS_SECOND - 1;
	assert_false(take());
	assert_int_equal(said_count, 1);
	w.loop.now_us++;
	assert_false(take());
	assert_false(take());
	assert_int_equal(said_count, 2);
}

static void test_it_is_said_in_the_first_second_of_a_machine(void **state)
{
	(void)state;
	w.loop.now_us = 5;
	start(0, 0);
	assert_false(take());
	assert_int_equal(said_count, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_a_share_of_the_requests, begin, pools_end),
		cmocka_unit_test_setup_teardown(test_so_many_a_second, begin, pools_end),
		cmocka_unit_test_setup_teardown(test_both_are_added, begin, pools_end),
		cmocka_unit_test_setup_teardown(test_no_budget, begin, pools_end),
		cmocka_unit_test_setup_teardown(test_it_comes_back, begin, pools_end),
		cmocka_unit_test_setup_teardown(test_what_other_workers_count, begin, pools_end),
		cmocka_unit_test_setup_teardown(test_what_this_worker_counts, begin, pools_end),
		cmocka_unit_test_setup_teardown(test_to_ask_is_free, begin, pools_end),
		cmocka_unit_test_setup_teardown(test_without_the_board, begin, pools_end),
		cmocka_unit_test_setup_teardown(test_without_a_row, begin, pools_end),
		cmocka_unit_test_setup_teardown(test_it_is_said_once_a_second, begin, pools_end),
		cmocka_unit_test_setup_teardown(
			test_it_is_said_in_the_first_second_of_a_machine, begin, pools_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
