/* The watch of new settings: when it begins, who pauses, and what it ends with. */
#include "config.h"

#include "master_scene.h"

#include "master/generations/canary.h"

#define WATCH 1000
#define LOOK  200

static struct listener_settings listeners[3];
static struct settings before = {
	.workers = SCENE_WORKERS, .listeners = listeners, .listener_count = 1
};
static struct settings after;

static int setup(void **state)
{
	const char *why;
	struct master *m = &scene.m;

	memset(listeners, 0, sizeof listeners);
	before.listener_count = 1;
	after = (struct settings){ .workers = SCENE_WORKERS,
		.reload = { .canary = 2, .watch = WATCH },
		.listeners = listeners,
		.listener_count = 1 };
	if (address_parse_listen("127.0.0.1:8081", &listeners[0].address, &why) == -1 ||
		address_parse_listen("127.0.0.1:8082", &listeners[1].address, &why) == -1 ||
		address_parse_listen("unix:/nowhere", &listeners[2].address, &why) == -1 ||
		scene_setup(state) == -1)
		return -1;
	m->current = scene_generation(&before, 1, SCENE_WORKERS, GENERATION_CURRENT);
	m->next = scene_generation(&after, 2, SCENE_WORKERS, GENERATION_STARTING);
	for (uint32_t i = 0; i < SCENE_WORKERS; i++) {
		scene_worker(m->current, i, CHILD_READY);
		scene_socket(&listeners[0].address, i, 1, false);
	}
	for (uint32_t i = 0; i < 2; i++)
		scene_worker(m->next, i, CHILD_READY);
	m->next->spawned = 2;
	return 0;
}

static struct child *find(const struct generation *g, uint32_t slot)
{
	for (struct list *l = scene.m.children.next; l != &scene.m.children; l = l->next) {
		struct child *c = LIST_ITEM(l, struct child, link);

		if (c->generation == g && c->slot == slot)
			return c;
	}
	fail();
	return NULL;
}

/* Requests that a generation's first worker has counted. */
static void count(struct generation *g, unsigned requests, unsigned failed)
{
	struct board_place *place = find(g, 0)->place;

	for (unsigned i = 0; i < requests; i++) {
		board_count(&place->cells.counts[BOARD_REQUESTS]);
		board_count(&place->cells.latency[38]);
	}
	for (unsigned i = 0; i < failed; i++)
		board_count(&place->cells.counts[BOARD_5XX]);
}

static void begin(void)
{
	assert_true(canary_begin(&scene.m));
	assert_int_equal(scene.m.next->state, GENERATION_WATCHED);
}

static enum canary_verdict look(void)
{
	char why[256] = "";

	return canary_look(&scene.m, why, sizeof why);
}

static void test_begin(void **state)
{
	struct generation *g = scene.m.next;

	(void)state;
	assert_int_equal(canary_next_due(&scene.m), UINT64_MAX);
	begin();
	assert_int_equal(g->watch_until, scene.now + WATCH);
	assert_int_equal(g->look_due, scene.now + LOOK);
	assert_int_equal(g->deadline, UINT64_MAX);
	assert_int_equal(canary_next_due(&scene.m), scene.now + LOOK);
	/* The old workers of the first two slots pause. */
	assert_int_equal(scene_count_sent(NULL, MESSAGE_PAUSE), 2);
	assert_int_equal(scene_count_sent(find(scene.m.current, 0), MESSAGE_PAUSE), 1);
	assert_int_equal(scene_count_sent(find(scene.m.current, 1), MESSAGE_PAUSE), 1);
	assert_true(scene_logged("watching the new settings in 2 of 4 workers for 1000 ms"));
}

static void test_nothing_to_watch(void **state)
{
	struct generation *current = scene.m.current;

	(void)state;
	/* not enough are ready, or too many already */
	scene.m.next->spawned = 1;
	assert_false(canary_begin(&scene.m));
	scene.m.next->spawned = 3;
	assert_false(canary_begin(&scene.m));
	scene.m.next->spawned = 2;
	/* it is the first generation */
	scene.m.current = NULL;
	assert_false(canary_begin(&scene.m));
	scene.m.current = current;
	/* the settings want none */
	after.reload.canary = 0;
	scene.m.next->spawned = 0;
	assert_false(canary_begin(&scene.m));
	/* it was watched */
	after.reload.canary = 2;
	scene.m.next->spawned = 2;
	scene.m.next->watch_until = 5;
	assert_false(canary_begin(&scene.m));
	assert_int_equal(scene.sent_count, 0);
	assert_int_equal(scene.m.next->state, GENERATION_STARTING);
	scene.m.next->watch_until = 0;
	generation_set_state(scene.m.next, GENERATION_WATCHED);
	scene_expect_assert(canary_begin(&scene.m));
}

static void test_more_than_there_are(void **state)
{
	(void)state;
	after.reload.canary = 99;
	scene.m.next->spawned = SCENE_WORKERS;
	begin();
	assert_int_equal(scene_count_sent(NULL, MESSAGE_PAUSE), SCENE_WORKERS);
}

static void test_who_is_told(void **state)
{
	struct child *c = find(scene.m.current, 0);
	struct child *monitor = scene_child(scene.m.current, CHILD_MONITOR, 0, CHILD_READY);

	(void)state;
	child_set_state(c, CHILD_DRAINING, 0);
	scene.deaf = find(scene.m.current, 1)->channel;
	begin();
	assert_int_equal(scene_count_sent(c, MESSAGE_PAUSE), 0);
	assert_int_equal(scene_count_sent(monitor, MESSAGE_PAUSE), 0);
	assert_true(scene_logged("worker 1 gen 1 (pid 5001) cannot be told to accept, or not to"));
}

static void test_address_gone(void **state)
{
	(void)state;
	/* The old generation has an address that the new one does not have: its workers go on. */
	before.listener_count = 2;
	scene_socket(&listeners[1].address, 0, 1, false);
	begin();
	assert_int_equal(scene_count_sent(find(scene.m.current, 0), MESSAGE_PAUSE), 0);
	assert_int_equal(scene_count_sent(find(scene.m.current, 1), MESSAGE_PAUSE), 1);
}

static void test_address_nobody_has(void **state)
{
	(void)state;
	/* A socket that the old settings do not have either holds up no pause. */
	scene_socket(&listeners[1].address, 0, 1, false);
	begin();
	assert_int_equal(scene_count_sent(NULL, MESSAGE_PAUSE), 2);
}

static void test_slot_gone(void **state)
{
	(void)state;
	/* A socket of an old worker that falls to a new slot which is not started yet. */
	scene_socket(&listeners[0].address, SCENE_WORKERS, 1, false);
	scene.m.next->workers = 3;
	before.workers = after.workers = SCENE_WORKERS;
	begin();
	/* Socket 4 is old slot 0's, and new slot 1's, which runs; socket 3 is new slot 0's. */
	assert_int_equal(scene_count_sent(NULL, MESSAGE_PAUSE), 2);
	scene.m.next->workers = SCENE_WORKERS;
}

static void test_slot_not_started(void **state)
{
	(void)state;
	/* Socket 6 is the old slot 2's and 6 % 4 = 2 is no new slot that runs; socket 5 is old slot
	 * 1's: with 3 new slots it falls to slot 2, which does not run. */
	scene_socket(&listeners[0].address, 5, 1, false);
	scene.m.next->workers = 3;
	begin();
	assert_int_equal(scene_count_sent(find(scene.m.current, 0), MESSAGE_PAUSE), 1);
	assert_int_equal(scene_count_sent(find(scene.m.current, 1), MESSAGE_PAUSE), 0);
	scene.m.next->workers = SCENE_WORKERS;
}

static void test_unix(void **state)
{
	(void)state;
	before.listeners = after.listeners = &listeners[2];
	scene.m.escrow.count = 0;
	scene_socket(&listeners[2].address, 0, 1, true);
	begin();
	assert_int_equal(scene_count_sent(NULL, MESSAGE_PAUSE), 2);
	before.listeners = listeners;
}

static void test_unix_bound_anew(void **state)
{
	(void)state;
	before.listeners = after.listeners = &listeners[2];
	scene.m.escrow.count = 0;
	scene_socket(&listeners[2].address, 0, 1, true);
	scene_socket(&listeners[2].address, 0, 2, true);
	begin();
	/* The old workers accept from the older one, which no new worker has. */
	assert_int_equal(scene_count_sent(NULL, MESSAGE_PAUSE), 0);
	before.listeners = listeners;
}

static void test_too_early(void **state)
{
	(void)state;
	assert_int_equal(look(), CANARY_WAIT);
	begin();
	scene.now += LOOK - 1;
	assert_int_equal(look(), CANARY_WAIT);
	assert_int_equal(scene.m.next->look_due, scene.now + 1);
	scene.now++;
	assert_int_equal(look(), CANARY_WAIT);
	assert_int_equal(scene.m.next->look_due, scene.now + LOOK);
	scene.m.next->look_due = UINT64_MAX;
	assert_int_equal(canary_next_due(&scene.m), scene.m.next->watch_until);
}

static void test_no_requests(void **state)
{
	(void)state;
	begin();
	scene.now += WATCH;
	assert_int_equal(look(), CANARY_GO_ON);
	assert_int_equal(scene.m.next->state, GENERATION_STARTING);
	assert_int_equal(scene.m.next->deadline, scene.now + CHILD_START_TIMEOUT_MS);
	assert_true(scene_logged("no request came with the new settings"));
	/* It is not watched a second time. */
	assert_false(canary_begin(&scene.m));
}

static void test_as_well(void **state)
{
	(void)state;
	count(scene.m.current, 100, 1);
	begin();
	count(scene.m.next, 100, 1);
	scene.now += WATCH;
	assert_int_equal(look(), CANARY_GO_ON);
	assert_true(scene_logged("of 100 requests 1 were answered with 5xx, and nine in ten took "
				 "less than 33555 ms; of 100 with the old ones 1, and 33555 ms"));
}

static void test_worse(void **state)
{
	char why[256];

	(void)state;
	count(scene.m.current, 100, 0);
	begin();
	count(scene.m.next, 100, 60);
	scene.now += LOOK;
	assert_int_equal(canary_look(&scene.m, why, sizeof why), CANARY_WORSE);
	assert_string_equal(why, "of 100 requests with the new settings 60 were answered with 5xx, "
				 "of 100 with the old ones 0");
	/* What is done about it is for the caller. */
	assert_int_equal(scene.m.next->state, GENERATION_WATCHED);
	assert_int_equal(scene.m.next->look_due, scene.now + LOOK);
}

static void test_measure_beside(void **state)
{
	(void)state;
	/* All was well until now; since the watch began the old settings do as badly. */
	count(scene.m.current, 10000, 0);
	begin();
	count(scene.m.current, 50, 30);
	count(scene.m.next, 100, 60);
	scene.now += LOOK;
	assert_int_equal(look(), CANARY_WAIT);
}

static void test_measure_ever(void **state)
{
	(void)state;
	/* One request less, and all that the old generation has counted is the measure. */
	count(scene.m.current, 10000, 0);
	begin();
	count(scene.m.current, 49, 29);
	count(scene.m.next, 100, 60);
	scene.now += LOOK;
	assert_int_equal(look(), CANARY_WORSE);
}

static void test_dead_workers_count(void **state)
{
	(void)state;
	count(scene.m.current, 100, 0);
	begin();
	count(scene.m.next, 100, 60);
	child_retire(find(scene.m.next, 0), scene.m.board);
	assert_null(find(scene.m.next, 0)->place);
	scene.now += LOOK;
	assert_int_equal(look(), CANARY_WORSE);
}

static void test_end(void **state)
{
	(void)state;
	canary_end(&scene.m, scene.m.next);
	assert_int_equal(scene.sent_count, 0);
	begin();
	canary_end(&scene.m, scene.m.next);
	assert_int_equal(scene_count_sent(NULL, MESSAGE_RESUME), 2);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, scene_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_begin),
		TEST(test_nothing_to_watch),
		TEST(test_more_than_there_are),
		TEST(test_who_is_told),
		TEST(test_address_gone),
		TEST(test_address_nobody_has),
		TEST(test_slot_gone),
		TEST(test_slot_not_started),
		TEST(test_unix),
		TEST(test_unix_bound_anew),
		TEST(test_too_early),
		TEST(test_no_requests),
		TEST(test_as_well),
		TEST(test_worse),
		TEST(test_measure_beside),
		TEST(test_measure_ever),
		TEST(test_dead_workers_count),
		TEST(test_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
