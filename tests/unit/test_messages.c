/* What children say, and what follows from it. */
#include "config.h"

#include "master_scene.h"

#include "master/messages.h"

void __wrap_stand_in_end(struct master *m, uint32_t slot);
void __wrap_stand_in_released(struct master *m, struct child *c, uint32_t id);
void __wrap_generation_drain_rescue(const struct master *m, const struct generation *g);

static struct listener_settings listeners[1];
static struct settings settings = {
	.workers = SCENE_WORKERS, .listeners = listeners, .listener_count = 1
};
static struct generation *current, *next;
static unsigned ended, rescued;
static uint32_t released;

void __wrap_stand_in_end(struct master *m, uint32_t slot)
{
	(void)m;
	(void)slot;
	ended++;
}

void __wrap_stand_in_released(struct master *m, struct child *c, uint32_t id)
{
	(void)m;
	(void)c;
	released = id;
}

void __wrap_generation_drain_rescue(const struct master *m, const struct generation *g)
{
	(void)m;
	assert_ptr_equal(g, current);
	rescued++;
}

static int setup(void **state)
{
	ended = rescued = 0;
	released = 0;
	memset(listeners, 0, sizeof listeners);
	listeners[0].address.u.in.sin_family = AF_INET;
	listeners[0].address.len = sizeof listeners[0].address.u.in;
	if (scene_setup(state) == -1)
		return -1;
	current = scene.m.current =
		scene_generation(&settings, 1, SCENE_WORKERS, GENERATION_CURRENT);
	next = scene.m.next = scene_generation(&settings, 2, SCENE_WORKERS, GENERATION_STARTING);
	return 0;
}

static void read_from(struct child *c)
{
	messages_read(&scene.m, c);
}

static void test_ready(void **state)
{
	struct child *c = scene_worker(current, 1, CHILD_STARTING);

	(void)state;
	scene_say(c, MESSAGE_READY, 0, 0, -1);
	scene_say(c, MESSAGE_READY, 0, 0, -1);
	read_from(c);
	assert_int_equal(c->state, CHILD_READY);
	assert_int_equal(c->deadline, 0);
	assert_int_equal(ended, 1);
	assert_int_equal(scene.sent_count, 0);
	assert_true(scene_logged("worker 1 gen 1 (pid 5000) is ready"));
}

static void test_ready_of_next(void **state)
{
	struct child *c = scene_worker(next, 1, CHILD_STARTING);

	(void)state;
	scene_say(c, MESSAGE_READY, 0, 0, -1);
	read_from(c);
	assert_int_equal(c->state, CHILD_READY);
	assert_int_equal(ended, 0);
	assert_false(scene_logged("is ready"));
}

static void test_ready_as_lame_duck(void **state)
{
	struct child *c = scene_worker(current, 1, CHILD_STARTING);

	(void)state;
	master_state_set_phase(&scene.m, MASTER_LAME_DUCK);
	scene_say(c, MESSAGE_READY, 0, 0, -1);
	read_from(c);
	assert_int_equal(scene_count_sent(c, MESSAGE_LAME_DUCK), 1);
	assert_false(scene_logged("does not learn"));
	scene.deaf = c->channel;
	messages_tell_lame_duck(&scene.m, c);
	assert_true(scene_logged("a worker does not learn that it is a lame duck"));
	scene_forget_log();
	c->channel = -1;
	messages_tell_lame_duck(&scene.m, c);
	assert_false(scene_logged("does not learn"));
}

static void test_socket(void **state)
{
	/* A real one: the kernel is asked what it is bound to. */
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	struct child *c = scene_worker(current, 1, CHILD_STARTING);
	const struct escrow_entry *e;

	(void)state;
	scene_say(c, MESSAGE_ESCROW, 0, 0, fd);
	read_from(c);
	e = escrow_find(&scene.m.escrow, &listeners[0].address, 1);
	assert_non_null(e);
	assert_int_equal(e->fd, fd);
	assert_int_equal(e->generation, 1);
	assert_int_equal(scene_count_sent(c, MESSAGE_ESCROWED), 1);
	/* a second one for the same slot */
	scene_say(c, MESSAGE_ESCROW, 0, 0, SCENE_FD);
	read_from(c);
	assert_int_equal(scene.m.escrow.count, 1);
	assert_int_equal(scene.closed_fds, 1);
	assert_true(scene_logged("worker 1 gen 1 (pid 5000) sent a socket that nobody asked for"));
}

static void check_refused(struct child *c, uint32_t listener, int fd)
{
	scene_forget_log();
	scene_say(c, MESSAGE_ESCROW, listener, 0, fd);
	read_from(c);
	assert_true(scene_logged("sent a socket that nobody asked for"));
	assert_false(scene_logged("cannot take a socket"));
}

static void test_bad_sockets(void **state)
{
	struct child *c = scene_worker(current, 1, CHILD_STARTING);
	struct child *ready = scene_worker(current, 2, CHILD_READY);

	(void)state;
	/* no such listener; no descriptor; not the time for it */
	check_refused(c, 1, SCENE_FD);
	check_refused(c, 0, -1);
	check_refused(ready, 0, SCENE_FD);
	assert_int_equal(scene.m.escrow.count, 0);
	assert_int_equal(scene.sent_count, 0);
	assert_int_equal(scene.closed_fds, 2);
	/* no socket at all: the kernel does not know it */
	scene_say(c, MESSAGE_ESCROW, 0, 0, SCENE_FD);
	read_from(c);
	assert_int_equal(scene.m.escrow.count, 0);
	assert_true(scene_logged("cannot take a socket from worker 1"));
}

static void test_socket_of_deaf_worker(void **state)
{
	struct child *c = scene_worker(current, 1, CHILD_STARTING);

	(void)state;
	scene.deaf = c->channel;
	scene_say(c, MESSAGE_ESCROW, 0, 0, socket(AF_INET, SOCK_STREAM, 0));
	read_from(c);
	assert_true(scene_logged("cannot take a socket from worker 1"));
}

static void test_others(void **state)
{
	struct child *c = scene_worker(current, 1, CHILD_READY);

	(void)state;
	scene_say(c, MESSAGE_CUT, 3, 4, -1);
	scene_say(c, MESSAGE_CUT, 1, 1, SCENE_FD);
	scene_say(c, MESSAGE_PASSED, 0, 0, -1);
	scene_say(c, MESSAGE_RELEASED, 0, 77, -1);
	scene_say(c, MESSAGE_FAILED, 0, 0, SCENE_FD);
	snprintf(scene.inbound[4].message.text, MESSAGE_TEXT_SIZE, "it has no room");
	scene_say(c, MESSAGE_CLIENT, 0, 0, SCENE_FD);
	read_from(c);
	assert_int_equal(current->cut_requests, 4);
	assert_int_equal(current->cut_idle, 5);
	assert_int_equal(current->cut_workers, 2);
	assert_int_equal(rescued, 1);
	assert_int_equal(released, 77);
	assert_string_equal(c->why, "it has no room");
	assert_true(scene_logged("worker 1 sent a message of type 14"));
	assert_int_equal(rescued, 1);
	assert_false(scene_logged("of type 3"));
	/* Descriptors that belong to no message are closed. */
	assert_int_equal(scene.closed_fds, 3);
}

static void test_closed(void **state)
{
	struct child *c = scene_worker(current, 1, CHILD_READY);

	(void)state;
	scene_say(c, MESSAGE_PASSED, 0, 0, -1);
	scene.closed = c->channel;
	read_from(c);
	assert_int_equal(rescued, 1);
	assert_int_equal(c->channel, -1);
	read_from(c);
	assert_int_equal(scene.closed_fds, 1);
}

static void test_read_starting(void **state)
{
	struct child *a = scene_worker(current, 0, CHILD_STARTING);
	struct child *b = scene_worker(next, 0, CHILD_STARTING);
	struct child *c = scene_worker(next, 1, CHILD_READY);

	(void)state;
	scene_say(a, MESSAGE_READY, 0, 0, -1);
	scene_say(b, MESSAGE_READY, 0, 0, -1);
	scene_say(c, MESSAGE_CUT, 1, 0, -1);
	messages_read_starting(&scene.m, next);
	assert_int_equal(a->state, CHILD_STARTING);
	assert_int_equal(b->state, CHILD_READY);
	assert_int_equal(next->cut_requests, 0);
	messages_read_starting(&scene.m, NULL);
	assert_int_equal(a->state, CHILD_READY);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, scene_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_ready),
		TEST(test_ready_of_next),
		TEST(test_ready_as_lame_duck),
		TEST(test_socket),
		TEST(test_bad_sockets),
		TEST(test_socket_of_deaf_worker),
		TEST(test_others),
		TEST(test_closed),
		TEST(test_read_starting),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
