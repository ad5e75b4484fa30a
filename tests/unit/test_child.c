/* The table of children: states, names, deaths. */
#include "config.h"

#include "master_scene.h"

#include <sys/mman.h>

#include "monitor/monitor.h"

static struct settings settings = { .workers = SCENE_WORKERS };

static struct generation *add_current(void)
{
	scene.m.current = scene_generation(&settings, 1, SCENE_WORKERS, GENERATION_CURRENT);
	return scene.m.current;
}

static void test_begin(void **state)
{
	struct generation *g = add_current();
	struct child *c = child_add(&scene.m.children, CHILD_WORKER, g, 3);

	(void)state;
	assert_non_null(c);
	assert_int_equal(c->state, CHILD_STARTING);
	assert_int_equal(c->channel, -1);
	assert_int_equal(c->column, ROWS_NONE);
	assert_int_equal(c->started, scene.now);
	scene_expect_assert(c = child_add(&scene.m.children, CHILD_WORKER, g, 4));
	scene_expect_assert(c = child_add(&scene.m.children, CHILD_WORKER, NULL, 0));
}

static void test_states(void **state)
{
	struct child *c = scene_worker(add_current(), 0, CHILD_STARTING);

	(void)state;
	child_set_state(c, CHILD_READY, 0);
	assert_int_equal(c->deadline, 0);
	scene_expect_assert(child_set_state(c, CHILD_READY, 0));
	scene_expect_assert(child_set_state(c, CHILD_STARTING, 0));
	child_set_state(c, CHILD_DRAINING, 1);
	assert_int_equal(c->deadline, scene.now + 1);
	child_set_state(c, CHILD_ENDING, 700);
	assert_int_equal(c->deadline, scene.now + 700);
	assert_true(scene_logged("worker 0 gen 1 (pid 5000): ready -> draining"));
	child_set_state(c, CHILD_KILLED, 0);
	assert_int_equal(c->deadline, 0);
	scene_expect_assert(child_set_state(c, CHILD_ENDING, 0));
	scene_expect_assert(child_set_state(c, (enum child_state)(CHILD_KILLED + 1), 0));
}

static void test_quiet_log(void **state)
{
	struct child *c = scene_worker(add_current(), 0, CHILD_STARTING);
	char path[64];

	(void)state;
	snprintf(path, sizeof path, "/proc/self/fd/%d", scene.log);
	assert_int_equal(log_open(path, LOG_LEVEL_INFO), 0);
	scene_forget_log();
	child_set_state(c, CHILD_READY, 0);
	assert_false(scene_logged("->"));
}

static void test_find(void **state)
{
	struct generation *g = add_current();
	struct child *worker = scene_worker(g, 1, CHILD_READY);
	struct child *monitor;

	(void)state;
	assert_null(child_find_monitor(&scene.m.children));
	monitor = scene_child(g, CHILD_MONITOR, 0, CHILD_READY);
	assert_ptr_equal(child_find_monitor(&scene.m.children), monitor);
	assert_ptr_equal(child_find(&scene.m.children, worker->pid), worker);
	assert_ptr_equal(child_find(&scene.m.children, monitor->pid), monitor);
	assert_null(child_find(&scene.m.children, 1));
}

static void test_count(void **state)
{
	struct generation *g = add_current(), *old;

	(void)state;
	old = scene_generation(&settings, 9, SCENE_WORKERS, GENERATION_DRAINING);
	list_append(&scene.m.past, &old->link);
	assert_int_equal(child_count(&scene.m.children, g), 0);
	scene_worker(g, 0, CHILD_READY);
	scene_child(g, CHILD_RESOLVER, 0, CHILD_STARTING);
	scene_worker(old, 0, CHILD_DRAINING);
	assert_int_equal(child_count(&scene.m.children, g), 2);
	assert_int_equal(child_count(&scene.m.children, old), 1);
	/* Only workers count as starting. */
	assert_false(child_is_any_starting(&scene.m.children, g));
	assert_false(child_is_any_starting(&scene.m.children, NULL));
	scene_worker(g, 1, CHILD_STARTING);
	assert_true(child_is_any_starting(&scene.m.children, g));
	assert_true(child_is_any_starting(&scene.m.children, NULL));
	assert_false(child_is_any_starting(&scene.m.children, old));
}

static void test_retire(void **state)
{
	struct generation *g = add_current();
	struct child *c = scene_worker(g, 2, CHILD_READY);
	struct board_place *place = c->place;
	uint32_t row;

	(void)state;
	scene.m.rows = rows_new(scene.m.board, 64, 64, 64);
	assert_non_null(scene.m.rows);
	g->rows = rows_share(scene.m.rows);
	c->column = rows_take_column(g->rows);
	board_count(&place->cells.counts[BOARD_REQUESTS]);
	row = rows_take(g->rows, 77, NULL);
	atomic_store(rows_gauge(g->rows, ROWS_IN_FLIGHT, row, c->column), 5);
	child_retire(c, scene.m.board);
	assert_int_equal(rows_sum(g->rows, ROWS_IN_FLIGHT, row), 0);
	assert_null(c->place);
	assert_int_equal(c->column, ROWS_NONE);
	assert_int_equal(g->retired.counts[BOARD_REQUESTS], 1);
	assert_int_equal(atomic_load(&place->generation), 0);
	child_retire(c, scene.m.board);
	assert_int_equal(g->retired.counts[BOARD_REQUESTS], 1);
}

static void test_remove(void **state)
{
	struct generation *g = add_current();
	struct child *c = scene_worker(g, 2, CHILD_READY);
	const struct board_place *place = c->place;
	void *life;

	(void)state;
	/* A column in rows that its generation does not have any more. */
	c->column = 3;
	errno = EMFILE;
	child_remove(c, scene.m.board);
	assert_int_equal(errno, EMFILE);
	assert_int_equal(scene.closed_fds, 1);
	assert_true(list_is_empty(&scene.m.children));
	assert_int_equal(atomic_load(&place->generation), 0);
	c = scene_child(g, CHILD_MONITOR, 0, CHILD_READY);
	c->life = mmap(NULL, sizeof *c->life, PROT_READ, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	life = c->life;
	child_remove(c, NULL);
	assert_true(list_is_empty(&scene.m.children));
	/* It is unmapped. */
	assert_int_equal(msync(life, 1, MS_ASYNC), -1);
}

static void check_name(enum child_role role, const char *expected)
{
	struct child *c = scene_child(scene.m.current, role, 2, CHILD_READY);
	char name[CHILD_NAME_SIZE];

	c->pid = 77;
	assert_string_equal(child_name(c, name), expected);
}

static void test_names(void **state)
{
	(void)state;
	add_current();
	check_name(CHILD_WORKER, "worker 2 gen 1 (pid 77)");
	check_name(CHILD_MONITOR, "monitor gen 1 (pid 77)");
	check_name(CHILD_RESOLVER, "resolver gen 1 (pid 77)");
	check_name(CHILD_TRIAL, "trial of the new program (pid 77)");
}

static void test_deaths(void **state)
{
	struct child *c = scene_worker(add_current(), 0, CHILD_READY);
	char death[CHILD_DEATH_SIZE];

	(void)state;
	child_describe_death(c, 3 << 8, death);
	assert_string_equal(death, "exited with code 3");
	child_describe_death(c, SIGKILL, death);
	assert_string_equal(death, "was killed by SIGKILL");
	child_describe_death(c, SIGSEGV | 0x80, death);
	assert_string_equal(death, "was killed by SIGSEGV, leaving a core");
	child_describe_death(c, SIGSYS, death);
	assert_string_equal(
		death, "was killed by SIGSYS for a system call that its sandbox forbids");
	c->hung_since = 1;
	child_describe_death(c, SIGSYS, death);
	assert_string_equal(death, "was killed by SIGSYS because it hung");
	snprintf(c->why, sizeof c->why, "?");
	child_describe_death(c, 3 << 8, death);
	assert_string_equal(death, "could not start: ?");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, scene_setup, scene_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_begin),
		TEST(test_states),
		TEST(test_quiet_log),
		TEST(test_find),
		TEST(test_count),
		TEST(test_retire),
		TEST(test_remove),
		TEST(test_names),
		TEST(test_deaths),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
