/*
 * Requests that wait for a backend: their order, whose turn it is among workers, and how long they
 * wait. The tick and what it tells are the test's: no event is added to a base.
 */
#include "config.h"

#include "upstream/queue.h"

#include <stdio.h>

#include "base/clock.h"
#include "pools.h"
#include "upstream/retry_budget.h"

#define WAITING_MOST 8

static struct pool *const pool = &w.pools[0];
static struct queue *const queue = &w.pools[0].queue;

/* The requests of a test, and how often each was told what. */
static struct selection waiting[WAITING_MOST];
static unsigned told_ready[WAITING_MOST];
static const char *told_expired[WAITING_MOST];
static char told[64]; /* who left the queue, in order */

/* What a request does that is told of room: goes on, waits on, or waits for its session. */
static enum { GOES_ON, WAITS_ON, GETS_BOUND } answers[WAITING_MOST];
static size_t leaves_too; /* with any that goes on; WAITING_MOST: none does */

/* --- what takes the place of libevent --- */

static struct {
	event_callback_fn call;
	void *argument;
	unsigned added, deleted, activated;
	int result;
} tick;

int __wrap_event_assign(struct event *event, struct event_base *base, evutil_socket_t fd,
	short what, event_callback_fn call, void *argument);
int __wrap_event_assign(struct event *event, struct event_base *base, evutil_socket_t fd,
	short what, event_callback_fn call, void *argument)
{
	assert_ptr_equal(event, &w.upstream.queue_tick);
	assert_ptr_equal(base, w.loop.base);
	assert_int_equal(fd, -1);
	assert_int_equal(what, EV_PERSIST);
	tick.call = call;
	tick.argument = argument;
	return tick.result;
}

int __wrap_event_add(struct event *event, const struct timeval *after);
int __wrap_event_add(struct event *event, const struct timeval *after)
{
	assert_ptr_equal(event, &w.upstream.queue_tick);
	assert_int_equal(after->tv_sec, 0);
	assert_int_equal(after->tv_usec, QUEUE_TICK_MS * 1000);
	tick.added++;
	return tick.result;
}

int __wrap_event_del(struct event *event);
int __wrap_event_del(struct event *event)
{
	assert_ptr_equal(event, &w.upstream.queue_tick);
	tick.deleted++;
	return 0;
}

void __wrap_event_active(struct event *event, int what, short calls);
void __wrap_event_active(struct event *event, int what, short calls)
{
	assert_ptr_equal(event, &w.upstream.queue_tick);
	assert_int_equal(what, EV_TIMEOUT);
	assert_int_equal(calls, 1);
	tick.activated++;
}

/* How often room was looked for. */
static unsigned looks;
enum capacity_room __real_capacity_room(const struct selection *s);
enum capacity_room __wrap_capacity_room(const struct selection *s);
enum capacity_room __wrap_capacity_room(const struct selection *s)
{
	looks++;
	return __real_capacity_room(s);
}

/* The tick comes. */
static void turn(void)
{
	tick.call(-1, EV_TIMEOUT, tick.argument);
}

static void pass(uint64_t us)
{
	w.loop.now_us += us;
	turn();
}

/* --- what the queue tells --- */

static size_t index_of(const struct selection *s)
{
	return (size_t)(s - waiting);
}

static void note(char how, size_t i)
{
	size_t len = strlen(told);

	snprintf(told + len, sizeof told - len, "%c%zu", how, i);
}

static bool ready(struct selection *s)
{
	size_t i = index_of(s);

	told_ready[i]++;
	if (answers[i] == GETS_BOUND)
		s->bound = true;
	if (answers[i] != GOES_ON)
		return false;
	queue_leave(s);
	note('+', i);
	if (leaves_too != WAITING_MOST)
		queue_leave(&waiting[leaves_too]);
	return true;
}

static void expired(struct selection *s, const char *why)
{
	told_expired[index_of(s)] = why;
	queue_leave(s);
	note('-', index_of(s));
}

static int begin(void **state)
{
	static const struct selection_events events = { .ready = ready, .expired = expired };

	memset(&tick, 0, sizeof tick);
	memset(told_ready, 0, sizeof told_ready);
	memset(told_expired, 0, sizeof told_expired);
	memset(answers, 0, sizeof answers);
	told[0] = '\0';
	leaves_too = WAITING_MOST;
	if (pools_begin(state) == -1)
		return -1;
	w.upstream.selection_events = &events;
	w.settings.timeouts.queue = 1000;
	w.app.queue = 100;
	w.app.retry.attempts = POOLS_BACKENDS;
	return queue_make_tick(&w.upstream);
}

/* --- states of the pool --- */

static void set_full(size_t backend, bool is_full)
{
	pools_set_other(ROWS_IN_FLIGHT, backend, is_full ? 1 : 0);
}

/* Backends that are full, all of them. */
static void start(void)
{
	for (size_t i = 0; i < POOLS_BACKENDS; i++) {
		w.backends[i].max_requests = 1;
		set_full(i, true);
	}
	pools_start();
	for (size_t i = 0; i < WAITING_MOST; i++)
		pools_select(&waiting[i]);
}

static void enter(size_t i)
{
	assert_true(queue_enter(&waiting[i]));
}

/* Enters a request that has waited since `ms` after the begin. */
static void enter_since(size_t i, uint64_t ms)
{
	waiting[i].queued_us = POOLS_BEGIN_US + ms * POOLS_MS;
	enter(i);
}

/* Enters one that waits for the backend of its session. */
static void enter_bound(size_t i, size_t backend)
{
	waiting[i].bound = true;
	waiting[i].session = backend;
	enter(i);
}

/* The other worker's first request waits since then; 0: none does. */
static void wait_elsewhere(uint64_t us)
{
	atomic_store(&pools_cells(POOLS_OTHER)->oldest_us, us);
}

static uint64_t published(void)
{
	return atomic_load(&pools_cells(POOLS_OWN)->oldest_us);
}

static uint32_t queued(void)
{
	return atomic_load(&pools_cells(POOLS_OWN)->queued);
}

/* Room for all, so that all that wait leave: tells their order. */
static void expect_order(const char *order)
{
	set_full(0, false);
	turn();
	assert_string_equal(told, order);
	assert_true(queue_is_empty(queue));
}

/* --- entering and leaving --- */

static void test_the_oldest_is_in_front(void **state)
{
	(void)state;
	start();
	enter(0);
	assert_int_equal(waiting[0].queued_us, POOLS_BEGIN_US);
	w.loop.now_us += 10;
	enter(1);
	assert_int_equal(waiting[1].queued_us, POOLS_BEGIN_US + 10);
	assert_int_equal(published(), POOLS_BEGIN_US);
	/* One that waited before goes to its place: the time that it entered first counts. */
	waiting[2].queued_us = POOLS_BEGIN_US + 5;
	enter(2);
	assert_int_equal(waiting[2].queued_us, POOLS_BEGIN_US + 5);
	waiting[3].queued_us = POOLS_BEGIN_US - 1;
	enter(3);
	assert_int_equal(published(), POOLS_BEGIN_US - 1);
	/* Between equals the one that came first. */
	waiting[4].queued_us = POOLS_BEGIN_US;
	enter(4);
	assert_int_equal(queued(), 5);
	expect_order("+3+0+4+2+1");
	assert_int_equal(published(), 0);
	assert_int_equal(queued(), 0);
}

static void test_leaving(void **state)
{
	(void)state;
	start();
	enter(0);
	w.loop.now_us += 10;
	enter(1);
	queue_leave(&waiting[0]);
	assert_int_equal(published(), POOLS_BEGIN_US + 10);
	assert_int_equal(queued(), 1);
	/* One that does not wait has nothing to leave. */
	queue_leave(&waiting[0]);
	queue_leave(&waiting[2]);
	assert_int_equal(queued(), 1);
	queue_leave(&waiting[1]);
	assert_int_equal(published(), 0);
	assert_int_equal(queued(), 0);
	assert_true(queue_is_empty(queue));
}

/* `queue` of the settings counts the requests of all workers. */
static void test_so_many_may_wait(void **state)
{
	(void)state;
	w.app.queue = 3;
	start();
	atomic_store(&pools_cells(POOLS_OTHER)->queued, 1);
	enter(0);
	enter(1);
	assert_false(queue_enter(&waiting[2]));
	assert_int_equal(queued(), 2);
	assert_int_equal(waiting[2].queued_us, 0);
	queue_leave(&waiting[0]);
	enter(2);
	assert_false(queue_enter(&waiting[0]));
}

static void test_without_a_queue_none_waits(void **state)
{
	(void)state;
	w.app.queue = 0;
	start();
	assert_false(queue_enter(&waiting[0]));
	assert_true(queue_is_empty(queue));
	assert_int_equal(tick.added, 0);
	assert_int_equal(queued(), 0);
}

/* --- the tick --- */

static void test_the_tick_runs_while_any_waits(void **state)
{
	(void)state;
	start();
	assert_false(w.upstream.queue_ticks);
	enter(0);
	enter(1);
	assert_int_equal(tick.added, 1);
	assert_true(w.upstream.queue_ticks);
	pass(2000);
	assert_int_equal(tick.deleted, 0);
	assert_true(w.upstream.queue_ticks);
	set_full(0, false);
	pass(2000);
	assert_string_equal(told, "+0+1");
	assert_int_equal(tick.deleted, 1);
	assert_false(w.upstream.queue_ticks);
	enter(2);
	assert_int_equal(tick.added, 2);
}

static void test_a_tick_that_cannot_start_is_started_by_the_next(void **state)
{
	(void)state;
	start();
	tick.result = -1;
	enter(0);
	assert_false(w.upstream.queue_ticks);
	tick.result = 0;
	enter(1);
	assert_true(w.upstream.queue_ticks);
	assert_int_equal(tick.added, 2);
}

static void test_the_tick_can_fail_and_be_stopped(void **state)
{
	(void)state;
	tick.result = -1;
	assert_int_equal(queue_make_tick(&w.upstream), -1);
	queue_stop_ticks(&w.upstream);
	assert_int_equal(tick.deleted, 1);
}

/* A tick shows what the worker is doing, and reads the clock. */
static void test_a_tick_is_a_callback_of_the_loop(void **state)
{
	(void)state;
	start();
	enter(0);
	w.loop.awake = false;
	w.loop.now_us = 0;
	turn();
	assert_true(w.loop.now_us > 0);
	assert_int_equal(w.loop.own_pulse.doing,
		(uint64_t)UINT32_MAX << PULSE_ACTIVITY_BITS | PULSE_DEADLINES);
	clock_hold(false);
}

/* Pools without limits have no queue that could be looked at, and either pool keeps the tick. */
static void test_the_tick_goes_through_limited_pools(void **state)
{
	struct backend_settings backends[POOLS_BACKENDS];
	struct pool_settings settings[2];
	struct selection s;

	(void)state;
	start();
	memcpy(backends, w.backends, sizeof backends);
	settings[0] = settings[1] = w.app;
	settings[1].row = rows_take_pool(w.rows, 3);
	settings[1].backends = backends;
	w.settings.pools = settings;
	w.settings.pool_count = 2;
	enter(0);
	turn(); /* the second one is all zeros */
	w.settings.pool_count = 1;
	w.pools[1].limited = true;
	turn(); /* or is none */
	w.settings.pool_count = 2;
	w.pools[1] = (struct pool){ 0 };
	assert_true(w.upstream.queue_ticks);
	assert_int_equal(pool_setup_init_one(&w.pools[1], &w.upstream, &settings[1]), 0);
	turn();
	assert_true(w.upstream.queue_ticks);
	queue_leave(&waiting[0]);
	s = waiting[1];
	select_init(&waiting[1], &w.pools[1], &w.request, s.client_ip, false);
	enter(1);
	turn();
	assert_true(w.upstream.queue_ticks);
	assert_int_equal(tick.deleted, 0);
	set_full(3, false);
	turn();
	assert_string_equal(told, "+1");
	assert_false(w.upstream.queue_ticks);
	pool_setup_fini_one(&w.pools[1]);
}

static void test_to_look_soon(void **state)
{
	(void)state;
	start();
	queue_look_soon(pool);
	assert_int_equal(tick.activated, 1);
}

/* --- room --- */

static void test_nobody_is_asked_while_all_are_full(void **state)
{
	(void)state;
	start();
	enter(0);
	for (int i = 0; i < 10; i++)
		pass(2000);
	assert_int_equal(told_ready[0], 0);
	assert_string_equal(told, "");
}

/* Other requests were faster: the first one waits on, and no other is asked. */
static void test_the_first_waits_on_and_holds_up_the_others(void **state)
{
	(void)state;
	start();
	enter(0);
	enter(1);
	answers[0] = WAITS_ON;
	set_full(0, false);
	turn();
	assert_int_equal(told_ready[0], 1);
	assert_int_equal(told_ready[1], 0);
	assert_int_equal(queued(), 2);
	answers[0] = GOES_ON;
	turn();
	assert_string_equal(told, "+0+1");
}

/* What is full for the first one is full for all that have tried none. */
static void test_a_long_queue_costs_one_look(void **state)
{
	(void)state;
	start();
	for (size_t i = 0; i < WAITING_MOST; i++)
		enter(i);
	looks = 0;
	turn();
	assert_int_equal(looks, 1);
}

/* Only one that has tried some backends may find others full that have room for none. */
static void test_one_that_tried_some_holds_up_nobody(void **state)
{
	(void)state;
	start();
	enter_since(0, 0);
	enter_since(1, 0);
	enter_since(2, 0);
	waiting[0].tried[waiting[0].tried_count++] = 2;
	set_full(2, false);
	turn();
	assert_string_equal(told, "+1+2");
	assert_int_equal(told_ready[0], 0);
	assert_int_equal(queued(), 1);
	set_full(1, false);
	turn();
	assert_string_equal(told, "+1+2+0");
}

/* One for which no backend is left is told so, too: it would wait for nothing. */
static void test_one_without_a_backend_is_asked(void **state)
{
	(void)state;
	w.app.retry.attempts = 1;
	start();
	enter(0);
	waiting[0].tried[waiting[0].tried_count++] = 2;
	turn();
	assert_string_equal(told, "+0");
}

/* A request that goes on may take others with it out of the list. */
static void test_others_leave_meanwhile(void **state)
{
	(void)state;
	start();
	for (size_t i = 0; i < 4; i++)
		enter(i);
	leaves_too = 1;
	expect_order("+0+2+3");
}

/* What the monitor says is read before anybody is served. */
static void test_a_backend_that_comes_back_has_room(void **state)
{
	(void)state;
	start();
	set_full(3, false);
	pools_tell(3, ROWS_DOWN, ROWS_FULL_SHARE);
	enter(0);
	turn();
	assert_string_equal(told, "");
	pools_tell(3, ROWS_READY, ROWS_FULL_SHARE);
	turn();
	assert_string_equal(told, "+0");
}

/* --- time --- */

static void test_waiting_ends_in_time(void **state)
{
	(void)state;
	start();
	enter(0);
	w.loop.now_us += 10 * POOLS_MS;
	enter(1);
	pass(990 * POOLS_MS - 1);
	assert_string_equal(told, "");
	pass(1);
	assert_string_equal(told, "-0");
	assert_string_equal(told_expired[0], "all backends were busy for too long");
	pass(10 * POOLS_MS - 1);
	assert_string_equal(told, "-0");
	pass(1);
	assert_string_equal(told, "-0-1");
	assert_false(w.upstream.queue_ticks);
}

/* One whose time is over is not asked, even where there is room by now. */
static void test_time_is_over_before_room_is_looked_for(void **state)
{
	(void)state;
	start();
	enter(0);
	enter_since(1, 500);
	set_full(0, false);
	pass(1000 * POOLS_MS);
	assert_string_equal(told, "-0+1");
	assert_int_equal(told_ready[0], 0);
}

static void test_bound_requests_wait_no_longer(void **state)
{
	(void)state;
	start();
	enter_bound(0, 1);
	pass(1000 * POOLS_MS - 1);
	assert_string_equal(told, "");
	pass(1);
	assert_string_equal(told, "-0");
	assert_string_equal(told_expired[0], "the backend of the session was busy for too long");
}

/* --- requests bound to a backend --- */

static void test_bound_requests_wait_for_their_backend(void **state)
{
	(void)state;
	start();
	enter_bound(0, 1);
	enter_bound(1, 2);
	enter_bound(2, 2);
	assert_int_equal(queued(), 3);
	/* They hold up no other worker. */
	assert_int_equal(published(), 0);
	assert_false(queue_is_empty(queue));
	set_full(0, false);
	turn();
	assert_string_equal(told, "");
	set_full(2, false);
	turn();
	assert_string_equal(told, "+1+2");
	set_full(1, false);
	turn();
	assert_string_equal(told, "+1+2+0");
}

static void test_bound_requests_are_in_order(void **state)
{
	(void)state;
	start();
	w.loop.now_us += 10;
	enter_bound(0, 2);
	waiting[1].queued_us = POOLS_BEGIN_US;
	enter_bound(1, 2);
	set_full(2, false);
	turn();
	assert_string_equal(told, "+1+0");
}

/* A free place at a backend goes to a request that is bound to it, though another waited longer. */
static void test_bound_requests_go_before_the_others(void **state)
{
	(void)state;
	start();
	enter(0);
	w.loop.now_us += 10;
	enter_bound(1, 2);
	set_full(2, false);
	turn();
	assert_string_equal(told, "+1+0");
}

/* One that waits on holds up no other of them. */
static void test_bound_requests_do_not_hold_up_each_other(void **state)
{
	(void)state;
	start();
	enter_bound(0, 2);
	enter_bound(1, 2);
	answers[0] = WAITS_ON;
	set_full(2, false);
	turn();
	assert_string_equal(told, "+1");
	assert_int_equal(queued(), 1);
	/* After one that went on the list begins anew. */
	assert_int_equal(told_ready[0], 2);
}

static void test_bound_requests_leave_with_others(void **state)
{
	(void)state;
	start();
	for (size_t i = 0; i < 4; i++)
		enter_bound(i, 2);
	leaves_too = 1;
	set_full(2, false);
	turn();
	assert_string_equal(told, "+0+2+3");
}

/* One of the other list whose session is found when its turn comes: others go on. */
static void test_a_request_is_bound_when_its_turn_comes(void **state)
{
	(void)state;
	start();
	enter(0);
	w.loop.now_us += 10;
	enter(1);
	answers[0] = GETS_BOUND;
	waiting[0].session = 2;
	set_full(0, false);
	turn();
	assert_string_equal(told, "+1");
	assert_int_equal(told_ready[0], 1);
	assert_int_equal(queued(), 1);
	assert_int_equal(published(), 0);
	answers[0] = GOES_ON;
	turn();
	assert_string_equal(told, "+1");
	set_full(2, false);
	turn();
	assert_string_equal(told, "+1+0");
}

static void test_a_request_that_gets_bound_is_no_longer_published(void **state)
{
	(void)state;
	start();
	enter(0);
	w.loop.now_us += 10;
	enter(1);
	answers[0] = GETS_BOUND;
	answers[1] = WAITS_ON;
	waiting[0].session = 2;
	set_full(0, false);
	turn();
	assert_int_equal(published(), POOLS_BEGIN_US + 10);
	assert_int_equal(queued(), 2);
}

/* --- other workers --- */

/* The other worker's request is so much older, in microseconds, and there is room. */
static void start_yielding(uint64_t older_us)
{
	start();
	enter(0);
	wait_elsewhere(POOLS_BEGIN_US - older_us);
	set_full(0, false);
}

static void test_an_older_request_elsewhere_goes_first(void **state)
{
	(void)state;
	start_yielding(QUEUE_EVEN_US + 1);
	turn();
	assert_string_equal(told, "");
	assert_int_equal(told_ready[0], 0);
	wait_elsewhere(0);
	turn();
	assert_string_equal(told, "+0");
}

/* To yield costs a tick: it is not done for little. */
static void test_one_about_as_old_does_not(void **state)
{
	(void)state;
	start_yielding(QUEUE_EVEN_US);
	turn();
	assert_string_equal(told, "+0");
}

/* Room that is left unused for 10 ticks: that worker may hang. */
static void test_patience(void **state)
{
	(void)state;
	start_yielding(100 * POOLS_MS);
	for (unsigned i = 0; i < QUEUE_PATIENCE; i++) {
		turn();
		assert_string_equal(told, "");
		/* More ticks within the same time are one. */
		pass(QUEUE_TICK_MS * 1000 - 1);
		assert_string_equal(told, "");
		w.loop.now_us++;
	}
	turn();
	assert_string_equal(told, "+0");
}

/* It is ignored from then on, and so are older ones; a younger one is given time again. */
static void test_one_that_hangs_is_ignored(void **state)
{
	(void)state;
	start_yielding(100 * POOLS_MS);
	for (unsigned i = 0; i <= QUEUE_PATIENCE; i++)
		pass(QUEUE_TICK_MS * 1000);
	assert_string_equal(told, "+0");
	enter(1);
	turn();
	assert_string_equal(told, "+0+1");
	wait_elsewhere(POOLS_BEGIN_US - 101 * POOLS_MS);
	enter(2);
	turn();
	assert_string_equal(told, "+0+1+2");
	wait_elsewhere(POOLS_BEGIN_US - 99 * POOLS_MS);
	enter(3);
	for (unsigned i = 0; i < QUEUE_PATIENCE; i++) {
		turn();
		assert_string_equal(told, "+0+1+2");
		w.loop.now_us += QUEUE_TICK_MS * 1000;
	}
	turn();
	assert_string_equal(told, "+0+1+2+3");
}

/* Each of them is given time of its own, and so is a third worker's. */
static void test_each_one_is_given_time(void **state)
{
	(void)state;
	start_yielding(100 * POOLS_MS);
	atomic_store(&pools_cells(0)->oldest_us, POOLS_BEGIN_US - 50 * POOLS_MS);
	for (unsigned i = 0; i < 2 * QUEUE_PATIENCE; i++) {
		turn();
		assert_string_equal(told, "");
		w.loop.now_us += QUEUE_TICK_MS * 1000;
	}
	turn();
	assert_string_equal(told, "+0");
}

/* --- what a request asks before it waits --- */

static void test_whether_another_goes_first(void **state)
{
	(void)state;
	start();
	assert_false(queue_must_yield(&waiting[1]));
	enter(0);
	/* As old is old enough. */
	assert_true(queue_must_yield(&waiting[1]));
	waiting[1].queued_us = POOLS_BEGIN_US - 1;
	assert_false(queue_must_yield(&waiting[1]));
	waiting[1].queued_us = POOLS_BEGIN_US + 1;
	assert_true(queue_must_yield(&waiting[1]));
}

static void test_whether_another_worker_s_goes_first(void **state)
{
	(void)state;
	start();
	wait_elsewhere(POOLS_BEGIN_US - QUEUE_EVEN_US);
	assert_false(queue_must_yield(&waiting[0]));
	wait_elsewhere(POOLS_BEGIN_US - QUEUE_EVEN_US - 1);
	assert_true(queue_must_yield(&waiting[0]));
	/* It has waited before. */
	waiting[0].queued_us = POOLS_BEGIN_US - 1;
	assert_false(queue_must_yield(&waiting[0]));
	wait_elsewhere(0);
	waiting[0].queued_us = 0;
	assert_false(queue_must_yield(&waiting[0]));
	/* Requests that are bound hold up nobody. */
	enter_bound(1, 2);
	assert_false(queue_must_yield(&waiting[0]));
}

static void test_whether_it_is_of_use_to_wait(void **state)
{
	struct selection *s = &waiting[0];

	(void)state;
	start();
	assert_true(queue_is_of_use(s));
	set_full(0, false);
	assert_true(queue_is_of_use(s));
	for (size_t i = 0; i < POOLS_BACKENDS; i++)
		pools_tell(i, ROWS_DOWN, ROWS_FULL_SHARE);
	availability_refresh(pool);
	assert_false(queue_is_of_use(s));
	/* A session waits for its backend alone. */
	s->bound = true;
	assert_true(queue_is_of_use(s));
}

static void test_it_is_of_no_use_without_limits(void **state)
{
	struct selection s;

	(void)state;
	pools_start();
	pools_select(&s);
	assert_false(queue_is_of_use(&s));
	s.bound = true;
	assert_false(queue_is_of_use(&s));
}

/* No request waits for the retry budget; the first backend is not a retry. */
static void test_it_is_of_no_use_without_a_budget(void **state)
{
	struct selection *s = &waiting[0];

	(void)state;
	w.app.retry.budget_rate = 1;
	start();
	s->tried[s->tried_count++] = 0;
	for (int i = 0; i < 10; i++) {
		assert_true(queue_is_of_use(s));
		assert_true(retry_budget_take(pool, w.loop.now_us));
	}
	assert_false(queue_is_of_use(s));
	s->tried_count = 0;
	assert_true(queue_is_of_use(s));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_the_oldest_is_in_front, begin, pools_end),
		cmocka_unit_test_setup_teardown(test_leaving, begin, pools_end),
		cmocka_unit_test_setup_teardown(test_so_many_may_wait, begin, pools_end),
		cmocka_unit_test_setup_teardown(test_without_a_queue_none_waits, begin, pools_end),
		cmocka_unit_test_setup_teardown(
			test_the_tick_runs_while_any_waits, begin, pools_end),
		cmocka_unit_test_setup_teardown(
			test_a_tick_that_cannot_start_is_started_by_the_next, begin, pools_end),
		cmocka_unit_test_setup_teardown(
			test_the_tick_can_fail_and_be_stopped, begin, pools_end),
		cmocka_unit_test_setup_teardown(
			test_a_tick_is_a_callback_of_the_loop, begin, pools_end),
		cmocka_unit_test_setup_teardown(
			test_the_tick_goes_through_limited_pools, begin, pools_end),
		cmocka_unit_test_setup_teardown(test_to_look_soon, begin, pools_end),
		cmocka_unit_test_setup_teardown(
			test_nobody_is_asked_while_all_are_full, begin, pools_end),
		cmocka_unit_test_setup_teardown(
			test_the_first_waits_on_and_holds_up_the_others, begin, pools_end),
		cmocka_unit_test_setup_teardown(test_a_long_queue_costs_one_look, begin, pools_end),
		cmocka_unit_test_setup_teardown(
			test_one_that_tried_some_holds_up_nobody, begin, pools_end),
		cmocka_unit_test_setup_teardown(
			test_one_without_a_backend_is_asked, begin, pools_end),
		cmocka_unit_test_setup_teardown(test_others_leave_meanwhile, begin, pools_end),
		cmocka_unit_test_setup_teardown(
			test_a_backend_that_comes_back_has_room, begin, pools_end),
		cmocka_unit_test_setup_teardown(test_waiting_ends_in_time, begin, pools_end),
		cmocka_unit_test_setup_teardown(
			test_time_is_over_before_room_is_looked_for, begin, pools_end),
		cmocka_unit_test_setup_teardown(
			test_bound_requests_wait_no_longer, begin, pools_end),
		cmocka_unit_test_setup_teardown(
			test_bound_requests_wait_for_their_backend, begin, pools_end),
		cmocka_unit_test_setup_teardown(test_bound_requests_are_in_order, begin, pools_end),
		cmocka_unit_test_setup_teardown(
			test_bound_requests_go_before_the_others, begin, pools_end),
		cmocka_unit_test_setup_teardown(
			test_bound_requests_do_not_hold_up_each_other, begin, pools_end),
		cmocka_unit_test_setup_teardown(
			test_bound_requests_leave_with_others, begin, pools_end),
		cmocka_unit_test_setup_teardown(
			test_a_request_is_bound_when_its_turn_comes, begin, pools_end),
		cmocka_unit_test_setup_teardown(
			test_a_request_that_gets_bound_is_no_longer_published, begin, pools_end),
		cmocka_unit_test_setup_teardown(
			test_an_older_request_elsewhere_goes_first, begin, pools_end),
		cmocka_unit_test_setup_teardown(test_one_about_as_old_does_not, begin, pools_end),
		cmocka_unit_test_setup_teardown(test_patience, begin, pools_end),
		cmocka_unit_test_setup_teardown(test_one_that_hangs_is_ignored, begin, pools_end),
		cmocka_unit_test_setup_teardown(test_each_one_is_given_time, begin, pools_end),
		cmocka_unit_test_setup_teardown(test_whether_another_goes_first, begin, pools_end),
		cmocka_unit_test_setup_teardown(
			test_whether_another_worker_s_goes_first, begin, pools_end),
		cmocka_unit_test_setup_teardown(
			test_whether_it_is_of_use_to_wait, begin, pools_end),
		cmocka_unit_test_setup_teardown(
			test_it_is_of_no_use_without_limits, begin, pools_end),
		cmocka_unit_test_setup_teardown(
			test_it_is_of_no_use_without_a_budget, begin, pools_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
