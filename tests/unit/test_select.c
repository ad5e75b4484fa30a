/* The pick of a backend, and the place that a request takes there. */
#include "config.h"

#include "upstream/select.h"

#include <stdio.h>

#include "board/budget.h"
#include "pools.h"
#include "said.h"

static struct pool *const pool = &w.pools[0];

/* Another worker takes the last place as often as this says, after it was seen to be free. */
static unsigned races;
static unsigned tries;
bool __real_rows_enter_within(
	struct rows *rows, enum rows_gauge gauge, uint32_t row, uint32_t column, uint32_t most);
bool __wrap_rows_enter_within(
	struct rows *rows, enum rows_gauge gauge, uint32_t row, uint32_t column, uint32_t most);
bool __wrap_rows_enter_within(
	struct rows *rows, enum rows_gauge gauge, uint32_t row, uint32_t column, uint32_t most)
{
	tries++;
	if (races > 0) {
		races--;
		return false;
	}
	return __real_rows_enter_within(rows, gauge, row, column, most);
}

void __wrap_log_notice(const char *format, ...) __attribute__((format(printf, 1, 2)));
void __wrap_log_notice(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	keep_said(format, arguments);
	va_end(arguments);
}

static int begin(void **state)
{
	races = tries = said_count = 0;
	if (pools_begin(state) == -1)
		return -1;
	w.app.retry = (struct retry_settings){ .attempts = POOLS_BACKENDS, .budget_rate = 100 };
	return 0;
}

static void start_limited(void)
{
	for (int i = 0; i < POOLS_BACKENDS; i++)
		w.backends[i].max_requests = 10;
	pools_start();
}

/* How many places this worker has at all backends. */
static unsigned places(void)
{
	unsigned sum = 0;

	for (size_t i = 0; i < POOLS_BACKENDS; i++)
		sum += pools_own(ROWS_IN_FLIGHT, i);
	assert_int_equal(pools_cells(POOLS_OWN)->in_flight, sum);
	return sum;
}

static void test_a_pick_takes_a_place(void **state)
{
	struct selection s;

	(void)state;
	pools_start();
	pools_select(&s);
	assert_true(select_backend(&s));
	assert_in_range(s.backend, 0, POOLS_BACKENDS - 1);
	assert_true(s.counted);
	assert_int_equal(s.tried_count, 1);
	assert_int_equal(s.tried[0], s.backend);
	assert_int_equal(pools_own(ROWS_IN_FLIGHT, s.backend), 1);
	assert_int_equal(places(), 1);
	assert_int_equal(s.queued_us, 0);
}

/* Each time another one, and the place at the former one is given up. */
static void test_no_backend_is_tried_twice(void **state)
{
	unsigned got = 0;
	struct selection s;

	(void)state;
	w.app.retry.attempts = RETRY_ATTEMPTS_MAX;
	pools_start();
	pools_select(&s);
	for (size_t i = 0; i < POOLS_BACKENDS; i++) {
		assert_true(select_backend(&s));
		got |= 1u << s.backend;
		assert_int_equal(s.tried_count, i + 1);
		assert_int_equal(s.tried[i], s.backend);
		assert_int_equal(pools_own(ROWS_IN_FLIGHT, s.backend), 1);
		assert_int_equal(places(), 1);
		assert_true(s.counted);
	}
	assert_int_equal(got, 15);
	assert_false(select_backend(&s));
	assert_true(s.counted);
	assert_int_equal(places(), 1);
}

static void test_attempts(void **state)
{
	struct selection s;
	size_t second;

	(void)state;
	w.app.retry.attempts = 2;
	pools_start();
	pools_select(&s);
	assert_true(select_backend(&s));
	assert_true(select_backend(&s));
	second = s.backend;
	assert_false(select_backend(&s));
	/* It keeps the place that it had. */
	assert_int_equal(s.backend, second);
	assert_int_equal(s.tried_count, 2);
	assert_int_equal(pools_own(ROWS_IN_FLIGHT, second), 1);
	assert_int_equal(places(), 1);
}

/* One that has no place any more, of which the last attempt ended, takes one as the first did. */
static void test_a_retry_after_the_place_was_given_up(void **state)
{
	struct selection s;

	(void)state;
	pools_start();
	pools_select(&s);
	assert_true(select_backend(&s));
	load_release(&s);
	assert_int_equal(places(), 0);
	assert_true(select_backend(&s));
	assert_int_equal(places(), 1);
	assert_int_equal(pools_own(ROWS_IN_FLIGHT, s.backend), 1);
}

/* --- the retry budget --- */

static const struct rows_second *second_now(void)
{
	return budget_slot(pools_cells(POOLS_OWN)->seconds, w.loop.now_us);
}

static void test_the_first_backend_is_a_request_and_others_are_retries(void **state)
{
	struct selection s;

	(void)state;
	pools_start();
	pools_select(&s);
	assert_true(select_backend(&s));
	assert_int_equal(second_now()->requests, 1);
	assert_int_equal(second_now()->retries, 0);
	assert_true(select_backend(&s));
	assert_true(select_backend(&s));
	assert_int_equal(second_now()->requests, 1);
	assert_int_equal(second_now()->retries, 2);
}

static void test_without_a_budget_there_is_one_attempt(void **state)
{
	struct selection s;
	size_t first;

	(void)state;
	w.app.retry.budget_rate = 0;
	pools_start();
	pools_select(&s);
	assert_true(select_backend(&s));
	first = s.backend;
	assert_false(select_backend(&s));
	assert_int_equal(s.backend, first);
	assert_int_equal(s.tried_count, 1);
	assert_int_equal(pools_own(ROWS_IN_FLIGHT, first), 1);
	assert_int_equal(places(), 1);
	/* Other requests are sent. */
	pools_select(&s);
	assert_true(select_backend(&s));
}

/* Where no other backend is left nothing is taken from it. */
static void test_what_is_not_sent_costs_no_budget(void **state)
{
	struct selection s;

	(void)state;
	w.app.retry.attempts = 1;
	pools_start();
	pools_select(&s);
	assert_true(select_backend(&s));
	assert_false(select_backend(&s));
	assert_int_equal(second_now()->retries, 0);
	for (size_t i = 0; i < POOLS_BACKENDS; i++)
		pools_tell(i, ROWS_DOWN, ROWS_FULL_SHARE);
	pools_select(&s);
	assert_false(select_backend(&s));
	assert_int_equal(second_now()->requests, 1);
}

/* --- who may be picked --- */

static void test_what_the_monitor_said_last_counts(void **state)
{
	(void)state;
	pools_start();
	for (size_t i = 0; i < 3; i++)
		pools_tell(i, ROWS_DOWN, ROWS_FULL_SHARE);
	for (int i = 0; i < 20; i++) {
		struct selection s;

		pools_select(&s);
		assert_true(select_backend(&s));
		assert_int_equal(s.backend, 3);
	}
	pools_tell(0, ROWS_READY, ROWS_FULL_SHARE);
	pools_tell(3, ROWS_DOWN, ROWS_FULL_SHARE);
	for (int i = 0; i < 20; i++) {
		struct selection s;

		pools_select(&s);
		assert_true(select_backend(&s));
		assert_int_equal(s.backend, 0);
	}
}

/* The request decides. */
static void test_a_session_decides(void **state)
{
	static const struct head_limits limits = { .size = 1024, .count = 8 };
	char head[256], token[SESSION_TOKEN_LEN];

	(void)state;
	w.app.balance = BALANCE_STICKY;
	pools_start();
	for (size_t i = 0; i < POOLS_BACKENDS; i++) {
		struct selection s;
		int len;

		sessions_token(pool->sessions, i, token);
		len = snprintf(head, sizeof head,
			"GET / HTTP/1.1\r\nHost: h\r\nCookie: sid=%.*s\r\n\r\n", SESSION_TOKEN_LEN,
			token);
		assert_int_equal(
			request_parse(&w.request, head, (size_t)len, 0, &limits), PARSE_DONE);
		pools_select(&s);
		assert_true(select_backend(&s));
		assert_int_equal(s.backend, i);
		/* And after it has failed any other one. */
		assert_true(select_backend(&s));
		assert_int_not_equal(s.backend, i);
	}
}

static void test_none_has_room(void **state)
{
	struct selection s;

	(void)state;
	start_limited();
	for (size_t i = 0; i < POOLS_BACKENDS; i++)
		pools_set_other(ROWS_IN_FLIGHT, i, 10);
	pools_select(&s);
	assert_false(select_backend(&s));
	assert_false(s.counted);
	assert_true(s.backend == PICKER_NONE);
	assert_int_equal(s.tried_count, 0);
	assert_int_equal(second_now()->requests, 0);
	pools_set_other(ROWS_IN_FLIGHT, 1, 9);
	assert_true(select_backend(&s));
	assert_int_equal(s.backend, 1);
}

/* --- the last place goes to another worker --- */

static void test_a_lost_race_is_run_again(void **state)
{
	struct selection s;

	(void)state;
	start_limited();
	pools_select(&s);
	races = 7;
	assert_true(select_backend(&s));
	assert_int_equal(tries, 8);
	assert_int_equal(places(), 1);
	assert_int_equal(s.tried_count, 1);
	assert_int_equal(s.tried[0], s.backend);
	assert_int_equal(pools_own(ROWS_IN_FLIGHT, s.backend), 1);
	/* It is one request all the same, and one retry. */
	assert_int_equal(second_now()->requests, 1);
	races = 3;
	assert_true(select_backend(&s));
	assert_int_equal(second_now()->requests, 1);
	assert_int_equal(second_now()->retries, 1);
}

static void test_after_8_lost_races_it_gives_up(void **state)
{
	struct selection s;

	(void)state;
	start_limited();
	pools_select(&s);
	races = 8;
	assert_false(select_backend(&s));
	assert_int_equal(tries, 8);
	assert_false(s.counted);
	assert_true(s.backend == PICKER_NONE);
	assert_int_equal(s.tried_count, 0);
	assert_int_equal(places(), 0);
}

static void test_a_lost_race_keeps_the_place(void **state)
{
	struct selection s;
	size_t first;

	(void)state;
	start_limited();
	pools_select(&s);
	assert_true(select_backend(&s));
	first = s.backend;
	races = 8;
	assert_false(select_backend(&s));
	assert_true(s.counted);
	assert_int_equal(s.backend, first);
	assert_int_equal(s.tried_count, 1);
	assert_int_equal(pools_own(ROWS_IN_FLIGHT, first), 1);
	assert_int_equal(places(), 1);
}

/* --- ramps --- */

/* Every backend has a ramp, and a connection in the making. */
static void ramp_all(void)
{
	for (size_t i = 0; i < POOLS_BACKENDS; i++) {
		capacity_ramp(pool, &pool->backends[i]);
		pool->backends[i].capacity.connecting = 1;
	}
}

static void test_a_ramp_sends_requests_elsewhere(void **state)
{
	(void)state;
	pools_start();
	ramp_all();
	pool->backends[1].capacity.connecting = 0;
	for (int i = 0; i < 20; i++) {
		struct selection s;

		pools_select(&s);
		assert_true(select_backend(&s));
		assert_int_equal(s.backend, 1);
	}
}

/* Nobody is refused for a ramp. */
static void test_a_pool_without_limits_exceeds_its_ramps(void **state)
{
	unsigned got = 0;

	(void)state;
	pools_start();
	ramp_all();
	for (int i = 0; i < 50; i++) {
		struct selection s;

		pools_select(&s);
		assert_true(select_backend(&s));
		got |= 1u << s.backend;
	}
	assert_int_equal(got, 15);
	assert_ptr_equal(pool->view.is_full, capacity_is_full);
}

/* Those that were tried and those that are down stay out. */
static void test_a_ramp_is_exceeded_only_at_backends_that_may_be_picked(void **state)
{
	struct selection s;

	(void)state;
	pools_start();
	ramp_all();
	for (size_t i = 1; i < POOLS_BACKENDS; i++)
		pools_tell(i, ROWS_DOWN, ROWS_FULL_SHARE);
	pools_select(&s);
	assert_true(select_backend(&s));
	assert_int_equal(s.backend, 0);
	assert_false(select_backend(&s));
	assert_int_equal(s.backend, 0);
	assert_ptr_equal(pool->view.is_full, capacity_is_full);
}

static void test_a_limited_pool_heeds_its_ramps(void **state)
{
	struct selection s;

	(void)state;
	start_limited();
	ramp_all();
	pools_select(&s);
	assert_false(select_backend(&s));
	pool->backends[2].capacity.connecting = 0;
	assert_true(select_backend(&s));
	assert_int_equal(s.backend, 2);
}

/* --- the log --- */

static void test_picks_are_told_where_that_is_asked_for(void **state)
{
	struct selection s;

	(void)state;
	w.backends[0].weight = w.backends[1].weight = w.backends[3].weight = 0;
	pools_start();
	pools_select(&s);
	assert_true(select_backend(&s));
	assert_int_equal(said_count, 0);
	w.settings.log_picks = true;
	pools_select(&s);
	assert_true(select_backend(&s));
	assert_int_equal(said_count, 1);
	assert_string_equal(said, "Proxying request to http://c");
	assert_false(select_backend(&s));
	assert_int_equal(said_count, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_a_pick_takes_a_place, begin, pools_end),
		cmocka_unit_test_setup_teardown(test_no_backend_is_tried_twice, begin, pools_end),
		cmocka_unit_test_setup_teardown(test_attempts, begin, pools_end),
		cmocka_unit_test_setup_teardown(
			test_a_retry_after_the_place_was_given_up, begin, pools_end),
		cmocka_unit_test_setup_teardown(
			test_the_first_backend_is_a_request_and_others_are_retries, begin,
			pools_end),
		cmocka_unit_test_setup_teardown(
			test_without_a_budget_there_is_one_attempt, begin, pools_end),
		cmocka_unit_test_setup_teardown(
			test_what_is_not_sent_costs_no_budget, begin, pools_end),
		cmocka_unit_test_setup_teardown(
			test_what_the_monitor_said_last_counts, begin, pools_end),
		cmocka_unit_test_setup_teardown(test_a_session_decides, begin, pools_end),
		cmocka_unit_test_setup_teardown(test_none_has_room, begin, pools_end),
		cmocka_unit_test_setup_teardown(test_a_lost_race_is_run_again, begin, pools_end),
		cmocka_unit_test_setup_teardown(
			test_after_8_lost_races_it_gives_up, begin, pools_end),
		cmocka_unit_test_setup_teardown(test_a_lost_race_keeps_the_place, begin, pools_end),
		cmocka_unit_test_setup_teardown(
			test_a_ramp_sends_requests_elsewhere, begin, pools_end),
		cmocka_unit_test_setup_teardown(
			test_a_pool_without_limits_exceeds_its_ramps, begin, pools_end),
		cmocka_unit_test_setup_teardown(
			test_a_ramp_is_exceeded_only_at_backends_that_may_be_picked, begin,
			pools_end),
		cmocka_unit_test_setup_teardown(
			test_a_limited_pool_heeds_its_ramps, begin, pools_end),
		cmocka_unit_test_setup_teardown(
			test_picks_are_told_where_that_is_asked_for, begin, pools_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
