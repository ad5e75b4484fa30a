/* Which backends may be picked: health words, connect backoff, drain, priorities and backups. */
#include "config.h"

#include "upstream/availability.h"

#include <limits.h>

#include "pools.h"

static struct pool *const pool = &w.pools[0];

/* How often it was worked out anew. */
static unsigned renewals;
bool __real_health_update(struct health *health, const struct health_report *reports);
bool __wrap_health_update(struct health *health, const struct health_report *reports);
bool __wrap_health_update(struct health *health, const struct health_report *reports)
{
	renewals++;
	return __real_health_update(health, reports);
}

/* What stands on the board in place of each health word, unless the share is UINT_MAX. */
static struct rows_health false_word;
struct rows_health __real_rows_health(const struct rows *rows, uint32_t row);
struct rows_health __wrap_rows_health(const struct rows *rows, uint32_t row);
struct rows_health __wrap_rows_health(const struct rows *rows, uint32_t row)
{
	return false_word.share != UINT_MAX ? false_word : __real_rows_health(rows, row);
}

static int begin(void **state)
{
	false_word.share = UINT_MAX;
	return pools_begin(state);
}

/* The backends that may be picked, a bit for each. */
static unsigned usable(void)
{
	unsigned set = 0;

	availability_refresh(pool);
	for (unsigned i = 0; i < POOLS_BACKENDS; i++)
		if (health_is_usable(pool->availability.health.usable, i))
			set |= 1u << i;
	return set;
}

static void refuse(size_t backend)
{
	availability_refused(pool, &pool->backends[backend], w.loop.now_us);
}

static void test_all_serve_at_first(void **state)
{
	(void)state;
	pools_start();
	assert_int_equal(usable(), 15);
	assert_int_equal(pool->availability.well_count, 4);
	assert_true(pool->availability.due_us == UINT64_MAX);
	assert_int_equal(pool->ramps, 0);
	for (int i = 0; i < POOLS_BACKENDS; i++)
		assert_true(pool->backends[i].is_well);
}

static void test_each_health_word(void **state)
{
	static const struct {
		enum rows_state told;
		enum health_state meant;
		bool ramp;
	} words[] = {
		{ ROWS_EJECTED, HEALTH_EJECTED, false },
		{ ROWS_DOWN, HEALTH_EJECTED, false },
		{ ROWS_SILENT, HEALTH_EJECTED, false },
		{ ROWS_EMPTY, HEALTH_CLOSED, false },
		{ ROWS_READY, HEALTH_READY, false },
		{ ROWS_REFUSING, HEALTH_REFUSING, true },
	};

	(void)state;
	pools_start();
	for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
		bool is_ready = words[i].meant == HEALTH_READY;

		pools_tell(2, words[i].told, ROWS_FULL_SHARE);
		assert_int_equal(usable(), is_ready ? 15 : 11);
		assert_int_equal(pool->availability.reports[2].state, words[i].meant);
		assert_int_equal(pool->availability.well_count, is_ready ? 4 : 3);
		assert_int_equal(pool->backends[2].is_well, is_ready);
		assert_int_equal(pool->backends[2].capacity.ramp, words[i].ramp);
	}
}

/* What is told counts when it is published, not before. */
static void test_words_are_read_when_they_are_published(void **state)
{
	const struct rows_health down = { ROWS_DOWN, ROWS_FULL_SHARE, 1 };

	(void)state;
	pools_start();
	rows_set_health(w.rows, w.backends[0].row, down);
	assert_int_equal(usable(), 15);
	rows_publish(w.rows);
	assert_int_equal(usable(), 14);
}

/* Without rows, or without a row of its own, a backend is ready as far as anybody knows. */
static void test_without_the_board(void **state)
{
	(void)state;
	pools_tell(0, ROWS_DOWN, ROWS_FULL_SHARE);
	pools_tell(1, ROWS_DOWN, ROWS_FULL_SHARE);
	w.backends[0].row = ROWS_NONE;
	pools_start();
	assert_int_equal(usable(), 13);
	pool_setup_fini_one(pool);
	w.pools[0] = (struct pool){ 0 };
	w.upstream.rows = NULL;
	pools_start();
	assert_int_equal(usable(), 15);
	refuse(3);
	assert_int_equal(usable(), 7);
	w.loop.now_us += 250 * POOLS_MS;
	assert_int_equal(usable(), 15);
}

static void expect_nothing_said(enum rows_state told, unsigned share)
{
	false_word = (struct rows_health){ told, share, 1 };
	rows_publish(w.rows);
	assert_int_equal(usable(), 15);
	for (int i = 0; i < POOLS_BACKENDS; i++) {
		assert_int_equal(pool->availability.reports[i].state, HEALTH_READY);
		assert_int_equal(pool->availability.reports[i].share, HEALTH_FULL_SHARE);
	}
}

/* The board is memory of several processes: a word that no monitor writes says nothing. */
static void test_a_false_word_says_nothing(void **state)
{
	(void)state;
	pools_start();
	expect_nothing_said(ROWS_EMPTY + 1, 256);
	expect_nothing_said(255, 256);
	expect_nothing_said(ROWS_DOWN, 0);
	expect_nothing_said(ROWS_DOWN, 257);
	expect_nothing_said(ROWS_READY, 65535);
	false_word = (struct rows_health){ ROWS_EMPTY, 1, 1 };
	rows_publish(w.rows);
	assert_int_equal(usable(), 0);
}

/* A pick costs a look at two numbers as long as nothing changes. */
static void test_it_is_worked_out_only_after_a_change(void **state)
{
	(void)state;
	for (int with_board = 1; with_board >= 0; with_board--) {
		if (!with_board) {
			pool_setup_fini_one(pool);
			w.pools[0] = (struct pool){ 0 };
			w.upstream.rows = NULL;
		}
		renewals = 0;
		pools_start();
		assert_int_equal(renewals, 1);
		assert_int_equal(usable(), 15);
		rows_publish(w.rows);
		assert_int_equal(usable(), 15);
		assert_int_equal(usable(), 15);
		assert_int_equal(renewals, with_board ? 2 : 1);
		renewals = 1;
		refuse(0);
		assert_int_equal(usable(), 14);
		assert_int_equal(usable(), 14);
		assert_int_equal(renewals, 2);
		w.loop.now_us += 250 * POOLS_MS;
		assert_int_equal(usable(), 15);
		assert_int_equal(usable(), 15);
		assert_int_equal(renewals, 3);
	}
}

/* A name that was not found: nobody to connect to. */
static void test_a_backend_without_address_is_closed(void **state)
{
	const struct address address = { .len = 1 };

	(void)state;
	addresses_write(w.backends[1].addresses, 1, &address, 0);
	pools_start();
	assert_int_equal(usable(), 13);
	assert_int_equal(pool->availability.reports[1].state, HEALTH_CLOSED);
	assert_false(pool->backends[1].is_well);
	addresses_write(w.backends[1].addresses, 1, &address, 1);
	rows_publish(w.rows);
	assert_int_equal(usable(), 15);
}

static void test_drain_and_weight_0(void **state)
{
	(void)state;
	w.backends[0].drain = true;
	w.backends[1].weight = 0;
	pools_start();
	assert_int_equal(usable(), 12);
	/* One that drains still serves its sessions. */
	assert_true(pool->backends[0].is_well);
	assert_false(pool->backends[1].is_well);
	assert_int_equal(pool->availability.well_count, 2);
	pools_tell(0, ROWS_DOWN, ROWS_FULL_SHARE);
	assert_int_equal(usable(), 12);
	assert_false(pool->backends[0].is_well);
}

/* In a panic all that answer are taken, those that refuse only if no other is left, and those that
 * are closed never. */
static void test_panic(void **state)
{
	(void)state;
	w.app.panic = 50;
	w.backends[3].drain = true;
	pools_start();
	pools_tell(0, ROWS_DOWN, ROWS_FULL_SHARE);
	assert_int_equal(usable(), 6);
	pools_tell(1, ROWS_REFUSING, ROWS_FULL_SHARE);
	assert_int_equal(usable(), 5);
	pools_tell(2, ROWS_REFUSING, ROWS_FULL_SHARE);
	assert_int_equal(usable(), 1);
	pools_tell(0, ROWS_REFUSING, ROWS_FULL_SHARE);
	assert_int_equal(usable(), 7);
	pools_tell(0, ROWS_EMPTY, ROWS_FULL_SHARE);
	assert_int_equal(usable(), 6);
}

/* Exactly `panic` percent are enough. */
static void test_the_edge_of_panic(void **state)
{
	(void)state;
	w.app.panic = 50;
	pools_start();
	pools_tell(0, ROWS_DOWN, ROWS_FULL_SHARE);
	pools_tell(1, ROWS_DOWN, ROWS_FULL_SHARE);
	assert_int_equal(usable(), 12);
	pools_tell(2, ROWS_DOWN, ROWS_FULL_SHARE);
	assert_int_equal(usable(), 15);
	pool_setup_fini_one(pool);
	w.pools[0] = (struct pool){ 0 };
	/* With 0 percent one that is ready is enough, and none is not. */
	w.app.panic = 0;
	pools_start();
	assert_int_equal(usable(), 8);
	pools_tell(3, ROWS_DOWN, ROWS_FULL_SHARE);
	assert_int_equal(usable(), 0);
}

/* Priorities 0 (a, b) and 1 (c), and a backup (d). */
static void start_groups(int panic)
{
	w.app.panic = panic;
	w.backends[2].priority = 1;
	w.backends[3].backup = true;
	pools_start();
}

static void test_the_lowest_priority_serves(void **state)
{
	(void)state;
	start_groups(50);
	assert_int_equal(usable(), 3);
	/* The others wait, and are well. */
	assert_int_equal(pool->availability.well_count, 4);
	assert_true(pool->backends[2].is_well && pool->backends[3].is_well);
	assert_int_equal(pool->availability.reports[2].state, HEALTH_CLOSED);
	assert_int_equal(pool->availability.reports[3].state, HEALTH_CLOSED);
	/* One of two is 50 percent. */
	pools_tell(0, ROWS_DOWN, ROWS_FULL_SHARE);
	assert_int_equal(usable(), 2);
	pools_tell(1, ROWS_DOWN, ROWS_FULL_SHARE);
	assert_int_equal(usable(), 4);
	pools_tell(2, ROWS_DOWN, ROWS_FULL_SHARE);
	assert_int_equal(usable(), 8);
	pools_tell(0, ROWS_READY, ROWS_FULL_SHARE);
	assert_int_equal(usable(), 1);
}

/* A group that is not enough goes on with those of it that are ready. */
static void test_the_next_priority_helps(void **state)
{
	(void)state;
	start_groups(51);
	pools_tell(0, ROWS_DOWN, ROWS_FULL_SHARE);
	assert_int_equal(usable(), 6);
	assert_int_equal(pool->availability.reports[0].state, HEALTH_CLOSED);
	pools_tell(2, ROWS_EJECTED, ROWS_FULL_SHARE);
	assert_int_equal(usable(), 10);
	/* No group is enough: all stay open, and it is a panic. */
	pools_tell(3, ROWS_REFUSING, ROWS_FULL_SHARE);
	assert_int_equal(usable(), 7);
}

/* Two of three are not 67 percent. */
static void test_percents_are_not_rounded(void **state)
{
	(void)state;
	w.backends[2].priority = 0;
	w.backends[3].priority = 1;
	w.app.panic = 67;
	pools_start();
	assert_int_equal(usable(), 7);
	pools_tell(0, ROWS_DOWN, ROWS_FULL_SHARE);
	assert_int_equal(usable(), 14);
}

static void test_a_group_that_drains_is_passed_over(void **state)
{
	(void)state;
	w.backends[0].drain = true;
	w.backends[1].weight = 0;
	start_groups(0);
	assert_int_equal(usable(), 4);
	assert_int_equal(pool->availability.well_count, 2);
}

/* Backups come behind the highest priority that there is. */
static void test_backups_come_last(void **state)
{
	(void)state;
	w.backends[0].priority = w.backends[1].priority = SETTINGS_PRIORITY_MAX;
	w.backends[2].priority = SETTINGS_PRIORITY_MAX;
	w.backends[3].backup = true;
	w.backends[3].priority = 0;
	pools_start();
	assert_int_equal(usable(), 7);
	for (size_t i = 0; i < 3; i++)
		pools_tell(i, ROWS_DOWN, ROWS_FULL_SHARE);
	assert_int_equal(usable(), 8);
}

/* A slow start: a part of the weight, and a ramp that begins once. */
static void test_a_share_of_the_weight(void **state)
{
	const unsigned *weights;

	(void)state;
	w.backends[1].weight = 3;
	pools_start();
	weights = pool->availability.health.weights;
	pools_tell(0, ROWS_READY, 64);
	assert_int_equal(usable(), 15);
	assert_int_equal(weights[0] * 12, weights[1]);
	assert_int_equal(weights[0] * 4, weights[2]);
	assert_int_equal(pool->backends[0].capacity.ramp, 1);
	assert_int_equal(pool->backends[2].capacity.ramp, 0);
	pool->backends[0].capacity.ramp = 8;
	pools_tell(0, ROWS_READY, 65);
	assert_int_equal(usable(), 15);
	assert_int_equal(pool->backends[0].capacity.ramp, 8);
	assert_int_equal(pool->ramps, 1);
	/* One that refuses begins anew. */
	pools_tell(0, ROWS_REFUSING, 65);
	assert_int_equal(usable(), 14);
	assert_int_equal(pool->backends[0].capacity.ramp, 1);
}

/* The picker draws by the shares, and not only those that it must not pick are left out. */
static void test_picks_follow_the_shares(void **state)
{
	const struct pick query = { .rng = &w.upstream.rng, .view = &pool->view };
	unsigned got[POOLS_BACKENDS] = { 0 };

	(void)state;
	pools_start();
	pools_tell(0, ROWS_READY, ROWS_LEAST_SHARE);
	assert_int_equal(usable(), 15);
	for (int i = 0; i < 3100; i++)
		got[pool->kind->pick(pool->picker, &query)]++;
	assert_in_range(got[0], 50, 150);
	assert_in_range(got[1], 900, 1100);
}

/* 250 ms at first, then twice as long each time, up to 8 s; no timer ends it. */
static void test_connect_backoff_doubles(void **state)
{
	static const unsigned lengths_ms[] = { 250, 500, 1000, 2000, 4000, 8000, 8000, 8000 };

	(void)state;
	pools_start();
	for (size_t i = 0; i < sizeof lengths_ms / sizeof lengths_ms[0]; i++) {
		refuse(1);
		assert_int_equal(usable(), 13);
		assert_int_equal(pool->availability.reports[1].state, HEALTH_REFUSING);
		assert_int_equal(
			pool->availability.due_us, w.loop.now_us + lengths_ms[i] * POOLS_MS);
		w.loop.now_us += lengths_ms[i] * POOLS_MS - 1;
		assert_int_equal(usable(), 13);
		w.loop.now_us++;
		assert_int_equal(usable(), 15);
		assert_true(pool->availability.due_us == UINT64_MAX);
	}
	availability_responded(&pool->backends[1]);
	refuse(1);
	w.loop.now_us += 250 * POOLS_MS - 1;
	assert_int_equal(usable(), 13);
	w.loop.now_us++;
	assert_int_equal(usable(), 15);
}

/* Requests that were connecting at the same time all fail: the second one changes nothing. */
static void test_failures_at_one_time_count_once(void **state)
{
	(void)state;
	pools_start();
	refuse(1);
	w.loop.now_us += 250 * POOLS_MS - 1;
	refuse(1);
	assert_int_equal(pool->backends[1].connect_backoff.ms, 250);
	assert_int_equal(pool->backends[1].connect_backoff.until_us, w.loop.now_us + 1);
	/* At its end it is another time. */
	w.loop.now_us++;
	refuse(1);
	assert_int_equal(pool->backends[1].connect_backoff.ms, 500);
	assert_int_equal(usable(), 13);
}

/* It is looked at again when the first of them ends. */
static void test_several_backoffs_end_in_turn(void **state)
{
	(void)state;
	pools_start();
	refuse(2);
	w.loop.now_us += 100 * POOLS_MS;
	refuse(0);
	w.loop.now_us += 100 * POOLS_MS;
	refuse(3);
	assert_int_equal(usable(), 2);
	w.loop.now_us = POOLS_BEGIN_US + 250 * POOLS_MS;
	assert_int_equal(usable(), 6);
	w.loop.now_us += 100 * POOLS_MS;
	assert_int_equal(usable(), 7);
	w.loop.now_us += 100 * POOLS_MS;
	assert_int_equal(usable(), 15);
}

/* The worse of both counts: what the monitor says, and what this worker saw. */
static void test_backoff_and_health_words(void **state)
{
	(void)state;
	pools_start();
	refuse(0);
	pools_tell(0, ROWS_DOWN, ROWS_FULL_SHARE);
	assert_int_equal(usable(), 14);
	assert_int_equal(pool->availability.reports[0].state, HEALTH_REFUSING);
	pools_tell(0, ROWS_EMPTY, ROWS_FULL_SHARE);
	assert_int_equal(usable(), 14);
	assert_int_equal(pool->availability.reports[0].state, HEALTH_CLOSED);
	w.loop.now_us += 250 * POOLS_MS;
	pools_tell(0, ROWS_DOWN, ROWS_FULL_SHARE);
	assert_int_equal(usable(), 14);
	assert_int_equal(pool->availability.reports[0].state, HEALTH_EJECTED);
}

/* A connection that was refused begins a ramp. */
static void test_backoff_begins_a_ramp(void **state)
{
	(void)state;
	pools_start();
	refuse(3);
	assert_int_equal(usable(), 7);
	assert_int_equal(pool->backends[3].capacity.ramp, 1);
	assert_int_equal(pool->ramps, 1);
	w.loop.now_us += 250 * POOLS_MS;
	assert_int_equal(usable(), 15);
	assert_int_equal(pool->backends[3].capacity.ramp, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_all_serve_at_first, begin, pools_end),
		cmocka_unit_test_setup_teardown(test_each_health_word, begin, pools_end),
		cmocka_unit_test_setup_teardown(
			test_words_are_read_when_they_are_published, begin, pools_end),
		cmocka_unit_test_setup_teardown(test_without_the_board, begin, pools_end),
		cmocka_unit_test_setup_teardown(test_a_false_word_says_nothing, begin, pools_end),
		cmocka_unit_test_setup_teardown(
			test_it_is_worked_out_only_after_a_change, begin, pools_end),
		cmocka_unit_test_setup_teardown(
			test_a_backend_without_address_is_closed, begin, pools_end),
		cmocka_unit_test_setup_teardown(test_drain_and_weight_0, begin, pools_end),
		cmocka_unit_test_setup_teardown(test_panic, begin, pools_end),
		cmocka_unit_test_setup_teardown(test_the_edge_of_panic, begin, pools_end),
		cmocka_unit_test_setup_teardown(test_the_lowest_priority_serves, begin, pools_end),
		cmocka_unit_test_setup_teardown(test_the_next_priority_helps, begin, pools_end),
		cmocka_unit_test_setup_teardown(test_percents_are_not_rounded, begin, pools_end),
		cmocka_unit_test_setup_teardown(
			test_a_group_that_drains_is_passed_over, begin, pools_end),
		cmocka_unit_test_setup_teardown(test_backups_come_last, begin, pools_end),
		cmocka_unit_test_setup_teardown(test_a_share_of_the_weight, begin, pools_end),
		cmocka_unit_test_setup_teardown(test_picks_follow_the_shares, begin, pools_end),
		cmocka_unit_test_setup_teardown(test_connect_backoff_doubles, begin, pools_end),
		cmocka_unit_test_setup_teardown(
			test_failures_at_one_time_count_once, begin, pools_end),
		cmocka_unit_test_setup_teardown(
			test_several_backoffs_end_in_turn, begin, pools_end),
		cmocka_unit_test_setup_teardown(test_backoff_and_health_words, begin, pools_end),
		cmocka_unit_test_setup_teardown(test_backoff_begins_a_ramp, begin, pools_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
