/* What a target decides: its state, when it is probed, and what is news. Time is an argument. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "monitor/target_check.h"
#include "monitor/target_state.h"

#define SECOND UINT64_C(1000000)
#define BEGIN  (1000 * SECOND)

static char url[] = "http://a:81";
static struct pool_settings pool;
static struct backend_settings backend;
static struct target_state s;
static struct rows_tally total;
static struct rows_health health;
static uint64_t now;

static void begin(bool empty)
{
	target_state_init(&s, &pool, &backend, empty, &total);
}

static int setup(void **state)
{
	(void)state;
	pool = (struct pool_settings){
		.check = { .type = CHECK_HTTP,
			.interval = 2000,
			.fast_interval = 500,
			.rise = 2,
			.fall = 3 },
		.eject = { .failures = 5, .time = 10000, .time_max = 60000, .most = 50 },
	};
	backend = (struct backend_settings){ .url_text = url, .weight = 1 };
	total = (struct rows_tally){ .counts = { 0 } };
	health = (struct rows_health){ ROWS_READY, ROWS_FULL_SHARE, 1 };
	now = BEGIN;
	begin(false);
	return 0;
}

static enum target_news take(enum probe_result result)
{
	const struct target_result r = { result, !s.confirming, "a reason" };
	enum target_news news = target_check_take(&s, &r, &total, now);

	(void)target_state_settle(&s, now, &health);
	return news;
}

static void settle(void)
{
	(void)target_state_settle(&s, now, &health);
	assert_int_equal(health.state, s.state);
}

static void go_down(enum probe_result result)
{
	(void)take(PROBE_PASSED);
	assert_int_equal(take(result), TARGET_NO_NEWS);
	assert_int_equal(take(result), TARGET_NO_NEWS);
	assert_int_equal(take(result), TARGET_CHECKS_FAILED);
}

static void test_first_result_counts(void **state)
{
	(void)state;
	assert_int_equal(s.state, ROWS_READY);
	assert_int_equal(take(PROBE_FAILED), TARGET_FIRST_CHECK_FAILED);
	assert_int_equal(health.state, ROWS_DOWN);
	assert_int_equal(take(PROBE_PASSED), TARGET_NO_NEWS);
	assert_int_equal(take(PROBE_PASSED), TARGET_CHECKS_PASSED);
	assert_int_equal(health.state, ROWS_READY);
	assert_int_equal(health.epoch, 3);
}

static void test_down(void **state)
{
	(void)state;
	go_down(PROBE_FAILED);
	assert_int_equal(health.state, ROWS_DOWN);
	assert_int_equal(take(PROBE_SILENT), TARGET_NO_NEWS);
	assert_int_equal(health.state, ROWS_SILENT);
	assert_int_equal(take(PROBE_FAILED), TARGET_NO_NEWS);
	assert_int_equal(health.state, ROWS_DOWN);
}

/* Checks that find no connection say more than that it is down. */
static void test_refused_checks(void **state)
{
	(void)state;
	go_down(PROBE_REFUSED);
	assert_int_equal(health.state, ROWS_REFUSING);
	assert_int_equal(s.refused_us, now);
	assert_int_equal(take(PROBE_FAILED), TARGET_NO_NEWS);
	assert_int_equal(health.state, ROWS_DOWN);
}

static void test_unknown_result_changes_nothing(void **state)
{
	(void)state;
	go_down(PROBE_SILENT);
	s.confirming = true;
	assert_int_equal(take(PROBE_UNKNOWN), TARGET_NO_NEWS);
	assert_false(s.confirming);
	assert_int_equal(health.state, ROWS_SILENT);
}

static bool confirm(void)
{
	total.counts[ROWS_CONNECT_FAILED]++;
	return target_state_confirm(&s, &total, now);
}

static void test_confirm(void **state)
{
	(void)state;
	s.look_us = now;
	assert_true(confirm());
	assert_int_equal(s.look_us, 0);
	assert_false(confirm());
	/* It is refused at once, without `fall` checks, and that is news once. */
	assert_int_equal(take(PROBE_REFUSED), TARGET_REFUSES);
	assert_int_equal(health.state, ROWS_REFUSING);
	assert_int_equal(take(PROBE_REFUSED), TARGET_NO_NEWS);
	now += SECOND;
	assert_false(confirm());
	assert_int_equal(take(PROBE_PASSED), TARGET_NO_NEWS);
	assert_int_equal(health.state, ROWS_DOWN);
	assert_int_equal(take(PROBE_PASSED), TARGET_CHECKS_PASSED);
}

static void test_confirm_is_bounded(void **state)
{
	(void)state;
	assert_true(confirm());
	assert_int_equal(take(PROBE_PASSED), TARGET_NO_NEWS);
	now += 249999;
	assert_false(confirm());
	now += 1;
	assert_true(confirm());
	s.confirming = false;
	now += SECOND;
	/* Nothing has failed since. */
	assert_false(target_state_confirm(&s, &total, now));
}

/* A connection without a request says nothing about a check that asks. */
static void test_connection_is_no_check(void **state)
{
	const struct target_result r = { PROBE_PASSED, false, NULL };

	(void)state;
	go_down(PROBE_FAILED);
	for (int i = 0; i < 5; i++)
		assert_int_equal(target_check_take(&s, &r, &total, now), TARGET_NO_NEWS);
	pool.check.type = CHECK_TCP;
	assert_int_equal(target_check_take(&s, &r, &total, now), TARGET_NO_NEWS);
	assert_int_equal(target_check_take(&s, &r, &total, now), TARGET_CHECKS_PASSED);
}

static void test_without_checks(void **state)
{
	(void)state;
	pool.check.type = CHECK_OFF;
	begin(false);
	assert_int_equal(take(PROBE_REFUSED), TARGET_REFUSES);
	assert_int_equal(health.state, ROWS_REFUSING);
	now += SECOND;
	assert_int_equal(take(PROBE_REFUSED), TARGET_NO_NEWS);
	assert_int_equal(s.refused_us, BEGIN);
	assert_int_equal(take(PROBE_PASSED), TARGET_IS_BACK);
	assert_int_equal(health.state, ROWS_READY);
	assert_int_equal(take(PROBE_PASSED), TARGET_NO_NEWS);
}

static void test_plan(void **state)
{
	(void)state;
	(void)take(PROBE_PASSED);
	target_check_plan(&s, 200000, now);
	assert_int_equal(s.probe_us, now + 2 * SECOND);
	(void)take(PROBE_FAILED);
	target_check_plan(&s, 50000, now);
	assert_int_equal(s.probe_us, now + SECOND / 2);
	s.empty = true;
	target_check_plan(&s, 0, now);
	assert_int_equal(s.probe_us, 0);
	s.empty = false;
	pool.check.type = CHECK_OFF;
	target_check_plan(&s, 0, now);
	assert_int_equal(s.probe_us, 0);
}

/* Refusing is news for ten seconds: it may end soon. */
static void test_plan_while_refusing(void **state)
{
	(void)state;
	pool.check.type = CHECK_OFF;
	begin(false);
	(void)take(PROBE_REFUSED);
	now += 10 * SECOND - 1;
	target_check_plan(&s, 50000, now);
	assert_int_equal(s.probe_us, now + SECOND / 2);
	now += 1;
	target_check_plan(&s, 200000, now);
	assert_int_equal(s.probe_us, now + 2 * SECOND);
}

static void test_plan_first(void **state)
{
	(void)state;
	target_check_plan_first(&s, 500000 + 7, now);
	assert_int_equal(s.probe_us, now + 7);
	pool.check.interval = 100;
	target_check_plan_first(&s, 100000 + 9, now);
	assert_int_equal(s.probe_us, now + 9);
	s.refusing = true;
	target_check_plan_first(&s, 9, now);
	assert_int_equal(s.probe_us, now);
	begin(true);
	target_check_plan_first(&s, 9, now);
	assert_int_equal(s.probe_us, 0);
	s.refusing = true;
	target_check_plan_first(&s, 9, now);
	assert_int_equal(s.probe_us, 0);
	pool.check.type = CHECK_OFF;
	begin(false);
	target_check_plan_first(&s, 9, now);
	assert_int_equal(s.probe_us, 0);
}

static enum rows_state recall(enum rows_state was, const struct target_notes *notes)
{
	const struct rows_health left = { was, ROWS_FULL_SHARE, 5 };

	begin(false);
	target_state_recall(&s, left, notes, now);
	return s.state;
}

static void test_recall(void **state)
{
	const struct target_notes notes = { .well_us = 7, .next_ms = 8, .against = 2 };

	(void)state;
	assert_int_equal(recall(ROWS_READY, &notes), ROWS_READY);
	assert_int_equal(s.eject.well_us, 7);
	assert_int_equal(s.eject.next_ms, 8);
	assert_int_equal(s.checks.against, 2);
	assert_true(s.checks.known);
	assert_int_equal(target_state_notes(&s).well_us, 7);
	assert_int_equal(target_state_notes(&s).next_ms, 8);
	assert_int_equal(target_state_notes(&s).against, 2);
	assert_int_equal(recall(ROWS_DOWN, &notes), ROWS_DOWN);
	assert_int_equal(recall(ROWS_SILENT, &notes), ROWS_SILENT);
	assert_int_equal(recall(ROWS_REFUSING, &notes), ROWS_REFUSING);
	assert_false(s.checks.up);
	assert_int_equal(s.refused_us, now);
	assert_int_equal(recall(ROWS_EMPTY, &notes), ROWS_READY);
	/* The board had a number that is no state. */
	assert_int_equal(recall((enum rows_state)77, &notes), ROWS_READY);
	/* Checks were taken from the settings: their result does not count any more. */
	pool.check.type = CHECK_OFF;
	assert_int_equal(recall(ROWS_DOWN, &notes), ROWS_READY);
	assert_int_equal(recall(ROWS_REFUSING, &notes), ROWS_REFUSING);
	assert_true(s.checks.up);
}

static void test_recall_nothing(void **state)
{
	const struct target_notes notes = { 0 };
	const struct rows_health none = { ROWS_READY, ROWS_FULL_SHARE, 0 };

	(void)state;
	target_state_recall(&s, none, &notes, now);
	assert_false(s.checks.known);
	assert_int_equal(s.back_us, 0);
	begin(true);
	target_state_recall(&s, none, &notes, now);
	assert_int_equal(s.state, ROWS_EMPTY);
}

static uint64_t recall_until(uint64_t until_us)
{
	const struct target_notes notes = { .until_us = until_us };

	(void)recall(ROWS_EJECTED, &notes);
	return s.eject.until_us;
}

static void test_recall_ejection(void **state)
{
	(void)state;
	assert_int_equal(recall_until(now + SECOND), now + SECOND);
	assert_int_equal(s.state, ROWS_EJECTED);
	/* The settings have a shorter time_max now, or the board is wrong. */
	assert_int_equal(recall_until(UINT64_MAX), now + 60 * SECOND);
	/* It was over while no monitor ran: it ends in the usual way. */
	assert_int_equal(recall_until(now - SECOND), now);
	assert_int_equal(s.state, ROWS_EJECTED);
	pool.eject.failures = 0;
	assert_int_equal(recall_until(now + SECOND), 0);
	assert_int_equal(s.state, ROWS_READY);
}

static void test_recall_slow_start(void **state)
{
	const struct target_notes notes = { 0 };
	const struct rows_health half = { ROWS_READY, ROWS_FULL_SHARE / 2, 3 };

	(void)state;
	pool.slow_start = 10000;
	begin(false);
	target_state_recall(&s, half, &notes, now);
	assert_int_equal(s.back_us, now - 5 * SECOND);
	settle();
	assert_int_equal(health.share, ROWS_FULL_SHARE / 2);
}

static void test_slow_start(void **state)
{
	(void)state;
	pool.slow_start = 10000;
	go_down(PROBE_FAILED);
	assert_int_equal(health.share, ROWS_FULL_SHARE);
	(void)take(PROBE_PASSED);
	assert_int_equal(take(PROBE_PASSED), TARGET_CHECKS_PASSED);
	assert_int_equal(s.back_us, now);
	assert_int_equal(health.share, ROWS_LEAST_SHARE);
	assert_in_range(s.ramp_us, now + 1, now + SECOND);
	assert_int_equal(target_state_due(&s), s.ramp_us);
	now += 5 * SECOND;
	settle();
	assert_int_equal(health.share, ROWS_FULL_SHARE / 2);
	now += 5 * SECOND;
	settle();
	assert_int_equal(health.share, ROWS_FULL_SHARE);
	assert_int_equal(s.ramp_us, 0);
	assert_int_equal(s.back_us, 0);
}

static void eject(void)
{
	struct eject_cause cause;

	total.counts[ROWS_CUT] += 5;
	assert_true(target_state_look(&s, &total, now, &cause));
	assert_int_equal(cause.in_a_row, 5);
	assert_int_equal(target_state_eject(&s, now), 10000);
	assert_int_equal(s.state, ROWS_EJECTED);
	target_state_looked(&s, &total);
	assert_int_equal(s.before.cut, total.counts[ROWS_CUT]);
}

static void test_ejection(void **state)
{
	(void)state;
	eject();
	settle();
	assert_int_equal(health.state, ROWS_EJECTED);
	assert_int_equal(target_state_due(&s), now + 10 * SECOND);
	now += 10 * SECOND;
	/* Requests that were under way fail meanwhile, and do not count later. */
	total.counts[ROWS_CUT] += 9;
	assert_int_equal(target_state_end_ejection(&s, &total, now), TARGET_IS_BACK);
	settle();
	assert_int_equal(health.state, ROWS_READY);
	assert_false(target_state_look(&s, &total, now, &(struct eject_cause){ 0 }));
}

/* What is not in use anyway is not ejected, and its failures do not count later. */
static void test_no_ejection_while_down(void **state)
{
	struct eject_cause cause;

	(void)state;
	go_down(PROBE_FAILED);
	total.counts[ROWS_CUT] += 50;
	assert_false(target_state_look(&s, &total, now, &cause));
	(void)take(PROBE_PASSED);
	(void)take(PROBE_PASSED);
	assert_false(target_state_look(&s, &total, now, &cause));
}

static void test_down_while_ejected(void **state)
{
	(void)state;
	(void)take(PROBE_PASSED);
	eject();
	settle();
	for (int i = 0; i < 3; i++)
		(void)take(PROBE_FAILED);
	assert_int_equal(health.state, ROWS_DOWN);
	(void)take(PROBE_PASSED);
	assert_int_equal(take(PROBE_PASSED), TARGET_CHECKS_PASSED);
	assert_int_equal(health.state, ROWS_EJECTED);
	for (int i = 0; i < 3; i++)
		(void)take(PROBE_FAILED);
	assert_int_equal(target_state_end_ejection(&s, &total, now), TARGET_NO_NEWS);
	assert_int_equal(s.eject.until_us, 0);
	settle();
	assert_int_equal(health.state, ROWS_DOWN);
}

static void test_spared(void **state)
{
	struct eject_cause cause;

	(void)state;
	total.counts[ROWS_CUT] += 5;
	assert_true(target_state_look(&s, &total, now, &cause));
	target_state_spare(&s, &total);
	settle();
	assert_int_equal(health.state, ROWS_READY);
	assert_false(target_state_look(&s, &total, now, &cause));
}

static void test_addresses(void **state)
{
	(void)state;
	assert_int_equal(target_state_take_addresses(&s, false, &total, now), TARGET_HAS_MOVED);
	s.probe_us = now + 1;
	assert_int_equal(target_state_take_addresses(&s, true, &total, now), TARGET_IS_GONE);
	assert_int_equal(s.probe_us, 0);
	settle();
	assert_int_equal(health.state, ROWS_EMPTY);
	assert_false(target_state_counts(&s));
	/* What was known of the former address is forgotten. */
	s.refusing = s.confirming = true;
	s.checks.up = false;
	s.eject.until_us = now + SECOND;
	pool.slow_start = 1000;
	assert_int_equal(target_state_take_addresses(&s, false, &total, now), TARGET_IS_NEW);
	assert_int_equal(s.probe_us, now);
	settle();
	assert_int_equal(health.state, ROWS_READY);
	assert_int_equal(health.share, ROWS_LEAST_SHARE);
	assert_false(s.confirming);
	assert_false(s.checks.known);
}

static void test_each_address_is_new(void **state)
{
	(void)state;
	backend.spread = SPREAD_EACH;
	pool.check.type = CHECK_OFF;
	assert_int_equal(target_state_take_addresses(&s, false, &total, now), TARGET_IS_NEW);
	assert_int_equal(s.probe_us, 0);
}

static void test_settle(void **state)
{
	(void)state;
	health.epoch = 0;
	/* Nothing is known, and nothing is said. */
	assert_false(target_state_settle(&s, now, &health));
	s.checks.known = true;
	assert_true(target_state_settle(&s, now, &health));
	assert_int_equal(health.epoch, 1);
	assert_false(target_state_settle(&s, now, &health));
	/* Another share is no other state. */
	health.share = 100;
	assert_true(target_state_settle(&s, now, &health));
	assert_int_equal(health.epoch, 1);
	s.checks.up = false;
	assert_true(target_state_settle(&s, now, &health));
	assert_int_equal(health.epoch, 2);
}

/* What was counted before does not matter, and a backend without addresses is empty at once. */
static void test_init(void **state)
{
	(void)state;
	total.counts[ROWS_CUT] = 50;
	begin(true);
	assert_int_equal(s.state, ROWS_EMPTY);
	begin(false);
	assert_int_equal(s.state, ROWS_READY);
	assert_int_equal(s.before.cut, 50);
	assert_false(target_state_look(&s, &total, now, &(struct eject_cause){ 0 }));
	assert_int_equal(s.look_us, 0);
}

/* Whatever brought it back: fewer requests at first, and what has failed before is forgiven. */
static void test_every_way_back(void **state)
{
	(void)state;
	pool.slow_start = 1000;
	pool.check.type = CHECK_OFF;
	begin(false);
	(void)take(PROBE_REFUSED);
	total.counts[ROWS_CUT] += 9;
	now += SECOND;
	assert_int_equal(take(PROBE_PASSED), TARGET_IS_BACK);
	assert_int_equal(s.back_us, now);
	assert_int_equal(health.share, ROWS_LEAST_SHARE);
	assert_false(target_state_look(&s, &total, now, &(struct eject_cause){ 0 }));
	eject();
	now += 10 * SECOND;
	assert_int_equal(target_state_end_ejection(&s, &total, now), TARGET_IS_BACK);
	assert_int_equal(s.back_us, now);
	pool.slow_start = 0;
	target_state_come_back(&s, &total, now);
	assert_int_equal(s.back_us, 0);
}

/* A share belongs to a slow start, and so to a target that is ready. */
static void test_recall_share_of_others(void **state)
{
	const struct target_notes notes = { .until_us = BEGIN + SECOND };

	(void)state;
	pool.slow_start = 1000;
	for (int was = ROWS_EJECTED; was <= ROWS_EMPTY; was++) {
		const struct rows_health left = { (enum rows_state)was, 100, 1 };

		begin(false);
		target_state_recall(&s, left, &notes, now);
		assert_int_equal(s.back_us, 0);
		assert_true(s.checks.known);
		assert_int_equal(s.refusing, was == ROWS_REFUSING);
		assert_int_equal(s.eject.until_us != 0, was == ROWS_EJECTED);
	}
}

/* A check that was passed while it refuses: the next one comes soon, too. */
static void test_plan_after_a_pass(void **state)
{
	(void)state;
	go_down(PROBE_REFUSED);
	s.checks.against = 1;
	target_check_plan(&s, 50000, now);
	assert_int_equal(s.probe_us, now + SECOND / 2);
}

static void test_alarms(void **state)
{
	(void)state;
	assert_true(target_state_alarm(&s, now));
	assert_int_equal(s.look_us, now);
	now++;
	assert_false(target_state_alarm(&s, now));
	s.look_us = now + SECOND;
	assert_true(target_state_alarm(&s, now));
	assert_int_equal(s.look_us, now);
}

static void test_due(void **state)
{
	(void)state;
	assert_int_equal(target_state_due(&s), 0);
	s.ramp_us = 40;
	assert_int_equal(target_state_due(&s), 40);
	s.look_us = 30;
	assert_int_equal(target_state_due(&s), 30);
	s.probe_us = 35;
	assert_int_equal(target_state_due(&s), 30);
	s.eject.until_us = 20;
	assert_int_equal(target_state_due(&s), 20);
}

static void test_counts(void **state)
{
	(void)state;
	assert_true(target_state_counts(&s));
	backend.weight = 0;
	assert_false(target_state_counts(&s));
}

#ifndef NDEBUG
/* A target that was empty begins anew: nothing else can follow. */
static void test_forbidden_change(void **state)
{
	pid_t pid;
	int status;

	(void)state;
	begin(true);
	settle();
	s.empty = false;
	s.refusing = true;
	pid = fork();
	assert_int_not_equal(pid, -1);
	if (pid == 0) {
		(void)close(STDERR_FILENO);
		(void)signal(SIGABRT, SIG_DFL);
		(void)target_state_settle(&s, now, &health);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGABRT);
}
#endif

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_first_result_counts, setup),
		cmocka_unit_test_setup(test_down, setup),
		cmocka_unit_test_setup(test_refused_checks, setup),
		cmocka_unit_test_setup(test_unknown_result_changes_nothing, setup),
		cmocka_unit_test_setup(test_confirm, setup),
		cmocka_unit_test_setup(test_confirm_is_bounded, setup),
		cmocka_unit_test_setup(test_connection_is_no_check, setup),
		cmocka_unit_test_setup(test_without_checks, setup),
		cmocka_unit_test_setup(test_plan, setup),
		cmocka_unit_test_setup(test_plan_while_refusing, setup),
		cmocka_unit_test_setup(test_plan_first, setup),
		cmocka_unit_test_setup(test_recall, setup),
		cmocka_unit_test_setup(test_recall_nothing, setup),
		cmocka_unit_test_setup(test_recall_ejection, setup),
		cmocka_unit_test_setup(test_recall_slow_start, setup),
		cmocka_unit_test_setup(test_slow_start, setup),
		cmocka_unit_test_setup(test_ejection, setup),
		cmocka_unit_test_setup(test_no_ejection_while_down, setup),
		cmocka_unit_test_setup(test_down_while_ejected, setup),
		cmocka_unit_test_setup(test_spared, setup),
		cmocka_unit_test_setup(test_addresses, setup),
		cmocka_unit_test_setup(test_each_address_is_new, setup),
		cmocka_unit_test_setup(test_settle, setup),
		cmocka_unit_test_setup(test_init, setup),
		cmocka_unit_test_setup(test_every_way_back, setup),
		cmocka_unit_test_setup(test_recall_share_of_others, setup),
		cmocka_unit_test_setup(test_plan_after_a_pass, setup),
		cmocka_unit_test_setup(test_alarms, setup),
		cmocka_unit_test_setup(test_due, setup),
		cmocka_unit_test_setup(test_counts, setup),
#ifndef NDEBUG
		cmocka_unit_test_setup(test_forbidden_change, setup),
#endif
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
