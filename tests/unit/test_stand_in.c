/* Which sibling accepts in the place of which slot. */
#include "config.h"

#include "master_scene.h"

#include "base/memory.h"
#include "master/children/stand_in.h"

#define RETRY   200
#define REFUSED 1000

void __wrap_inbox_forward(const struct worker_inbox *inboxes, uint32_t from, uint32_t to);
void *__real_mem_zalloc(size_t count, size_t size);
void *__wrap_mem_zalloc(size_t count, size_t size);

static struct listener_settings listeners[3];
static struct settings settings = { .workers = SCENE_WORKERS, .listeners = listeners };
static struct child *workers[SCENE_WORKERS];
static size_t forward_count;
static uint32_t forward_from, forward_to;
static bool no_memory;

void __wrap_inbox_forward(const struct worker_inbox *inboxes, uint32_t from, uint32_t to)
{
	(void)inboxes;
	forward_count++;
	forward_from = from;
	forward_to = to;
}

void *__wrap_mem_zalloc(size_t count, size_t size)
{
	return no_memory ? NULL : __real_mem_zalloc(count, size);
}

static int setup(void **state)
{
	const char *why;

	forward_count = 0;
	no_memory = false;
	memset(listeners, 0, sizeof listeners);
	settings.listener_count = 1;
	if (address_parse_listen("127.0.0.1:8081", &listeners[0].address, &why) == -1 ||
		address_parse_listen("unix:/nowhere", &listeners[1].address, &why) == -1 ||
		address_parse_listen("127.0.0.1:8082", &listeners[2].address, &why) == -1 ||
		scene_setup(state) == -1)
		return -1;
	listeners[0].address_text = (char *)(uintptr_t) "127.0.0.1:8081";
	scene.m.current = scene_generation(&settings, 1, SCENE_WORKERS, GENERATION_CURRENT);
	for (uint32_t i = 0; i < SCENE_WORKERS; i++) {
		workers[i] = scene_worker(scene.m.current, i, CHILD_READY);
		scene_socket(&listeners[0].address, i, 1, false);
	}
	return 0;
}

static int teardown(void **state)
{
	stand_in_fini(&scene.m);
	return scene_teardown(state);
}

static void set_clients(uint32_t slot, uint64_t clients)
{
	board_set(&workers[slot]->place->clients, clients);
}

static const struct escrow_entry *socket_of(uint32_t slot)
{
	return escrow_find(&scene.m.escrow, &listeners[0].address, slot);
}

/* The only sibling that accepts from a slot's socket; NULL: none. */
static const struct child *find_stand_in(uint32_t slot)
{
	const struct child *found = NULL;

	for (uint32_t i = 0; i < SCENE_WORKERS; i++)
		if (i != slot && stand_in_accepts(&scene.m, workers[i], socket_of(slot))) {
			assert_null(found);
			found = workers[i];
		}
	return found;
}

static void test_fewest_clients(void **state)
{
	(void)state;
	set_clients(1, 5);
	set_clients(2, 3);
	set_clients(3, 4);
	stand_in_begin(&scene.m, 0);
	assert_ptr_equal(find_stand_in(0), workers[2]);
	assert_int_equal(scene_last_sent(workers[2], MESSAGE_STAND_IN)->number, 0);
	assert_int_equal(scene.sent[0].fd, socket_of(0)->fd);
	assert_int_equal(forward_count, 1);
	assert_int_equal(forward_from, 0);
	assert_int_equal(forward_to, 2);
	assert_int_equal(stand_in_next_due(&scene.m), UINT64_MAX);
	assert_true(scene_logged("worker 2 gen 1 (pid 5002) accepts in the place of worker 0 on "
				 "127.0.0.1:8081"));
}

static void test_fewest_sockets(void **state)
{
	(void)state;
	/* With as many clients, the one that stands in for fewer sockets. */
	stand_in_begin(&scene.m, 0);
	assert_ptr_equal(find_stand_in(0), workers[1]);
	stand_in_begin(&scene.m, 3);
	assert_ptr_equal(find_stand_in(3), workers[0]);
	stand_in_begin(&scene.m, 2);
	assert_ptr_equal(find_stand_in(2), workers[3]);
}

static void test_two_sockets_are_more(void **state)
{
	(void)state;
	workers[3]->hung_since = 1;
	stand_in_begin(&scene.m, 0);
	assert_ptr_equal(find_stand_in(0), workers[1]);
	workers[2]->hung_since = 1;
	stand_in_begin(&scene.m, 3);
	assert_ptr_equal(find_stand_in(3), workers[0]);
	/* a second socket of slot 3 for worker 1, and one that no other has: worker 0 has fewer */
	scene_socket(&listeners[0].address, 3 + SCENE_WORKERS, 1, false);
	set_clients(0, 1);
	stand_in_begin(&scene.m, 3);
	assert_true(stand_in_accepts(&scene.m, workers[1], socket_of(3 + SCENE_WORKERS)));
	set_clients(0, 0);
	stand_in_begin(&scene.m, 2);
	assert_ptr_equal(find_stand_in(2), workers[0]);
}

static void test_ids(void **state)
{
	uint32_t first, second;

	(void)state;
	scene.m.last_stand_in = 100;
	stand_in_begin(&scene.m, 0);
	first = scene.sent[0].message.id;
	stand_in_begin(&scene.m, 1);
	second = scene.sent[1].message.id;
	assert_int_equal(first, 101);
	assert_int_equal(second, 102);
}

static void test_second_listener(void **state)
{
	(void)state;
	settings.listener_count = 3;
	listeners[2].address_text = listeners[0].address_text;
	scene_socket(&listeners[2].address, 0, 1, false);
	stand_in_begin(&scene.m, 0);
	assert_int_equal(scene.sent_count, 2);
	assert_int_equal(scene.sent[1].message.number, 2);
}

static void test_two_workers(void **state)
{
	(void)state;
	scene.m.current->workers = 2;
	workers[2]->hung_since = workers[3]->hung_since = 1;
	scene.m.escrow.count = 2;
	stand_in_begin(&scene.m, 0);
	assert_ptr_equal(find_stand_in(0), workers[1]);
	scene.m.current->workers = SCENE_WORKERS;
}

static void test_begin_after_end(void **state)
{
	(void)state;
	stand_in_begin(&scene.m, 0);
	scene.deaf = workers[1]->channel;
	stand_in_end(&scene.m, 0);
	scene.deaf = 0;
	stand_in_begin(&scene.m, 0);
	/* It is not to be told any more. */
	assert_int_equal(stand_in_next_due(&scene.m), UINT64_MAX);
	scene.now += RETRY;
	stand_in_retry(&scene.m);
	assert_int_equal(scene_count_sent(NULL, MESSAGE_RELEASE), 0);
	assert_ptr_equal(find_stand_in(0), workers[1]);
}

static void test_who_can(void **state)
{
	(void)state;
	workers[1]->hung_since = 1;
	child_set_state(workers[2], CHILD_DRAINING, 0);
	workers[3]->refused_until = scene.now + RETRY;
	stand_in_begin(&scene.m, 0);
	assert_null(find_stand_in(0));
	assert_int_equal(stand_in_next_due(&scene.m), scene.now + RETRY);
	stand_in_retry(&scene.m);
	assert_null(find_stand_in(0));
	scene.now += RETRY;
	stand_in_retry(&scene.m);
	assert_ptr_equal(find_stand_in(0), workers[3]);
}

static void test_who_cannot(void **state)
{
	struct child *monitor = scene_child(scene.m.current, CHILD_MONITOR, 1, CHILD_READY);
	struct board_place *place = workers[2]->place;

	(void)state;
	(void)monitor;
	workers[1]->channel = -1;
	workers[2]->place = NULL;
	workers[3]->generation = NULL;
	stand_in_begin(&scene.m, 0);
	assert_int_equal(scene.sent_count, 0);
	workers[2]->place = place;
	workers[3]->generation = scene.m.current;
}

static void test_one_worker(void **state)
{
	(void)state;
	scene.m.current->workers = 1;
	stand_in_begin(&scene.m, 0);
	assert_true(list_is_empty(&scene.m.stand_ins));
	scene.m.current->workers = SCENE_WORKERS;
}

static void test_no_generation(void **state)
{
	struct generation *g = scene.m.current;

	(void)state;
	scene.m.current = NULL;
	stand_in_begin(&scene.m, 0);
	assert_true(list_is_empty(&scene.m.stand_ins));
	scene.m.current = g;
}

static void test_deaf_sibling(void **state)
{
	(void)state;
	/* The first choice does not read its channel: the next one gets the socket. */
	scene.deaf = workers[1]->channel;
	stand_in_begin(&scene.m, 0);
	assert_ptr_equal(find_stand_in(0), workers[2]);
	assert_int_equal(workers[1]->refused_until, scene.now + REFUSED);
}

static void test_begin_again(void **state)
{
	(void)state;
	stand_in_begin(&scene.m, 0);
	set_clients(1, 100);
	stand_in_begin(&scene.m, 0);
	/* It stays with the sibling that has it. */
	assert_int_equal(scene.sent_count, 1);
	assert_ptr_equal(find_stand_in(0), workers[1]);
}

static void test_begin_again_without(void **state)
{
	(void)state;
	for (uint32_t i = 1; i < SCENE_WORKERS; i++)
		workers[i]->hung_since = 1;
	stand_in_begin(&scene.m, 0);
	scene.now += 50;
	stand_in_begin(&scene.m, 0);
	/* It is tried at once. */
	assert_int_equal(stand_in_next_due(&scene.m), scene.now);
}

static void test_socket_gone(void **state)
{
	(void)state;
	for (uint32_t i = 1; i < SCENE_WORKERS; i++)
		workers[i]->hung_since = 1;
	stand_in_begin(&scene.m, 0);
	scene.m.escrow.count = 0;
	workers[1]->hung_since = 0;
	scene.now += RETRY;
	stand_in_retry(&scene.m);
	assert_int_equal(scene.sent_count, 0);
}

static void test_end(void **state)
{
	(void)state;
	stand_in_end(&scene.m, 0);
	assert_false(scene_logged("accepts for itself again"));
	stand_in_begin(&scene.m, 0);
	stand_in_begin(&scene.m, 1);
	stand_in_end(&scene.m, 0);
	assert_int_equal(scene_count_sent(NULL, MESSAGE_RELEASE), 1);
	assert_int_equal(scene_last_sent(workers[1], MESSAGE_RELEASE)->id,
		scene_last_sent(workers[1], MESSAGE_STAND_IN)->id);
	assert_null(find_stand_in(0));
	assert_non_null(find_stand_in(1));
	assert_true(scene_logged("worker 0 accepts for itself again"));
}

static void test_end_deaf(void **state)
{
	(void)state;
	stand_in_begin(&scene.m, 0);
	scene.deaf = workers[1]->channel;
	stand_in_end(&scene.m, 0);
	assert_int_equal(stand_in_next_due(&scene.m), scene.now + RETRY);
	scene.now += RETRY;
	stand_in_retry(&scene.m);
	assert_false(list_is_empty(&scene.m.stand_ins));
	scene.deaf = 0;
	scene.now += RETRY;
	stand_in_retry(&scene.m);
	assert_true(list_is_empty(&scene.m.stand_ins));
	assert_int_equal(scene_count_sent(workers[1], MESSAGE_RELEASE), 1);
}

static void test_end_gone(void **state)
{
	(void)state;
	/* The other side is closed, or the channel is: there is nothing to take back. */
	stand_in_begin(&scene.m, 0);
	scene.deaf = workers[1]->channel;
	scene.error = EPIPE;
	stand_in_end(&scene.m, 0);
	assert_true(list_is_empty(&scene.m.stand_ins));
	scene.deaf = 0;
	stand_in_begin(&scene.m, 0);
	workers[1]->channel = -1;
	stand_in_end(&scene.m, 0);
	assert_true(list_is_empty(&scene.m.stand_ins));
}

static void test_end_without(void **state)
{
	(void)state;
	for (uint32_t i = 1; i < SCENE_WORKERS; i++)
		workers[i]->hung_since = 1;
	stand_in_begin(&scene.m, 0);
	stand_in_end(&scene.m, 0);
	assert_true(list_is_empty(&scene.m.stand_ins));
	assert_int_equal(scene.sent_count, 0);
}

static void test_move(void **state)
{
	(void)state;
	stand_in_begin(&scene.m, 0);
	stand_in_begin(&scene.m, 2);
	assert_ptr_equal(find_stand_in(0), workers[1]);
	workers[1]->hung_since = workers[2]->hung_since = 1;
	stand_in_move(&scene.m, workers[1]);
	assert_int_equal(scene_count_sent(workers[1], MESSAGE_RELEASE), 1);
	assert_ptr_equal(find_stand_in(0), workers[3]);
	assert_ptr_equal(find_stand_in(2), workers[0]);
}

static void test_move_ended(void **state)
{
	(void)state;
	stand_in_begin(&scene.m, 0);
	scene.deaf = workers[1]->channel;
	stand_in_end(&scene.m, 0);
	stand_in_move(&scene.m, workers[1]);
	/* It was only to be told: it is dead. */
	assert_true(list_is_empty(&scene.m.stand_ins));
}

static void test_released(void **state)
{
	uint32_t id;

	(void)state;
	stand_in_begin(&scene.m, 0);
	id = scene_last_sent(workers[1], MESSAGE_STAND_IN)->id;
	stand_in_released(&scene.m, workers[1], id + 1);
	stand_in_released(&scene.m, workers[2], id);
	assert_ptr_equal(find_stand_in(0), workers[1]);
	stand_in_released(&scene.m, workers[1], id);
	assert_ptr_equal(find_stand_in(0), workers[2]);
	assert_int_equal(workers[1]->refused_until, scene.now + REFUSED);
	assert_true(scene_logged("worker 1 gen 1 (pid 5001) cannot accept for worker 0"));
}

static void test_released_when_ended(void **state)
{
	uint32_t id;

	(void)state;
	stand_in_begin(&scene.m, 0);
	id = scene_last_sent(workers[1], MESSAGE_STAND_IN)->id;
	scene.deaf = workers[1]->channel;
	stand_in_end(&scene.m, 0);
	/* It could not be told to stop, but has stopped: no other sibling is asked. */
	stand_in_released(&scene.m, workers[1], id);
	assert_true(list_is_empty(&scene.m.stand_ins));
	assert_int_equal(scene_count_sent(NULL, MESSAGE_STAND_IN), 1);
}

static void test_forward(void **state)
{
	(void)state;
	stand_in_begin(&scene.m, 0);
	forward_count = 0;
	stand_in_forward(&scene.m, 1);
	assert_int_equal(forward_count, 0);
	stand_in_forward(&scene.m, 0);
	assert_int_equal(forward_count, 1);
	assert_int_equal(forward_to, 1);
}

static void test_forward_without(void **state)
{
	(void)state;
	for (uint32_t i = 1; i < SCENE_WORKERS; i++)
		workers[i]->hung_since = 1;
	stand_in_begin(&scene.m, 0);
	stand_in_forward(&scene.m, 0);
	assert_int_equal(forward_count, 0);
}

static void test_next_generation(void **state)
{
	struct generation *old = scene.m.current;

	(void)state;
	stand_in_begin(&scene.m, 0);
	scene.m.current = scene_generation(&settings, 2, SCENE_WORKERS, GENERATION_CURRENT);
	scene.sent_count = 0;
	stand_in_retry(&scene.m);
	/* The old workers close all that they have. */
	assert_true(list_is_empty(&scene.m.stand_ins));
	assert_int_equal(scene.sent_count, 0);
	list_append(&scene.m.past, &old->link);
}

static void test_accepts(void **state)
{
	const struct address other = { .len = 0 };

	(void)state;
	assert_true(stand_in_accepts(&scene.m, workers[0], socket_of(0)));
	assert_false(stand_in_accepts(&scene.m, workers[0], socket_of(1)));
	/* Socket 4 falls to slot 0, unless the next generation made it. */
	scene_socket(&listeners[0].address, SCENE_WORKERS, 1, false);
	assert_true(stand_in_accepts(&scene.m, workers[0], socket_of(SCENE_WORKERS)));
	scene_socket(&listeners[0].address, 2 * SCENE_WORKERS, 2, false);
	assert_false(stand_in_accepts(&scene.m, workers[0], socket_of(2 * SCENE_WORKERS)));
	/* no listener of the current settings */
	scene_socket(&other, 0, 1, false);
	assert_false(
		stand_in_accepts(&scene.m, workers[0], escrow_find(&scene.m.escrow, &other, 0)));
	/* a unix socket is everybody's */
	settings.listener_count = 2;
	scene_socket(&listeners[1].address, 0, 1, true);
	assert_false(stand_in_accepts(
		&scene.m, workers[0], escrow_find(&scene.m.escrow, &listeners[1].address, 0)));
	stand_in_begin(&scene.m, 0);
	assert_false(stand_in_accepts(
		&scene.m, workers[1], escrow_find(&scene.m.escrow, &listeners[1].address, 0)));
}

static void test_accepts_asserts(void **state)
{
	struct generation *g = workers[0]->generation;
	volatile bool accepts = false;

	(void)state;
	workers[0]->generation = NULL;
	scene_expect_assert(accepts = stand_in_accepts(&scene.m, workers[0], socket_of(0)));
	assert_false(accepts);
	workers[0]->generation = g;
}

static void test_many_sockets(void **state)
{
	(void)state;
	/* One of a slot that is no more is in the care of slot 0: it moves, too. */
	scene_socket(&listeners[0].address, SCENE_WORKERS, 1, false);
	stand_in_begin(&scene.m, 0);
	assert_int_equal(scene_count_sent(NULL, MESSAGE_STAND_IN), 2);
	assert_ptr_equal(find_stand_in(0), workers[1]);
	assert_true(stand_in_accepts(&scene.m, workers[2], socket_of(SCENE_WORKERS)));
}

static void test_no_memory(void **state)
{
	(void)state;
	no_memory = true;
	stand_in_begin(&scene.m, 0);
	no_memory = false;
	assert_true(list_is_empty(&scene.m.stand_ins));
	assert_true(scene_logged("no memory to have another worker accept for worker 0"));
}

static void test_next_due(void **state)
{
	(void)state;
	for (uint32_t i = 1; i < SCENE_WORKERS; i++)
		workers[i]->hung_since = 1;
	stand_in_begin(&scene.m, 0);
	scene.now += 10;
	workers[0]->hung_since = 1;
	stand_in_begin(&scene.m, 1);
	assert_int_equal(stand_in_next_due(&scene.m), scene.now - 10 + RETRY);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_fewest_clients),
		TEST(test_fewest_sockets),
		TEST(test_two_sockets_are_more),
		TEST(test_ids),
		TEST(test_second_listener),
		TEST(test_two_workers),
		TEST(test_begin_after_end),
		TEST(test_who_can),
		TEST(test_who_cannot),
		TEST(test_one_worker),
		TEST(test_no_generation),
		TEST(test_deaf_sibling),
		TEST(test_begin_again),
		TEST(test_begin_again_without),
		TEST(test_socket_gone),
		TEST(test_end),
		TEST(test_end_deaf),
		TEST(test_end_gone),
		TEST(test_end_without),
		TEST(test_move),
		TEST(test_move_ended),
		TEST(test_released),
		TEST(test_released_when_ended),
		TEST(test_forward),
		TEST(test_forward_without),
		TEST(test_next_generation),
		TEST(test_accepts),
		TEST(test_accepts_asserts),
		TEST(test_many_sockets),
		TEST(test_no_memory),
		TEST(test_next_due),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
