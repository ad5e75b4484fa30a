/* What is learned of a backend's idle limit, and how it is forgotten. */
#include "config.h"

#include "upstream/keep_alive.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define MS UINT64_C(1000)

static struct keep_alive limit;
static uint64_t now_us;

static int begin(void **state)
{
	(void)state;
	limit = (struct keep_alive){ 0 };
	now_us = 1000000 * MS;
	return 0;
}

static void closed(uint64_t idle_ms)
{
	keep_alive_closed(&limit, idle_ms * MS, now_us);
}

static void alive(uint64_t idle_ms)
{
	keep_alive_alive(&limit, idle_ms * MS, now_us);
}

/* Closes at about the same age, at moments of their own. */
static void closed_often(uint64_t idle_ms, unsigned times)
{
	for (unsigned i = 0; i < times; i++) {
		now_us += 500 * MS;
		closed(idle_ms + i % 3 * idle_ms / 50);
	}
}

static void check(uint64_t usual_ms, uint64_t once_ms)
{
	assert_int_equal(
		keep_alive_usual(&limit), usual_ms == UINT64_MAX ? UINT64_MAX : usual_ms * MS);
	assert_int_equal(keep_alive_once(&limit), once_ms * MS);
}

static void test_unknown(void **state)
{
	(void)state;
	check(UINT64_MAX, 50);
}

/* An open connection shows that one half as old is safe; a second is the most. */
static void test_what_is_shown(void **state)
{
	(void)state;
	alive(90);
	check(UINT64_MAX, 50);
	alive(120);
	check(UINT64_MAX, 60);
	alive(600);
	check(UINT64_MAX, 300);
	alive(50);
	check(UINT64_MAX, 300);
	alive(60000);
	check(UINT64_MAX, 1000);
}

static void test_one_close_is_believed(void **state)
{
	(void)state;
	alive(1900);
	closed(2000);
	check(1500, 950);
	alive(2000);
	check(1500, 1000);
	closed(400);
	check(300, 200);
	closed(20);
	check(UINT64_MAX, 10);
	closed(0);
	assert_int_equal(keep_alive_once(&limit), 0);
}

static void test_the_youngest_counts(void **state)
{
	(void)state;
	alive(500);
	closed(410);
	closed(400);
	closed(420);
	check(300, 200);
}

/* Connections of any age end at once. The next one that gets older is enough. */
static void test_a_restart_is_forgotten(void **state)
{
	(void)state;
	alive(30000);
	for (uint64_t age = 1; age < 3000; age += 7)
		closed(age);
	assert_int_equal(keep_alive_once(&limit), 50 * MS);
	now_us += 20 * MS;
	alive(12);
	assert_int_equal(keep_alive_once(&limit), 50 * MS);
	alive(4000);
	check(UINT64_MAX, 1000);
}

/* A limit that was seen often needs as many witnesses, and one is not heard twice. */
static void test_a_limit_stays(void **state)
{
	(void)state;
	alive(1000);
	closed_often(1000, 5);
	check(750, 500);
	for (unsigned i = 0; i < 100; i++) {
		now_us += 10 * MS;
		alive(2000 + 10 * (uint64_t)i);
	}
	check(750, 500);
	for (unsigned i = 0; i < 3; i++) {
		now_us += 500 * MS;
		alive(2000);
		check(750, 500);
	}
	now_us += 500 * MS;
	alive(2000);
	check(UINT64_MAX, 1000);
}

static void test_witnesses_need_not_be_many(void **state)
{
	(void)state;
	closed_often(1000, 1000);
	for (unsigned i = 0; i < 8; i++) {
		check(750, i == 0 ? 50 : 500);
		now_us += 500 * MS;
		alive(2000);
	}
	check(UINT64_MAX, 1000);
}

/* Closes that come together are one. */
static void test_a_crowd_is_one(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 100; i++)
		closed(1000);
	alive(1300);
	check(UINT64_MAX, 650);
}

/* How many witnesses it takes until the limit is forgotten. */
static unsigned believed(void)
{
	unsigned witnesses = 0;

	for (; limit.closed_us != 0; witnesses++) {
		now_us += 500 * MS;
		alive(60000);
	}
	return witnesses;
}

/* What is older than the limit by a quarter and 10 ms is beyond it. */
static void test_what_is_beyond_a_limit(void **state)
{
	(void)state;
	closed(1000);
	keep_alive_alive(&limit, 1260 * MS, now_us);
	check(750, 500);
	keep_alive_alive(&limit, 1260 * MS + 1, now_us);
	assert_true(keep_alive_usual(&limit) == UINT64_MAX);
	/* A close that is beyond is the first one of another limit. */
	closed(1000);
	now_us += 500 * MS;
	keep_alive_closed(&limit, 1260 * MS + 1, now_us);
	assert_int_equal(limit.closed_us, 1260 * MS + 1);
	assert_int_equal(believed(), 1);
}

/* Closes from a quarter below the limit on are of the same one, whose least age counts. */
static void test_what_is_near_a_limit(void **state)
{
	(void)state;
	closed(1000);
	now_us += 500 * MS;
	closed(1260);
	check(750, 50);
	now_us += 500 * MS;
	closed(750);
	assert_int_equal(limit.closed_us, 750 * MS);
	assert_int_equal(believed(), 3);
	closed(1000);
	now_us += 500 * MS;
	keep_alive_closed(&limit, 750 * MS - 1, now_us);
	assert_int_equal(limit.closed_us, 750 * MS - 1);
	assert_int_equal(believed(), 1);
}

/* Closes have one cause when none is 100 ms behind the one before it. */
static void test_closes_that_follow_each_other(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 10; i++) {
		closed(1000);
		now_us += 100 * MS - 1;
	}
	assert_int_equal(believed(), 1);
	closed(1000);
	now_us += 100 * MS;
	closed(1000);
	assert_int_equal(believed(), 2);
}

/* So young a connection is seldom closed for its age. */
static void test_a_short_limit_is_worth_no_fresh_connection(void **state)
{
	(void)state;
	closed(100);
	check(75, 50);
	keep_alive_closed(&limit, 100 * MS - 1, now_us);
	assert_true(keep_alive_usual(&limit) == UINT64_MAX);
}

/* A connection that was closed young shows that those are not safe. */
static void test_a_close_takes_back_what_was_shown(void **state)
{
	(void)state;
	alive(1900);
	closed(300);
	assert_int_equal(believed(), 1);
	limit.alive_us = 0;
	alive(400);
	closed(150);
	assert_int_equal(limit.alive_us, 150 * MS);
	closed(200);
	assert_int_equal(limit.alive_us, 150 * MS);
}

/* A witness may be seen while it is open, and again when it closes. */
static void test_a_witness_that_closes_is_heard_once(void **state)
{
	(void)state;
	closed_often(1000, 2);
	now_us += 3000 * MS;
	alive(2000);
	now_us += 500 * MS;
	closed(2500);
	check(750, 500);
	now_us += 500 * MS;
	closed(2500);
	check(1875, 1000);
}

/* What lived long before the first close says nothing of it; if it lives on it does. */
static void test_a_witness_from_before_the_first_close(void **state)
{
	(void)state;
	alive(1000);
	closed(500);
	check(375, 250);
	now_us += 1000 * MS;
	alive(2000);
	check(UINT64_MAX, 1000);
}

static void test_the_first_close_is_a_young_one(void **state)
{
	(void)state;
	closed(8);
	check(UINT64_MAX, 4);
}

static void test_a_shorter_limit(void **state)
{
	(void)state;
	alive(9000);
	closed_often(10000, 10);
	check(7500, 1000);
	closed(800);
	check(600, 400);
}

static void test_a_longer_limit(void **state)
{
	(void)state;
	closed_often(800, 3);
	closed_often(3000, 3);
	check(2340, 50);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_unknown, begin),
		cmocka_unit_test_setup(test_what_is_shown, begin),
		cmocka_unit_test_setup(test_one_close_is_believed, begin),
		cmocka_unit_test_setup(test_the_youngest_counts, begin),
		cmocka_unit_test_setup(test_a_restart_is_forgotten, begin),
		cmocka_unit_test_setup(test_a_limit_stays, begin),
		cmocka_unit_test_setup(test_witnesses_need_not_be_many, begin),
		cmocka_unit_test_setup(test_a_crowd_is_one, begin),
		cmocka_unit_test_setup(test_what_is_beyond_a_limit, begin),
		cmocka_unit_test_setup(test_what_is_near_a_limit, begin),
		cmocka_unit_test_setup(test_closes_that_follow_each_other, begin),
		cmocka_unit_test_setup(test_a_short_limit_is_worth_no_fresh_connection, begin),
		cmocka_unit_test_setup(test_a_close_takes_back_what_was_shown, begin),
		cmocka_unit_test_setup(test_a_witness_that_closes_is_heard_once, begin),
		cmocka_unit_test_setup(test_a_witness_from_before_the_first_close, begin),
		cmocka_unit_test_setup(test_the_first_close_is_a_young_one, begin),
		cmocka_unit_test_setup(test_a_shorter_limit, begin),
		cmocka_unit_test_setup(test_a_longer_limit, begin),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
