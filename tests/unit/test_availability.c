/* Which backends may be picked: health words, connect backoff, drain, priorities and backups. */
#include "config.h"

#include "upstream/availability.h"

#include "base/memory.h"
#include "pools.h"

static struct pool *const pool = &w.pools[0];

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
	pool_fini(pool);
	w.pools[0] = (struct pool){ 0 };
	w.upstream.rows = NULL;
	pools_start();
	assert_int_equal(usable(), 15);
	refuse(3);
	assert_int_equal(usable(), 7);
	w.loop.now_us += 250 * POOLS_MS;
	assert_int_equal(usable(), 15);
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
	pool_fini(pool);
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
	availability_answered(&pool->backends[1]);
	refuse(1);
	assert_int_equal(usable(), 13);
	w.loop.now_us += 250 * POOLS_MS;
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
		cmocka_unit_test_setup_teardown(test_all_serve_at_first, pools_begin, pools_end),
		cmocka_unit_test_setup_teardown(test_each_health_word, pools_begin, pools_end),
		cmocka_unit_test_setup_teardown(
			test_words_are_read_when_they_are_published, pools_begin, pools_end),
		cmocka_unit_test_setup_teardown(test_without_the_board, pools_begin, pools_end),
		cmocka_unit_test_setup_teardown(
			test_a_backend_without_address_is_closed, pools_begin, pools_end),
		cmocka_unit_test_setup_teardown(test_drain_and_weight_0, pools_begin, pools_end),
		cmocka_unit_test_setup_teardown(test_panic, pools_begin, pools_end),
		cmocka_unit_test_setup_teardown(test_the_edge_of_panic, pools_begin, pools_end),
		cmocka_unit_test_setup_teardown(
			test_the_lowest_priority_serves, pools_begin, pools_end),
		cmocka_unit_test_setup_teardown(
			test_the_next_priority_helps, pools_begin, pools_end),
		cmocka_unit_test_setup_teardown(
			test_a_group_that_drains_is_passed_over, pools_begin, pools_end),
		cmocka_unit_test_setup_teardown(test_backups_come_last, pools_begin, pools_end),
		cmocka_unit_test_setup_teardown(test_a_share_of_the_weight, pools_begin, pools_end),
		cmocka_unit_test_setup_teardown(
			test_picks_follow_the_shares, pools_begin, pools_end),
		cmocka_unit_test_setup_teardown(
			test_connect_backoff_doubles, pools_begin, pools_end),
		cmocka_unit_test_setup_teardown(
			test_failures_at_one_time_count_once, pools_begin, pools_end),
		cmocka_unit_test_setup_teardown(
			test_several_backoffs_end_in_turn, pools_begin, pools_end),
		cmocka_unit_test_setup_teardown(
			test_backoff_and_health_words, pools_begin, pools_end),
		cmocka_unit_test_setup_teardown(test_backoff_begins_a_ramp, pools_begin, pools_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
