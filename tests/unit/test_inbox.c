/* What is passed to a worker that does not come to take it. */
#include "config.h"

#include "master_scene.h"

#include "base/memory.h"
#include "master/children/inbox.h"

int __wrap_channel_pair(int ends[2]);
void *__real_mem_zalloc(size_t count, size_t size);
void *__wrap_mem_zalloc(size_t count, size_t size);

static int pairs, pairs_left;
static bool no_memory;

int __wrap_channel_pair(int ends[2])
{
	errno = EMFILE;
	if (pairs_left-- == 0)
		return -1;
	ends[0] = SCENE_FD + 2 * pairs;
	ends[1] = SCENE_FD + 2 * pairs++ + 1;
	return 0;
}

void *__wrap_mem_zalloc(size_t count, size_t size)
{
	return no_memory ? NULL : __real_mem_zalloc(count, size);
}

static int setup(void **state)
{
	pairs = 0;
	pairs_left = -1;
	no_memory = false;
	return scene_setup(state);
}

static void put(const struct worker_inbox *inbox, uint32_t number)
{
	assert_true(scene.inbound_count < SCENE_SENT);
	scene.inbound[scene.inbound_count++] = (struct scene_inbound){ inbox->out,
		{ .type = MESSAGE_CLIENT, .number = number }, SCENE_FD + 1000 + (int)number };
}

static void test_open(void **state)
{
	struct worker_inbox *all = inbox_open_all(2);

	(void)state;
	assert_non_null(all);
	assert_int_equal(all[0].in, SCENE_FD);
	assert_int_equal(all[1].out, SCENE_FD + 3);
	inbox_close_all(all, 2);
	assert_int_equal(scene.closed_fds, 4);
	inbox_close_all(NULL, 2);
	/* A single worker has nobody to pass anything to. */
	assert_null(inbox_open_all(1));
	no_memory = true;
	assert_null(inbox_open_all(2));
	no_memory = false;
}

static void test_no_descriptors(void **state)
{
	(void)state;
	pairs_left = 1;
	assert_null(inbox_open_all(2));
	assert_int_equal(scene.closed_fds, 2);
	assert_true(scene_logged("workers cannot pass connections to each other"));
}

static void test_forward(void **state)
{
	struct worker_inbox *all = inbox_open_all(2);

	(void)state;
	put(&all[0], 1);
	put(&all[0], 2);
	inbox_forward(all, 0, 1);
	assert_int_equal(scene.sent_count, 2);
	assert_int_equal(scene.sent[0].channel, all[1].in);
	assert_int_equal(scene.sent[1].message.number, 2);
	assert_int_equal(scene.sent[1].fd, SCENE_FD + 1002);
	assert_int_equal(scene.closed_fds, 2);
	inbox_close_all(all, 2);
}

static void test_nowhere(void **state)
{
	struct worker_inbox *all = inbox_open_all(2);

	(void)state;
	put(&all[0], 1);
	inbox_forward(NULL, 0, 1);
	inbox_forward(all, 0, 0);
	assert_int_equal(scene.sent_count, 0);
	inbox_close_all(all, 2);
}

static void test_full(void **state)
{
	struct worker_inbox *all = inbox_open_all(2);

	(void)state;
	put(&all[0], 1);
	put(&all[0], 2);
	scene.deaf = all[1].in;
	inbox_forward(all, 0, 1);
	/* It goes back, and the rest stays. */
	assert_int_equal(scene.sent_count, 1);
	assert_int_equal(scene.sent[0].channel, all[0].in);
	assert_int_equal(scene.sent[0].message.number, 1);
	assert_false(scene_logged("is lost"));
	inbox_close_all(all, 2);
}

static void test_lost(void **state)
{
	/* Both are full: only here two slots share an inbox, so that both refuse. */
	const struct worker_inbox all[] = { { SCENE_FD, SCENE_FD + 1 },
		{ SCENE_FD, SCENE_FD + 2 } };

	(void)state;
	put(&all[0], 1);
	scene.deaf = SCENE_FD;
	inbox_forward(all, 0, 1);
	assert_true(scene_logged("a connection passed to worker 0 is lost"));
	assert_int_equal(scene.closed_fds, 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, scene_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_open),
		TEST(test_no_descriptors),
		TEST(test_forward),
		TEST(test_nowhere),
		TEST(test_full),
		TEST(test_lost),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
