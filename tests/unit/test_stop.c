/* The steps by which a child ends: which signal when, and the time until the next. */
#include "config.h"

#include "master_scene.h"

#include "master/children/stop.h"

static struct settings settings = { .workers = SCENE_WORKERS };

static struct child *add(enum child_state state)
{
	if (scene.m.current == NULL)
		scene.m.current = scene_generation(&settings, 1, SCENE_WORKERS, GENERATION_CURRENT);
	return scene_worker(scene.m.current, 0, state);
}

static void test_soon(void **state)
{
	struct child *c = add(CHILD_DRAINING);

	(void)state;
	stop_soon(c);
	assert_int_equal(c->state, CHILD_ENDING);
	assert_int_equal(c->deadline, scene.now + STOP_TERM_TIMEOUT_MS);
	assert_int_equal(scene_count_killed(c, SIGTERM), 1);
	/* Its deadline is not put off. */
	scene.now++;
	stop_soon(c);
	assert_int_equal(c->deadline, scene.now - 1 + STOP_TERM_TIMEOUT_MS);
	assert_int_equal(scene.kill_count, 1);
}

static void test_at_once(void **state)
{
	struct child *c = add(CHILD_STARTING);

	(void)state;
	stop_at_once(c);
	assert_int_equal(c->state, CHILD_KILLED);
	assert_int_equal(c->deadline, 0);
	assert_int_equal(scene_count_killed(c, SIGKILL), 1);
	stop_at_once(c);
	stop_soon(c);
	assert_int_equal(scene.kill_count, 1);
}

static void test_hung(void **state)
{
	struct child *c = add(CHILD_READY);

	(void)state;
	scene_expect_assert(stop_hung(c));
	c->hung_since = 5;
	stop_hung(c);
	assert_int_equal(c->state, CHILD_ENDING);
	assert_int_equal(c->deadline, scene.now + STOP_TERM_TIMEOUT_MS);
	assert_int_equal(scene.kill_count, 2);
	/* A stopped process takes the signal that ends it only when it goes on. */
	assert_int_equal(scene.signals[0], SIGABRT);
	assert_int_equal(scene.signals[1], SIGCONT);
}

static void test_overdue(void **state)
{
	struct child *c = add(CHILD_STARTING);

	(void)state;
	stop_overdue(c);
	assert_int_equal(c->state, CHILD_KILLED);
	assert_true(scene_logged("is not ready after 30000 ms: ending it"));
	c = add(CHILD_DRAINING);
	stop_overdue(c);
	assert_int_equal(c->state, CHILD_ENDING);
	assert_true(scene_logged("is still busy at its deadline: ending it"));
	stop_overdue(c);
	assert_int_equal(c->state, CHILD_KILLED);
	assert_true(scene_logged("does not end: killing it"));
	c->deadline = 1;
	stop_overdue(c);
	assert_int_equal(c->deadline, 0);
	c = add(CHILD_READY);
	c->deadline = 1;
	stop_overdue(c);
	assert_int_equal(c->deadline, 0);
	assert_int_equal(c->state, CHILD_READY);
}

static void test_no_process(void **state)
{
	struct child *c = add(CHILD_READY);

	(void)state;
	/* 0 and -1 stand for more than one process. */
	c->pid = 0;
	scene_expect_assert(stop_soon(c));
	c = add(CHILD_READY);
	c->pid = -1;
	scene_expect_assert(stop_soon(c));
	assert_int_equal(scene.kill_count, 0);
}

static void test_gone(void **state)
{
	struct child *c = add(CHILD_READY);

	(void)state;
	scene.kill_error = ESRCH;
	stop_soon(c);
	assert_false(scene_logged("cannot send a signal"));
	scene.kill_error = EPERM;
	stop_at_once(c);
	assert_true(scene_logged("cannot send a signal to worker 0"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, scene_setup, scene_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_soon),
		TEST(test_at_once),
		TEST(test_hung),
		TEST(test_overdue),
		TEST(test_no_process),
		TEST(test_gone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
