/* How much a backend may have: limits over all workers, idle connections, and ramps. */
#include "config.h"

#include "upstream/capacity.h"

#include "pools.h"
#include "upstream/availability.h"

static struct pool *const pool = &w.pools[0];

static bool is_full(size_t backend)
{
	return capacity_is_full(&pool->view, backend);
}

/* The backend begins to make a connection, or has made or lost one. */
static void connecting(size_t backend, int change)
{
	pool->backends[backend].capacity.connecting += (unsigned)change;
}

static void ramp(size_t backend)
{
	capacity_ramp(pool, &pool->backends[backend]);
}

static void connected(size_t backend)
{
	capacity_connected(pool, &pool->backends[backend]);
}

/* --- the settings --- */

static void test_a_pool_without_limits_never_asks(void **state)
{
	(void)state;
	pools_start();
	assert_false(pool->limited);
	assert_null(pool->view.is_full);
	for (size_t i = 0; i < POOLS_BACKENDS; i++) {
		pools_set_other(ROWS_IN_FLIGHT, i, 1000);
		pools_set_other(ROWS_CONNECTIONS, i, 1000);
		assert_false(is_full(i));
	}
}

static void test_either_limit_makes_a_pool_limited(void **state)
{
	(void)state;
	w.backends[1].max_requests = 1;
	pools_start();
	assert_true(pool->limited);
	assert_ptr_equal(pool->view.is_full, capacity_is_full);
	pool_setup_fini_one(pool);
	w.pools[0] = (struct pool){ 0 };
	w.backends[1].max_requests = 0;
	w.backends[3].max_connections = 1;
	pools_start();
	assert_true(pool->limited);
	assert_int_equal(pool->backends[3].capacity.connections, 1);
	assert_int_equal(pool->backends[1].capacity.requests, 0);
}

/* Where nothing is counted there are no limits. */
static void test_no_limits_without_rows(void **state)
{
	(void)state;
	for (int i = 0; i < POOLS_BACKENDS; i++)
		w.backends[i].max_requests = w.backends[i].max_connections = 1;
	w.backends[0].row = ROWS_NONE;
	pools_start();
	assert_int_equal(pool->backends[0].capacity.requests, 0);
	assert_int_equal(pool->backends[0].capacity.connections, 0);
	assert_int_equal(pool->backends[0].capacity.idle, CAPACITY_IDLE_MOST);
	assert_int_equal(pool->backends[1].capacity.requests, 1);
	for (int i = 0; i < 2; i++) {
		pool_setup_fini_one(pool);
		w.pools[0] = (struct pool){ 0 };
		w.upstream.rows = i == 0 ? w.rows : NULL;
		w.app.row = i == 0 ? SETTINGS_NO_ROW : 1;
		pools_start();
		assert_false(pool->limited);
		assert_int_equal(pool->backends[1].capacity.requests, 0);
	}
}

/* A worker keeps idle connections for its part of the limit, and never more than 512. */
static void test_the_idle_part(void **state)
{
	static const struct {
		int limit;
		uint32_t workers;
		unsigned idle;
	} cases[] = {
		{ 0, 4, CAPACITY_IDLE_MOST },
		{ 100, 4, 25 },
		{ 100, 1, 100 },
		{ 100, 0, 100 },
		{ 7, 4, 1 },
		{ 3, 4, 0 },
		{ 1024, 2, 512 },
		{ 1026, 2, 512 },
		{ 1022, 2, 511 },
		{ 100000, 1, 512 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		w.backends[2].max_connections = cases[i].limit;
		w.upstream.workers = cases[i].workers;
		pools_start();
		assert_int_equal(pool->backends[2].capacity.idle, cases[i].idle);
		pool_setup_fini_one(pool);
		w.pools[0] = (struct pool){ 0 };
	}
}

/* --- full --- */

static void test_requests_of_all_workers_count(void **state)
{
	(void)state;
	w.backends[1].max_requests = 3;
	pools_start();
	pools_set_other(ROWS_IN_FLIGHT, 1, 2);
	assert_false(is_full(1));
	rows_enter(pool->backends[1].load.in_flight);
	assert_true(is_full(1));
	/* An idle connection is of no use then. */
	pool->backends[1].idle_count = 1;
	assert_true(is_full(1));
	pools_set_other(ROWS_IN_FLIGHT, 1, 1);
	assert_false(is_full(1));
	pools_set_other(ROWS_IN_FLIGHT, 0, 1000);
	assert_false(is_full(0));
}

static void test_connections_of_all_workers_count(void **state)
{
	(void)state;
	w.backends[1].max_connections = 3;
	pools_start();
	pools_set_other(ROWS_CONNECTIONS, 1, 2);
	assert_false(is_full(1));
	rows_enter(pool->backends[1].load.connections);
	assert_true(is_full(1));
	/* One of them is idle, and of this worker. */
	pool->backends[1].idle_count = 1;
	assert_false(is_full(1));
	pools_set_other(ROWS_IN_FLIGHT, 1, 1000);
	assert_false(is_full(1));
}

static void test_a_connection_is_counted_when_it_is_opened(void **state)
{
	struct backend *limited, *other;

	(void)state;
	w.backends[1].max_connections = 2;
	pools_start();
	limited = &pool->backends[1];
	other = &pool->backends[2];
	pools_set_other(ROWS_CONNECTIONS, 1, 1);
	assert_true(capacity_open(pool, limited));
	assert_int_equal(pools_own(ROWS_CONNECTIONS, 1), 1);
	assert_false(capacity_open(pool, limited));
	assert_int_equal(pools_own(ROWS_CONNECTIONS, 1), 1);
	for (uint32_t n = 1; n < 100; n++) {
		assert_true(capacity_open(pool, other));
		assert_int_equal(pools_own(ROWS_CONNECTIONS, 2), n);
	}
	assert_int_equal(pools_own(ROWS_IN_FLIGHT, 1), 0);
	assert_int_equal(pools_own(ROWS_IN_FLIGHT, 2), 0);
}

static void test_a_limit_of_one_connection(void **state)
{
	(void)state;
	w.backends[1].max_connections = 1;
	pools_start();
	assert_false(is_full(1));
	assert_true(capacity_open(pool, &pool->backends[1]));
	assert_true(is_full(1));
	assert_false(capacity_open(pool, &pool->backends[1]));
	pool->backends[1].idle_count = 1;
	assert_false(is_full(1));
}

/* --- room for a request --- */

static void fill(size_t backend)
{
	pools_set_other(ROWS_IN_FLIGHT, backend, 1);
}

static void start_full(void)
{
	for (int i = 0; i < POOLS_BACKENDS; i++)
		w.backends[i].max_requests = 1;
	w.app.retry.attempts = POOLS_BACKENDS;
	pools_start();
	for (size_t i = 0; i < POOLS_BACKENDS; i++)
		fill(i);
}

static void test_room(void **state)
{
	struct selection s;

	(void)state;
	start_full();
	pools_select(&s);
	assert_int_equal(capacity_room(&s), CAPACITY_FULL);
	pools_set_other(ROWS_IN_FLIGHT, 3, 0);
	assert_int_equal(capacity_room(&s), CAPACITY_ROOM);
	/* The one with room was tried. */
	s.tried[s.tried_count++] = 0;
	s.tried[s.tried_count++] = 3;
	assert_int_equal(capacity_room(&s), CAPACITY_FULL);
	pools_set_other(ROWS_IN_FLIGHT, 1, 0);
	assert_int_equal(capacity_room(&s), CAPACITY_ROOM);
}

static void test_no_room_where_all_were_tried(void **state)
{
	struct selection s;

	(void)state;
	start_full();
	w.app.retry.attempts = POOLS_BACKENDS + 1;
	pools_select(&s);
	for (size_t i = 0; i < POOLS_BACKENDS; i++) {
		assert_int_equal(capacity_room(&s), CAPACITY_FULL);
		s.tried[s.tried_count++] = i;
	}
	assert_int_equal(capacity_room(&s), CAPACITY_NOBODY);
}

static void test_no_room_behind_the_last_attempt(void **state)
{
	struct selection s;

	(void)state;
	start_full();
	w.app.retry.attempts = 2;
	pools_set_other(ROWS_IN_FLIGHT, 3, 0);
	pools_select(&s);
	s.tried[s.tried_count++] = 0;
	assert_int_equal(capacity_room(&s), CAPACITY_ROOM);
	s.tried[s.tried_count++] = 1;
	assert_int_equal(capacity_room(&s), CAPACITY_NOBODY);
}

static void test_no_room_where_none_may_be_picked(void **state)
{
	struct selection s;

	(void)state;
	start_full();
	pools_set_other(ROWS_IN_FLIGHT, 3, 0);
	pools_select(&s);
	pools_tell(3, ROWS_DOWN, ROWS_FULL_SHARE);
	availability_refresh(pool);
	assert_int_equal(capacity_room(&s), CAPACITY_FULL);
	for (size_t i = 0; i < 3; i++)
		pools_tell(i, ROWS_DOWN, ROWS_FULL_SHARE);
	availability_refresh(pool);
	assert_int_equal(capacity_room(&s), CAPACITY_NOBODY);
}

/* --- ramps --- */

static void test_a_ramp_holds_connections_back(void **state)
{
	(void)state;
	pools_start();
	ramp(2);
	assert_ptr_equal(pool->view.is_full, capacity_is_full);
	assert_int_equal(pool->ramps, 1);
	assert_false(is_full(2));
	connecting(2, 1);
	assert_true(is_full(2));
	assert_false(is_full(1));
	/* An idle connection need not be made. */
	pool->backends[2].idle_count = 1;
	assert_false(is_full(2));
	pool->backends[2].idle_count = 0;
	connected(2);
	assert_false(is_full(2));
	connecting(2, 1);
	assert_true(is_full(2));
}

/* 1, 2, 4 ... 64, which is its end. */
static void test_a_ramp_doubles_until_its_end(void **state)
{
	unsigned most = 1;

	(void)state;
	pools_start();
	ramp(2);
	for (; most < CAPACITY_RAMP_MOST; most *= 2) {
		assert_int_equal(pool->backends[2].capacity.ramp, most);
		assert_ptr_equal(pool->view.is_full, capacity_is_full);
		connected(2);
	}
	assert_int_equal(pool->backends[2].capacity.ramp, 0);
	assert_int_equal(pool->ramps, 0);
	assert_null(pool->view.is_full);
	connecting(2, 1000);
	assert_false(is_full(2));
}

static void test_a_ramp_begins_anew(void **state)
{
	(void)state;
	pools_start();
	ramp(2);
	connected(2);
	connected(2);
	ramp(2);
	assert_int_equal(pool->backends[2].capacity.ramp, 1);
	assert_int_equal(pool->ramps, 1);
}

static void test_the_last_ramp_ends_the_asking(void **state)
{
	(void)state;
	pools_start();
	ramp(1);
	ramp(2);
	assert_int_equal(pool->ramps, 2);
	for (int i = 0; i < 6; i++)
		connected(1);
	assert_int_equal(pool->backends[1].capacity.ramp, 0);
	assert_int_equal(pool->ramps, 1);
	assert_ptr_equal(pool->view.is_full, capacity_is_full);
	for (int i = 0; i < 6; i++)
		connected(2);
	assert_int_equal(pool->ramps, 0);
	assert_null(pool->view.is_full);
}

static void test_a_limited_pool_goes_on_asking(void **state)
{
	(void)state;
	w.backends[0].max_requests = 5;
	pools_start();
	ramp(1);
	for (int i = 0; i < 6; i++)
		connected(1);
	assert_int_equal(pool->ramps, 0);
	assert_ptr_equal(pool->view.is_full, capacity_is_full);
}

/* It stays at its most as long as the backend gets only a part of its share. */
static void test_a_ramp_lasts_as_long_as_a_slow_start(void **state)
{
	(void)state;
	pools_start();
	pools_tell(2, ROWS_READY, ROWS_FULL_SHARE - 1);
	availability_refresh(pool);
	assert_int_equal(pool->ramps, 1);
	for (int i = 0; i < 6; i++)
		connected(2);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(pool->backends[2].capacity.ramp, CAPACITY_RAMP_MOST);
		connected(2);
	}
	connecting(2, CAPACITY_RAMP_MOST - 1);
	assert_false(is_full(2));
	connecting(2, 1);
	assert_true(is_full(2));
	pools_tell(2, ROWS_READY, ROWS_FULL_SHARE);
	availability_refresh(pool);
	assert_int_equal(pool->backends[2].capacity.ramp, CAPACITY_RAMP_MOST);
	connected(2);
	assert_int_equal(pool->backends[2].capacity.ramp, 0);
	assert_int_equal(pool->ramps, 0);
}

static void test_connections_without_a_ramp_change_nothing(void **state)
{
	(void)state;
	pools_start();
	ramp(1);
	connected(2);
	assert_int_equal(pool->backends[2].capacity.ramp, 0);
	assert_int_equal(pool->ramps, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			test_a_pool_without_limits_never_asks, pools_begin, pools_end),
		cmocka_unit_test_setup_teardown(
			test_either_limit_makes_a_pool_limited, pools_begin, pools_end),
		cmocka_unit_test_setup_teardown(
			test_no_limits_without_rows, pools_begin, pools_end),
		cmocka_unit_test_setup_teardown(test_the_idle_part, pools_begin, pools_end),
		cmocka_unit_test_setup_teardown(
			test_requests_of_all_workers_count, pools_begin, pools_end),
		cmocka_unit_test_setup_teardown(
			test_connections_of_all_workers_count, pools_begin, pools_end),
		cmocka_unit_test_setup_teardown(
			test_a_connection_is_counted_when_it_is_opened, pools_begin, pools_end),
		cmocka_unit_test_setup_teardown(
			test_a_limit_of_one_connection, pools_begin, pools_end),
		cmocka_unit_test_setup_teardown(test_room, pools_begin, pools_end),
		cmocka_unit_test_setup_teardown(
			test_no_room_where_all_were_tried, pools_begin, pools_end),
		cmocka_unit_test_setup_teardown(
			test_no_room_behind_the_last_attempt, pools_begin, pools_end),
		cmocka_unit_test_setup_teardown(
			test_no_room_where_none_may_be_picked, pools_begin, pools_end),
		cmocka_unit_test_setup_teardown(
			test_a_ramp_holds_connections_back, pools_begin, pools_end),
		cmocka_unit_test_setup_teardown(
			test_a_ramp_doubles_until_its_end, pools_begin, pools_end),
		cmocka_unit_test_setup_teardown(test_a_ramp_begins_anew, pools_begin, pools_end),
		cmocka_unit_test_setup_teardown(
			test_the_last_ramp_ends_the_asking, pools_begin, pools_end),
		cmocka_unit_test_setup_teardown(
			test_a_limited_pool_goes_on_asking, pools_begin, pools_end),
		cmocka_unit_test_setup_teardown(
			test_a_ramp_lasts_as_long_as_a_slow_start, pools_begin, pools_end),
		cmocka_unit_test_setup_teardown(
			test_connections_without_a_ramp_change_nothing, pools_begin, pools_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
