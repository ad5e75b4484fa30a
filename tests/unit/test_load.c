/* What is counted of backends, and what a worker has seen of them of late. */
#include "config.h"

#include "upstream/load.h"

#include "pools.h"

static struct pool *const pool = &w.pools[0];

static void start(enum balance balance)
{
	w.app.balance = balance;
	pools_start();
}

/* A selection that picked `backend`. */
static void pick(struct selection *s, size_t backend)
{
	pools_select(s);
	s->backend = backend;
	s->picked_us = w.loop.now_us;
}

static struct picker_load look(size_t backend)
{
	struct picker_load load = { 0 };

	load_of(&pool->view, backend, &load);
	return load;
}

static uint64_t counted(size_t backend, enum rows_count what)
{
	struct rows_tally total;

	rows_total(w.rows, w.backends[backend].row, &total);
	return total.counts[what];
}

static uint32_t alarms(void)
{
	return atomic_load(&rows_alarms(w.rows, POOLS_OWN)->count);
}

static void test_a_place_is_taken_and_given_up(void **state)
{
	struct selection s;

	(void)state;
	pools_start();
	pick(&s, 2);
	assert_true(load_acquire(&s));
	assert_true(s.counted);
	assert_int_equal(pools_own(ROWS_IN_FLIGHT, 2), 1);
	assert_int_equal(pools_own(ROWS_IN_FLIGHT, 1), 0);
	assert_int_equal(pools_own(ROWS_CONNECTIONS, 2), 0);
	assert_int_equal(pools_cells(POOLS_OWN)->in_flight, 1);
	assert_int_equal(counted(2, ROWS_REQUESTS), 1);
	load_release(&s);
	assert_false(s.counted);
	assert_int_equal(pools_own(ROWS_IN_FLIGHT, 2), 0);
	assert_int_equal(pools_cells(POOLS_OWN)->in_flight, 0);
	assert_int_equal(counted(2, ROWS_REQUESTS), 1);
}

/* A second release would take the place of another request. */
static void test_a_place_is_given_up_once(void **state)
{
	struct selection s, other;

	(void)state;
	pools_start();
	pick(&s, 2);
	pick(&other, 2);
	assert_true(load_acquire(&s));
	assert_true(load_acquire(&other));
	assert_int_equal(pools_own(ROWS_IN_FLIGHT, 2), 2);
	load_release(&s);
	load_release(&s);
	assert_int_equal(pools_own(ROWS_IN_FLIGHT, 2), 1);
	assert_int_equal(pools_cells(POOLS_OWN)->in_flight, 1);
}

static void test_a_full_backend_gives_no_place(void **state)
{
	struct selection s;

	(void)state;
	w.backends[2].max_requests = 2;
	start(BALANCE_TWO_CHOICES);
	pools_set_other(ROWS_IN_FLIGHT, 2, 2);
	pick(&s, 2);
	assert_false(load_acquire(&s));
	assert_false(s.counted);
	assert_int_equal(pools_own(ROWS_IN_FLIGHT, 2), 0);
	assert_int_equal(pools_cells(POOLS_OWN)->in_flight, 0);
	assert_int_equal(counted(2, ROWS_REQUESTS), 0);
	assert_int_equal(look(2).recent, 0);
	pools_set_other(ROWS_IN_FLIGHT, 2, 1);
	assert_true(load_acquire(&s));
	assert_int_equal(pools_own(ROWS_IN_FLIGHT, 2), 1);
	load_release(&s);
	assert_int_equal(pools_own(ROWS_IN_FLIGHT, 2), 0);
}

/* Each counts PICKER_FAILURE at first, and nothing after a second. */
static void test_recent_requests_fade(void **state)
{
	struct selection s;

	(void)state;
	start(BALANCE_TWO_CHOICES);
	pick(&s, 1);
	assert_true(load_acquire(&s));
	assert_int_equal(look(1).recent, PICKER_FAILURE);
	assert_int_equal(look(2).recent, 0);
	w.loop.now_us += POOLS_SECOND / 4;
	assert_int_equal(look(1).recent, PICKER_FAILURE * 3 / 4);
	w.loop.now_us += POOLS_SECOND / 4;
	assert_int_equal(look(1).recent, PICKER_FAILURE / 2);
	load_release(&s);
	pick(&s, 1);
	assert_true(load_acquire(&s));
	assert_int_equal(look(1).recent, PICKER_FAILURE * 3 / 2);
	w.loop.now_us += POOLS_SECOND - 1;
	assert_int_equal(look(1).recent, 0);
	/* From a second on they are nothing, and not less. */
	w.loop.now_us += 1;
	assert_int_equal(look(1).recent, 0);
	w.loop.now_us += 10 * POOLS_SECOND;
	assert_int_equal(look(1).recent, 0);
}

static void test_what_is_large_lasts_a_second(void **state)
{
	(void)state;
	start(BALANCE_TWO_CHOICES);
	pool->backends[0].load.recent = (struct fading){ w.loop.now_us, UINT32_MAX };
	w.loop.now_us += POOLS_SECOND - 1;
	assert_int_equal(look(0).recent, UINT32_MAX / POOLS_SECOND);
	w.loop.now_us++;
	assert_int_equal(look(0).recent, 0);
}

/* Pickers that do not ask cost nothing. */
static void test_nothing_is_seen_for_pickers_that_do_not_ask(void **state)
{
	struct selection s;

	(void)state;
	start(BALANCE_RANDOM);
	pick(&s, 1);
	assert_true(load_acquire(&s));
	w.loop.now_us += 800;
	load_responded(&s, &pool->backends[1], 200);
	assert_int_equal(look(1).recent, 0);
	assert_int_equal(look(1).latency_us, 0);
}

static void test_load_is_that_of_all_workers(void **state)
{
	struct selection s;

	(void)state;
	start(BALANCE_LEAST_REQUESTS);
	pools_set_other(ROWS_IN_FLIGHT, 1, 7);
	pools_set_other(ROWS_CONNECTIONS, 1, 100);
	pick(&s, 1);
	assert_true(load_acquire(&s));
	assert_int_equal(look(1).in_flight, 8);
	assert_int_equal(look(2).in_flight, 0);
}

static void test_the_pool_s_requests_are_those_of_all_workers(void **state)
{
	struct selection s;

	(void)state;
	start(BALANCE_HASH);
	assert_int_equal(load_in_flight(&pool->view), 0);
	atomic_store(&pools_cells(POOLS_OTHER)->in_flight, 5);
	atomic_store(&pools_cells(0)->in_flight, 2);
	pick(&s, 1);
	assert_true(load_acquire(&s));
	assert_int_equal(load_in_flight(&pool->view), 8);
	/* A column that no worker ever had is not looked at. */
	atomic_store(&pools_cells(POOLS_OTHER + 1)->in_flight, 1);
	assert_int_equal(load_in_flight(&pool->view), 8);
}

/* --- answers --- */

static void answer(size_t backend, uint64_t us, int status)
{
	struct selection s;

	pick(&s, backend);
	w.loop.now_us += us;
	load_responded(&s, &pool->backends[backend], status);
}

static void test_the_mean_of_the_latency(void **state)
{
	(void)state;
	start(BALANCE_LATENCY);
	assert_int_equal(look(1).latency_us, 0);
	answer(1, 799, 200);
	assert_int_equal(look(1).latency_us, 800);
	answer(1, 1599, 200);
	assert_int_equal(look(1).latency_us, 900);
	answer(1, 79, 200);
	assert_int_equal(look(1).latency_us, 798);
	for (int i = 0; i < 60; i++)
		answer(1, 7999, 200);
	assert_in_range(look(1).latency_us, 7900, 8000);
	assert_int_equal(look(2).latency_us, 0);
	/* An answer within the same microsecond is known, too. */
	answer(2, 0, 200);
	assert_int_equal(look(2).latency_us, 1);
}

/* What takes hours does not wrap around. */
static void test_long_latencies(void **state)
{
	const uint32_t most = UINT32_MAX / 8;

	(void)state;
	start(BALANCE_LATENCY);
	answer(0, most - 1, 200);
	assert_int_equal(look(0).latency_us, most);
	answer(1, most, 200);
	assert_int_equal(look(1).latency_us, most);
	answer(2, UINT64_C(1) << 40, 200);
	assert_int_equal(look(2).latency_us, most);
	for (int i = 0; i < 100; i++)
		answer(2, UINT64_C(1) << 40, 200);
	assert_int_equal(look(2).latency_us, most);
}

static void test_answers_are_counted(void **state)
{
	struct rows_tally total;

	(void)state;
	pools_start();
	answer(1, 50, 200);
	answer(1, 100, 404);
	answer(1, 150, 499);
	answer(1, 5000, 500);
	rows_total(w.rows, w.backends[1].row, &total);
	assert_int_equal(total.counts[ROWS_RESPONSES], 4);
	assert_int_equal(total.counts[ROWS_5XX], 1);
	assert_int_equal(total.latency[0], 1);
	assert_int_equal(total.latency[board_latency_bucket(100)], 1);
	assert_int_equal(total.latency[board_latency_bucket(150)], 1);
	assert_int_equal(total.latency[board_latency_bucket(5000)], 1);
	assert_int_equal(alarms(), 0);
}

/* A 5xx is a failure only with eject.on_5xx. */
static void test_5xx_wakes_the_monitor(void **state)
{
	(void)state;
	w.app.eject.on_5xx = true;
	pools_start();
	answer(1, 50, 499);
	assert_int_equal(alarms(), 0);
	answer(1, 50, 500);
	assert_int_equal(alarms(), 1);
	assert_int_equal(rows_alarms(w.rows, POOLS_OWN)->rows[0], w.backends[1].row);
	answer(1, 50, 503);
	assert_int_equal(alarms(), 2);
	assert_int_equal(counted(1, ROWS_5XX), 2);
}

static void test_an_answer_ends_the_doubling_of_the_backoff(void **state)
{
	(void)state;
	pools_start();
	pool->backends[1].connect_backoff.ms = 4000;
	pool->backends[2].connect_backoff.ms = 4000;
	answer(1, 50, 500);
	assert_int_equal(pool->backends[1].connect_backoff.ms, 0);
	assert_int_equal(pool->backends[2].connect_backoff.ms, 4000);
}

/* --- failures --- */

static void test_failures_fade_and_wake_the_monitor(void **state)
{
	struct selection s;

	(void)state;
	pools_start();
	pick(&s, 3);
	load_failed(&s, ROWS_CUT);
	assert_int_equal(counted(3, ROWS_CUT), 1);
	assert_int_equal(look(3).failing, PICKER_FAILURE);
	assert_int_equal(look(3).recent, 0);
	assert_int_equal(alarms(), 1);
	assert_int_equal(rows_alarms(w.rows, POOLS_OWN)->rows[0], w.backends[3].row);
	assert_int_equal(pool->backends[3].connect_backoff.until_us, 0);
	w.loop.now_us += POOLS_SECOND / 2;
	load_failed(&s, ROWS_TIMED_OUT);
	assert_int_equal(look(3).failing, PICKER_FAILURE * 3 / 2);
	assert_int_equal(counted(3, ROWS_TIMED_OUT), 1);
	assert_int_equal(counted(3, ROWS_CONNECT_FAILED), 0);
	assert_int_equal(alarms(), 2);
}

static void test_a_failed_connection_begins_a_backoff(void **state)
{
	struct selection s;

	(void)state;
	pools_start();
	pick(&s, 3);
	load_failed(&s, ROWS_CONNECT_FAILED);
	assert_int_equal(counted(3, ROWS_CONNECT_FAILED), 1);
	assert_int_equal(
		pool->backends[3].connect_backoff.until_us, w.loop.now_us + 250 * POOLS_MS);
	assert_int_equal(alarms(), 1);
}

/* --- without a place on the board --- */

static void use_it(size_t backend)
{
	struct selection s;

	pick(&s, backend);
	assert_true(load_acquire(&s));
	assert_true(capacity_open(pool, &pool->backends[backend]));
	load_responded(&s, &pool->backends[backend], 500);
	load_failed(&s, ROWS_CUT);
	assert_int_equal(look(backend).in_flight, 0);
	assert_int_equal(look(backend).recent, PICKER_FAILURE);
	assert_int_equal(look(backend).failing, PICKER_FAILURE);
	load_release(&s);
}

static void test_without_a_row(void **state)
{
	(void)state;
	w.app.eject.on_5xx = true;
	w.backends[2].row = ROWS_NONE;
	w.app.row = SETTINGS_NO_ROW;
	start(BALANCE_TWO_CHOICES);
	use_it(2);
	assert_int_equal(alarms(), 0);
	assert_int_equal(load_in_flight(&pool->view), 0);
	/* One with a row is counted in it. */
	pools_set_other(ROWS_IN_FLIGHT, 1, 3);
	assert_int_equal(look(1).in_flight, 3);
}

static void test_without_the_board(void **state)
{
	(void)state;
	w.app.eject.on_5xx = true;
	w.upstream.rows = NULL;
	start(BALANCE_TWO_CHOICES);
	use_it(2);
	assert_int_equal(alarms(), 0);
	assert_int_equal(pools_own(ROWS_IN_FLIGHT, 2), 0);
	assert_int_equal(counted(2, ROWS_REQUESTS), 0);
	assert_int_equal(load_in_flight(&pool->view), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			test_a_place_is_taken_and_given_up, pools_begin, pools_end),
		cmocka_unit_test_setup_teardown(
			test_a_place_is_given_up_once, pools_begin, pools_end),
		cmocka_unit_test_setup_teardown(
			test_a_full_backend_gives_no_place, pools_begin, pools_end),
		cmocka_unit_test_setup_teardown(test_recent_requests_fade, pools_begin, pools_end),
		cmocka_unit_test_setup_teardown(
			test_what_is_large_lasts_a_second, pools_begin, pools_end),
		cmocka_unit_test_setup_teardown(
			test_nothing_is_seen_for_pickers_that_do_not_ask, pools_begin, pools_end),
		cmocka_unit_test_setup_teardown(
			test_load_is_that_of_all_workers, pools_begin, pools_end),
		cmocka_unit_test_setup_teardown(
			test_the_pool_s_requests_are_those_of_all_workers, pools_begin, pools_end),
		cmocka_unit_test_setup_teardown(
			test_the_mean_of_the_latency, pools_begin, pools_end),
		cmocka_unit_test_setup_teardown(test_long_latencies, pools_begin, pools_end),
		cmocka_unit_test_setup_teardown(test_answers_are_counted, pools_begin, pools_end),
		cmocka_unit_test_setup_teardown(test_5xx_wakes_the_monitor, pools_begin, pools_end),
		cmocka_unit_test_setup_teardown(
			test_an_answer_ends_the_doubling_of_the_backoff, pools_begin, pools_end),
		cmocka_unit_test_setup_teardown(
			test_failures_fade_and_wake_the_monitor, pools_begin, pools_end),
		cmocka_unit_test_setup_teardown(
			test_a_failed_connection_begins_a_backoff, pools_begin, pools_end),
		cmocka_unit_test_setup_teardown(test_without_a_row, pools_begin, pools_end),
		cmocka_unit_test_setup_teardown(test_without_the_board, pools_begin, pools_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
