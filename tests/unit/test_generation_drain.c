/* The end of a generation: which workers are told to finish, which are killed, and when there is
 * room for the next generation. */
#include "config.h"

#include "master_scene.h"

#include "master/children/stop.h"
#include "master/generations/generation_drain.h"

#define DRAIN 5000

void __wrap_inbox_forward(const struct worker_inbox *inboxes, uint32_t from, uint32_t to);
void __real_rows_settle(struct rows *rows);
void __wrap_rows_settle(struct rows *rows);

static struct listener_settings listeners[2];
static struct settings settings = {
	.workers = SCENE_WORKERS,
	.timeouts = { .drain = DRAIN },
	.listeners = listeners,
	.listener_count = 2,
};
static struct settings newer = {
	.workers = SCENE_WORKERS, .listeners = listeners, .listener_count = 1
};

static uint32_t forwarded[SCENE_WORKERS][2];
static size_t forward_count;

void __wrap_inbox_forward(const struct worker_inbox *inboxes, uint32_t from, uint32_t to)
{
	(void)inboxes;
	forwarded[forward_count][0] = from;
	forwarded[forward_count++][1] = to;
}

static unsigned settled;

void __wrap_rows_settle(struct rows *rows)
{
	settled++;
	__real_rows_settle(rows);
}

static int setup(void **state)
{
	const char *why;

	forward_count = 0;
	settled = 0;
	memset(listeners, 0, sizeof listeners);
	if (address_parse_listen("127.0.0.1:8081", &listeners[0].address, &why) == -1 ||
		address_parse_listen("127.0.0.1:8082", &listeners[1].address, &why) == -1)
		return -1;
	return scene_setup(state);
}

static struct generation *add_past(uint32_t number, enum generation_state s)
{
	struct generation *g = scene_generation(&settings, number, SCENE_WORKERS, s);

	list_append(&scene.m.past, &g->link);
	return g;
}

static void test_stop(void **state)
{
	struct generation *g = scene.m.current =
		scene_generation(&settings, 1, SCENE_WORKERS, GENERATION_CURRENT);
	struct child *ready = scene_worker(g, 0, CHILD_READY);
	struct child *starting = scene_worker(g, 1, CHILD_STARTING);
	struct child *monitor = scene_child(g, CHILD_MONITOR, 0, CHILD_READY);
	struct child *resolver = scene_child(g, CHILD_RESOLVER, 0, CHILD_STARTING);
	struct child *draining = scene_worker(g, 2, CHILD_DRAINING);

	(void)state;
	master_state_set_phase(&scene.m, MASTER_STOPPING);
	generation_drain_begin(&scene.m, NULL);
	assert_int_equal(ready->state, CHILD_DRAINING);
	assert_int_equal(ready->deadline, scene.now + DRAIN + GENERATION_DRAIN_GRACE_MS);
	assert_int_equal(scene_last_sent(ready, MESSAGE_DRAIN)->number, DRAIN_STOP);
	assert_int_equal(scene_count_sent(NULL, MESSAGE_GONE), 0);
	assert_int_equal(starting->state, CHILD_KILLED);
	assert_int_equal(monitor->state, CHILD_KILLED);
	assert_int_equal(resolver->state, CHILD_KILLED);
	assert_int_equal(scene_count_sent(draining, MESSAGE_DRAIN), 0);
	assert_int_equal(scene.kill_count, 3);
}

static void test_replaced(void **state)
{
	struct generation *old = add_past(1, GENERATION_DRAINING);
	struct child *c = scene_worker(old, 0, CHILD_READY);
	struct child *other;

	(void)state;
	scene.m.current = scene_generation(&newer, 2, SCENE_WORKERS, GENERATION_CURRENT);
	other = scene_worker(scene.m.current, 0, CHILD_READY);
	generation_drain_begin(&scene.m, old);
	assert_int_equal(scene_last_sent(c, MESSAGE_DRAIN)->number, DRAIN_REPLACED);
	/* No other process accepts at the second address. */
	assert_int_equal(scene_count_sent(c, MESSAGE_GONE), 1);
	assert_int_equal(scene_last_sent(c, MESSAGE_GONE)->number, 1);
	assert_int_equal(other->state, CHILD_READY);
}

static void test_failed(void **state)
{
	struct generation *failed = add_past(2, GENERATION_FAILED);
	struct child *c = scene_worker(failed, 0, CHILD_READY);

	(void)state;
	scene.m.current = scene_generation(&newer, 1, SCENE_WORKERS, GENERATION_CURRENT);
	generation_drain_begin(&scene.m, failed);
	assert_int_equal(scene_last_sent(c, MESSAGE_DRAIN)->number, DRAIN_STOP);
	assert_int_equal(scene_count_sent(c, MESSAGE_GONE), 0);
}

static void test_deaf(void **state)
{
	struct generation *old = add_past(1, GENERATION_DRAINING);
	struct child *deaf = scene_worker(old, 0, CHILD_READY);
	struct child *closed = scene_worker(old, 1, CHILD_READY);

	(void)state;
	scene.m.current = scene_generation(&newer, 2, SCENE_WORKERS, GENERATION_CURRENT);
	scene.deaf = deaf->channel;
	closed->channel = -1;
	generation_drain_begin(&scene.m, old);
	assert_int_equal(deaf->state, CHILD_ENDING);
	assert_int_equal(deaf->deadline, scene.now + STOP_TERM_TIMEOUT_MS);
	assert_int_equal(closed->state, CHILD_ENDING);
	assert_int_equal(scene_count_killed(deaf, SIGTERM), 1);
}

/* A worker to which only messages of this type cannot be sent. */
static void check_deaf_to(enum message_type type)
{
	struct generation *old = add_past(1, GENERATION_DRAINING);
	struct child *c = scene_worker(old, 0, CHILD_READY);

	scene.m.current = scene_generation(&newer, 2, SCENE_WORKERS, GENERATION_CURRENT);
	scene.deaf = c->channel;
	scene.deaf_type = type;
	generation_drain_begin(&scene.m, old);
	assert_int_equal(c->state, CHILD_ENDING);
}

static void test_deaf_to_drain(void **state)
{
	(void)state;
	check_deaf_to(MESSAGE_DRAIN);
}

static void test_deaf_to_gone(void **state)
{
	(void)state;
	check_deaf_to(MESSAGE_GONE);
	/* It is not told the half of it. */
	assert_int_equal(scene_count_sent(NULL, MESSAGE_DRAIN), 0);
}

static void test_first_address_gone(void **state)
{
	struct generation *old = add_past(1, GENERATION_DRAINING);
	struct child *c = scene_worker(old, 0, CHILD_READY);

	(void)state;
	newer.listener_count = 0;
	scene.m.current = scene_generation(&newer, 2, SCENE_WORKERS, GENERATION_CURRENT);
	generation_drain_begin(&scene.m, old);
	newer.listener_count = 1;
	assert_int_equal(scene_count_sent(c, MESSAGE_GONE), 2);
	assert_int_equal(scene.sent[0].message.number, 0);
}

static void test_due(void **state)
{
	struct generation *g = add_past(1, GENERATION_DRAINING);

	(void)state;
	assert_int_equal(generation_drain_due(&scene.m, g), 0);
	scene_child(g, CHILD_RESOLVER, 0, CHILD_READY)->deadline = 900;
	assert_int_equal(generation_drain_due(&scene.m, g), 0);
	scene_worker(g, 0, CHILD_DRAINING)->deadline = 300;
	scene_worker(g, 1, CHILD_DRAINING)->deadline = 500;
	scene_worker(g, 2, CHILD_DRAINING)->deadline = 400;
	assert_int_equal(generation_drain_due(&scene.m, g), 500);
}

static void test_room(void **state)
{
	struct generation *a = add_past(1, GENERATION_DRAINING);
	struct generation *b = add_past(2, GENERATION_DRAINING);
	struct generation *c = add_past(3, GENERATION_DRAINING);

	(void)state;
	assert_int_equal(generation_drain_room_due(&scene.m), 0);
	scene_worker(a, 0, CHILD_DRAINING)->deadline = 700;
	assert_int_equal(generation_drain_room_due(&scene.m), 0);
	scene_worker(b, 0, CHILD_DRAINING)->deadline = 500;
	assert_int_equal(generation_drain_room_due(&scene.m), 500);
	scene_worker(c, 0, CHILD_DRAINING)->deadline = 600;
	assert_int_equal(generation_drain_room_due(&scene.m), 500);
}

static void test_rescue(void **state)
{
	struct generation *g = add_past(1, GENERATION_DRAINING);
	struct generation *other = add_past(2, GENERATION_DRAINING);

	(void)state;
	scene_worker(other, 3, CHILD_READY);
	scene_child(g, CHILD_RESOLVER, 2, CHILD_READY);
	scene_worker(g, 0, CHILD_ENDING);
	/* Nobody takes anything. */
	generation_drain_rescue(&scene.m, g);
	assert_int_equal(forward_count, 0);
	scene_worker(g, 1, CHILD_DRAINING);
	generation_drain_rescue(&scene.m, g);
	assert_int_equal(forward_count, 2);
	assert_int_equal(forwarded[0][0], 2);
	assert_int_equal(forwarded[0][1], 1);
	assert_int_equal(forwarded[1][0], 3);
	assert_int_equal(forwarded[1][1], 1);
}

static void test_rescue_by_ready(void **state)
{
	struct generation *g = add_past(1, GENERATION_DRAINING);

	(void)state;
	scene_worker(g, 3, CHILD_READY);
	generation_drain_rescue(&scene.m, g);
	assert_int_equal(forward_count, 3);
	assert_int_equal(forwarded[2][1], 3);
}

static void test_freed(void **state)
{
	struct generation *drained = add_past(1, GENERATION_DRAINING);
	struct generation *busy = add_past(2, GENERATION_DRAINING);
	struct child *last = scene_worker(busy, 0, CHILD_DRAINING);

	(void)state;
	(void)drained;
	add_past(3, GENERATION_FAILED);
	generation_drain_free(&scene.m);
	assert_int_equal(scene.freed_settings, 2);
	assert_true(scene_logged("generation 1 has ended\n"));
	assert_false(scene_logged("generation 3 has ended"));
	assert_ptr_equal(scene.m.past.next, &busy->link);
	child_remove(last, scene.m.board);
	busy->cut_workers = 1;
	busy->cut_requests = 2;
	busy->cut_idle = 3;
	generation_drain_free(&scene.m);
	assert_true(scene_logged("cut off were 2 requests and 3 idle connections of 1 workers, "
				 "and all that 0 killed ones had"));
	assert_true(list_is_empty(&scene.m.past));
	busy = add_past(4, GENERATION_DRAINING);
	busy->killed = 1;
	scene.m.rows = rows_new(scene.m.board, 64, 64, 64);
	busy->rows = rows_share(scene.m.rows);
	assert_int_equal(settled, 0);
	generation_drain_free(&scene.m);
	assert_int_equal(settled, 1);
	assert_true(scene_logged("and all that 1 killed ones had"));
}

static void test_free_keeps_rows(void **state)
{
	struct generation *g = add_past(1, GENERATION_DRAINING);

	(void)state;
	scene.m.rows = rows_new(scene.m.board, 64, 64, 64);
	g->rows = rows_share(scene.m.rows);
	scene_worker(g, 0, CHILD_DRAINING);
	generation_drain_free(&scene.m);
	assert_non_null(g->rows);
	assert_int_equal(settled, 0);
	assert_int_equal(scene.freed_settings, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, scene_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_stop),
		TEST(test_replaced),
		TEST(test_failed),
		TEST(test_deaf),
		TEST(test_deaf_to_drain),
		TEST(test_deaf_to_gone),
		TEST(test_first_address_gone),
		TEST(test_due),
		TEST(test_room),
		TEST(test_rescue),
		TEST(test_rescue_by_ready),
		TEST(test_freed),
		TEST(test_free_keeps_rows),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
