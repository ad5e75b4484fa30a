/* Deadlines fall due in order, once, to within a tick, and not after they were stopped. */
#include "config.h"

#include <event2/event.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/clock.h"
#include "net/deadline.h"
#include "net/loop.h"

static struct loop loop;
static struct deadline first, second, third;
static struct deadline *order[8];
static int fired;

static void expired(struct deadline *deadline)
{
	assert_false(deadline_is_running(deadline));
	order[fired++] = deadline;
}

static void expired_last(struct deadline *deadline)
{
	expired(deadline);
	loop_stop(&loop);
}

static void expired_again(struct deadline *deadline);

static struct deadline_queue shorter, longer;

static void expired_again(struct deadline *deadline)
{
	expired(deadline);
	if (fired < 2)
		deadline_start(deadline, &shorter, &loop);
	else
		loop_stop(&loop);
}

static int set_up(void **state)
{
	(void)state;
	fired = 0;
	deadline_init(&first);
	deadline_init(&second);
	deadline_init(&third);
	return loop_init(&loop);
}

static int tear_down(void **state)
{
	(void)state;
	loop_fini(&loop);
	return 0;
}

static void test_order(void **state)
{
	uint64_t start = clock_ms();

	(void)state;
	loop_look_up(&loop); /* deadlines count from the loop's now */
	deadline_queue_init(&shorter, &loop, 20, expired);
	deadline_queue_init(&longer, &loop, 120, expired_last);
	deadline_start(&third, &longer, &loop);
	deadline_start(&first, &shorter, &loop);
	deadline_start(&second, &shorter, &loop);
	loop_run(&loop);
	assert_int_equal(fired, 3);
	assert_ptr_equal(order[0], &first);
	assert_ptr_equal(order[1], &second);
	assert_ptr_equal(order[2], &third);
	assert_true(clock_ms() - start >= 120);
}

static void test_stopped(void **state)
{
	(void)state;
	deadline_queue_init(&shorter, &loop, 20, expired);
	deadline_queue_init(&longer, &loop, 60, expired_last);
	deadline_start(&first, &shorter, &loop);
	deadline_start(&third, &longer, &loop);
	assert_true(deadline_is_running(&first));
	deadline_stop(&first);
	deadline_stop(&first);
	assert_false(deadline_is_running(&first));
	loop_run(&loop);
	assert_int_equal(fired, 1);
	assert_ptr_equal(order[0], &third);
}

/* Starting it again moves it to the other queue: it does not fire twice. */
static void test_moved(void **state)
{
	(void)state;
	deadline_queue_init(&shorter, &loop, 20, expired);
	deadline_queue_init(&longer, &loop, 60, expired_last);
	deadline_start(&first, &shorter, &loop);
	deadline_start(&first, &longer, &loop);
	loop_run(&loop);
	assert_int_equal(fired, 1);
}

static void test_started_when_expired(void **state)
{
	(void)state;
	deadline_queue_init(&shorter, &loop, 10, expired_again);
	deadline_start(&first, &shorter, &loop);
	loop_run(&loop);
	assert_int_equal(fired, 2);
}

static void expired_to_shorter(struct deadline *deadline)
{
	(void)deadline;
	deadline_start(&first, &shorter, &loop);
}

/* The queue of the new deadline was looked at before, and was empty. */
static void test_started_in_earlier_queue(void **state)
{
	(void)state;
	deadline_queue_init(&shorter, &loop, 10, expired);
	deadline_queue_init(&longer, &loop, 20, expired_to_shorter);
	deadline_start(&third, &longer, &loop);
	loop_run(&loop); /* it ends when nothing ticks */
	assert_int_equal(fired, 1);
	assert_false(deadline_is_running(&first));
}

/* Without deadlines the loop has no reason to wake up. */
static void test_sleeps_without_work(void **state)
{
	(void)state;
	deadline_queue_init(&shorter, &loop, 10, expired);
	deadline_start(&first, &shorter, &loop);
	loop_run(&loop);
	assert_int_equal(fired, 1);
	assert_false(loop.ticking);
}

static bool short_of_memory;

void *__real_mem_alloc(size_t size);
void *__wrap_mem_alloc(size_t size);

void *__wrap_mem_alloc(size_t size)
{
	return short_of_memory ? NULL : __real_mem_alloc(size);
}

void *__real_mem_resize(void *block, size_t count, size_t size);
void *__wrap_mem_resize(void *block, size_t count, size_t size);

void *__wrap_mem_resize(void *block, size_t count, size_t size)
{
	return short_of_memory ? NULL : __real_mem_resize(block, count, size);
}

/* What is waited for must not be forgotten because memory was short when the waiting began. */
static void test_starts_without_memory(void **state)
{
	(void)state;
	deadline_queue_init(&shorter, &loop, 10, expired);
	short_of_memory = true;
	deadline_start(&first, &shorter, &loop);
	short_of_memory = false;
	assert_true(loop.ticking);
	loop_run(&loop);
	assert_int_equal(fired, 1);
}

#define CROWD     200
#define EACH_US   50
#define TURN_US   300 /* what a crowd may take of a turn */
#define EACH_TURN (TURN_US / EACH_US + 1)

static unsigned crowd_gone;

static uint64_t times[4];
static unsigned time_count;

static void take_time(uint64_t us)
{
	for (uint64_t end = clock_us() + us; clock_us() < end;)
		;
}

static void expired_one(struct deadline *deadline)
{
	(void)deadline;
	take_time(EACH_US);
	crowd_gone++;
}

/* Many that are due at once go some at a time, and what else is ready comes between: no turn of the
 * loop is as long as all of them. */
static void test_crowd_in_turns(void **state)
{
	static struct deadline crowd[CROWD];
	unsigned turns = 0;

	(void)state;
	crowd_gone = 0;
	loop_look_up(&loop);
	deadline_queue_init(&shorter, &loop, 1, expired_one);
	for (size_t i = 0; i < CROWD; i++) {
		deadline_init(&crowd[i]);
		deadline_start(&crowd[i], &shorter, &loop);
	}
	while (crowd_gone < CROWD) {
		unsigned before = crowd_gone;

		assert_true(loop_turn(&loop, true));
		assert_in_range(crowd_gone - before, 0, EACH_TURN);
		turns += crowd_gone > before;
	}
	assert_in_range(turns, CROWD / EACH_TURN, CROWD);
	deadline_queue_fini(&shorter);
}

/* A few connections that trickle are read in each turn, more of them for so long, and all of that
 * again in the next turn. */
static void test_low_priority_in_turns(void **state)
{
	(void)state;
	for (int turn = 0; turn < 2; turn++) {
		take_time(TURN_US);
		for (int few = 0; few < 8; few++)
			assert_true(loop_grants_low_priority(&loop));
		assert_true(loop_grants_low_priority(&loop));
		take_time(TURN_US);
		assert_false(loop_grants_low_priority(&loop));
		(void)loop_turn(&loop, false);
	}
}

/* One that is put off is due a duration after the last time, or an eighth of that later, and is not
 * moved where it will be due late enough anyway. */
static void test_put_off(void **state)
{
	uint64_t due_us;

	(void)state;
	loop_look_up(&loop);
	deadline_queue_init(&shorter, &loop, 80, expired);
	deadline_put_off(&first, &shorter, &loop);
	deadline_put_off(&second, &shorter, &loop);
	due_us = first.due_us;
	assert_int_equal(due_us, loop.now_us + 90000);
	loop.now_us += 10000;
	deadline_put_off(&first, &shorter, &loop);
	assert_int_equal(first.due_us, due_us);
	assert_ptr_equal(deadline_first(&shorter), &first);
	loop.now_us += 1;
	deadline_put_off(&first, &shorter, &loop);
	assert_int_equal(first.due_us, due_us + 10001);
	assert_ptr_equal(deadline_first(&shorter), &second);
	deadline_stop(&first);
	deadline_stop(&second);
	deadline_queue_fini(&shorter);
	deadline_queue_init(&longer, &loop, 60000, expired);
	deadline_put_off(&first, &longer, &loop);
	assert_int_equal(first.due_us, loop.now_us + 60050000);
	deadline_stop(&first);
	deadline_queue_fini(&longer);
}

static void read_clock_twice(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	(void)arg;
	loop_begin(&loop, PULSE_DEADLINES, -1);
	take_time(2);
	loop_begin(&loop, PULSE_DEADLINES, -1);
	times[time_count++] = loop.now_us;
}

/* All callbacks of a turn see the same time, those of the next one a later one. */
static void test_one_time_a_turn(void **state)
{
	struct event a, b;

	(void)state;
	time_count = 0;
	event_assign(&a, loop.base, -1, 0, read_clock_twice, NULL);
	event_assign(&b, loop.base, -1, 0, read_clock_twice, NULL);
	for (int turn = 0; turn < 2; turn++) {
		event_active(&a, EV_TIMEOUT, 1);
		event_active(&b, EV_TIMEOUT, 1);
		(void)loop_turn(&loop, false);
	}
	assert_int_equal(time_count, 4);
	assert_true(times[0] == times[1] && times[1] < times[2] && times[2] == times[3]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_order, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_crowd_in_turns, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_low_priority_in_turns, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_one_time_a_turn, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_put_off, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_stopped, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_moved, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_started_when_expired, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_started_in_earlier_queue, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_sleeps_without_work, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_starts_without_memory, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
