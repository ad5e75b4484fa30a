/* Where a choice begins and ends: what a request has of a pool, and gives back. */
#include "config.h"

#include "upstream/selection.h"

#include "pools.h"
#include "upstream/select.h"

static struct pool *const pool = &w.pools[0];

/* How often the queue was asked to look for room soon. */
static unsigned looks;

int __wrap_event_add(struct event *event, const struct timeval *after);
int __wrap_event_add(struct event *event, const struct timeval *after)
{
	(void)event;
	(void)after;
	return 0;
}

void __wrap_event_active(struct event *event, int what, short calls);
void __wrap_event_active(struct event *event, int what, short calls)
{
	(void)what;
	(void)calls;
	assert_ptr_equal(event, &w.upstream.queue_tick);
	looks++;
}

static int begin(void **state)
{
	looks = 0;
	if (pools_begin(state) == -1)
		return -1;
	w.app.queue = 8;
	w.backends[0].max_requests = 1;
	return 0;
}

static uint32_t queued(void)
{
	return atomic_load(&pools_cells(POOLS_OWN)->queued);
}

/* Whatever stood in its memory. */
static void test_it_begins_with_nothing(void **state)
{
	struct slice ip = slice_of_string("10.0.0.1");
	struct selection s;

	(void)state;
	pools_start();
	memset(&s, 0xff, sizeof s);
	select_init(&s, pool, &w.request, ip, true);
	assert_ptr_equal(s.pool, pool);
	assert_ptr_equal(s.request, &w.request);
	assert_ptr_equal(s.client_ip.data, ip.data);
	assert_int_equal(s.client_ip.len, ip.len);
	assert_true(s.trusted);
	assert_true(list_is_empty(&s.link));
	assert_int_equal(s.queued_us, 0);
	assert_int_equal(s.picked_us, 0);
	assert_true(s.backend == PICKER_NONE);
	assert_true(s.session == PICKER_NONE);
	assert_int_equal(s.tried_count, 0);
	assert_false(s.counted || s.bound || s.unbound || s.secure);
	select_init(&s, NULL, &w.request, ip, false);
	assert_null(s.pool);
	assert_false(s.trusted);
}

/* One that goes to no pool has nothing to give back. */
static void test_the_end_of_one_that_has_nothing(void **state)
{
	struct selection s;

	(void)state;
	select_init(&s, NULL, &w.request, slice_of(NULL, 0), false);
	select_end(&s);
	pools_start();
	pools_select(&s);
	select_end(&s);
	assert_int_equal(queued(), 0);
	assert_int_equal(pools_cells(POOLS_OWN)->in_flight, 0);
	assert_int_equal(looks, 0);
}

static void test_the_end_gives_up_a_place(void **state)
{
	struct selection s;
	size_t backend;

	(void)state;
	pools_start();
	pools_select(&s);
	assert_true(select_backend(&s));
	backend = s.backend;
	assert_ptr_equal(selection_backend(&s), &pool->backends[backend]);
	assert_int_equal(pools_own(ROWS_IN_FLIGHT, backend), 1);
	select_end(&s);
	assert_int_equal(pools_own(ROWS_IN_FLIGHT, backend), 0);
	assert_false(s.counted);
	/* Nobody waits for it. */
	assert_int_equal(looks, 0);
	select_end(&s);
	assert_int_equal(pools_own(ROWS_IN_FLIGHT, backend), 0);
}

static void test_the_end_leaves_the_queue(void **state)
{
	struct selection s;

	(void)state;
	pools_start();
	pools_select(&s);
	assert_true(queue_enter(&s));
	assert_int_equal(queued(), 1);
	select_end(&s);
	assert_int_equal(queued(), 0);
	assert_true(queue_is_empty(&pool->queue));
	assert_int_equal(looks, 0);
}

/* A place that is free is looked for by those that wait, in either list. */
static void test_the_end_gives_its_place_to_another(void **state)
{
	struct selection s, waits;

	(void)state;
	pools_start();
	for (int bound = 0; bound < 2; bound++) {
		looks = 0;
		pools_select(&s);
		assert_true(select_backend(&s));
		pools_select(&waits);
		waits.bound = bound;
		assert_true(queue_enter(&waits));
		select_end(&s);
		assert_int_equal(looks, 1);
		assert_int_equal(queued(), 1);
		select_end(&waits);
		assert_int_equal(looks, 1);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_it_begins_with_nothing, begin, pools_end),
		cmocka_unit_test_setup_teardown(
			test_the_end_of_one_that_has_nothing, begin, pools_end),
		cmocka_unit_test_setup_teardown(test_the_end_gives_up_a_place, begin, pools_end),
		cmocka_unit_test_setup_teardown(test_the_end_leaves_the_queue, begin, pools_end),
		cmocka_unit_test_setup_teardown(
			test_the_end_gives_its_place_to_another, begin, pools_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
