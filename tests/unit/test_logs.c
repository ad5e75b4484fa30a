/* Logs that are opened anew: which, and which process gets them. */
#include "config.h"

#include "master_scene.h"

#include "master/logs.h"

int __wrap_log_reopen(void);
int __wrap_log_fd(void);
int __real_log_open(const char *target, enum log_level level);
int __wrap_log_open(const char *target, enum log_level level);
int __real_fd_open_log(const char *path);
int __wrap_fd_open_log(const char *path);

static char log_a[] = "a.log", log_b[] = "b.log", access_a[] = "access.log";
static struct settings settings, other;
static int log_descriptor;
static bool log_fails, access_fails;
static unsigned opened;
static enum log_level opened_level;

int __wrap_log_reopen(void)
{
	errno = EACCES;
	return log_fails ? -1 : 0;
}

int __wrap_log_fd(void)
{
	return log_descriptor;
}

int __wrap_log_open(const char *target, enum log_level level)
{
	if (strstr(target, ".log") == NULL)
		return __real_log_open(target, level);
	opened++;
	opened_level = level;
	errno = EACCES;
	return log_fails ? -1 : 0;
}

int __wrap_fd_open_log(const char *path)
{
	if (strcmp(path, access_a) != 0)
		return __real_fd_open_log(path);
	errno = EACCES;
	return access_fails ? -1 : SCENE_FD + 7;
}

static int setup(void **state)
{
	settings = (struct settings){ .workers = SCENE_WORKERS, .log = log_a, .log_level = 2 };
	other = (struct settings){ .workers = SCENE_WORKERS, .log = log_b, .log_level = 2 };
	log_descriptor = SCENE_FD + 8;
	log_fails = access_fails = false;
	opened = 0;
	if (scene_setup(state) == -1)
		return -1;
	scene.m.current = scene_generation(&settings, 1, SCENE_WORKERS, GENERATION_CURRENT);
	return 0;
}

static void test_reopen(void **state)
{
	struct generation *g = scene.m.current;
	struct child *worker = scene_worker(g, 0, CHILD_READY);
	struct child *monitor = scene_child(g, CHILD_MONITOR, 0, CHILD_READY);
	struct child *closed = scene_worker(g, 1, CHILD_READY);

	(void)state;
	closed->channel = -1;
	settings.access_log = access_a;
	g->access_log = SCENE_FD + 1;
	logs_reopen(&scene.m);
	assert_int_equal(g->access_log, SCENE_FD + 7);
	assert_int_equal(scene.closed_fds, 1);
	assert_int_equal(scene_count_sent(worker, MESSAGE_REOPEN_LOG), 1);
	assert_int_equal(scene_count_sent(worker, MESSAGE_REOPEN_ACCESS), 1);
	/* The monitor writes no access log. */
	assert_int_equal(scene_count_sent(monitor, MESSAGE_REOPEN_LOG), 1);
	assert_int_equal(scene_count_sent(monitor, MESSAGE_REOPEN_ACCESS), 0);
	assert_int_equal(scene.sent_count, 3);
	assert_int_equal(scene.sent[0].fd, log_descriptor);
	assert_int_equal(scene.sent[2].fd, SCENE_FD + 7);
	assert_true(scene_logged("logs reopened"));
}

static void test_all_generations(void **state)
{
	struct generation *past, *next;

	(void)state;
	past = scene_generation(&settings, 9, SCENE_WORKERS, GENERATION_DRAINING);
	list_append(&scene.m.past, &past->link);
	next = scene.m.next = scene_generation(&settings, 2, SCENE_WORKERS, GENERATION_STARTING);
	scene_worker(past, 0, CHILD_DRAINING);
	scene_worker(next, 0, CHILD_STARTING);
	scene_worker(scene.m.current, 0, CHILD_READY);
	logs_reopen(&scene.m);
	assert_int_equal(scene_count_sent(NULL, MESSAGE_REOPEN_LOG), 3);
	assert_int_equal(scene_count_sent(NULL, MESSAGE_REOPEN_ACCESS), 0);
}

static void test_before_the_first(void **state)
{
	struct generation *g = scene.m.current;

	(void)state;
	scene.m.current = NULL;
	scene.m.next = g;
	scene_worker(g, 0, CHILD_STARTING);
	logs_reopen(&scene.m);
	assert_int_equal(scene_count_sent(NULL, MESSAGE_REOPEN_LOG), 1);
	scene.m.next = NULL;
	scene.m.current = g;
}

static void test_another_log(void **state)
{
	(void)state;
	/* The master has not opened that one. */
	scene.m.next = scene_generation(&other, 2, SCENE_WORKERS, GENERATION_STARTING);
	scene_worker(scene.m.next, 0, CHILD_STARTING);
	logs_reopen(&scene.m);
	assert_int_equal(scene.sent_count, 0);
}

static void test_no_file(void **state)
{
	(void)state;
	scene_worker(scene.m.current, 0, CHILD_READY);
	log_descriptor = -1;
	logs_reopen(&scene.m);
	assert_int_equal(scene.sent_count, 0);
	assert_true(scene_logged("logs reopened"));
}

static void test_fails(void **state)
{
	struct child *c = scene_worker(scene.m.current, 0, CHILD_READY);

	(void)state;
	settings.access_log = access_a;
	scene.m.current->access_log = SCENE_FD + 1;
	access_fails = true;
	logs_reopen(&scene.m);
	assert_int_equal(scene.m.current->access_log, SCENE_FD + 1);
	assert_int_equal(scene_count_sent(c, MESSAGE_REOPEN_ACCESS), 0);
	assert_true(scene_logged("cannot reopen the access log access.log: Permission denied"));
	assert_true(scene_logged("not every log was reopened"));
	scene_forget_log();
	access_fails = false;
	log_fails = true;
	logs_reopen(&scene.m);
	assert_true(scene_logged("cannot reopen the log: Permission denied"));
	assert_true(scene_logged("not every log was reopened"));
	assert_false(scene_logged("logs reopened"));
}

static void test_deaf(void **state)
{
	struct child *c = scene_worker(scene.m.current, 0, CHILD_READY);

	(void)state;
	scene.deaf = c->channel;
	logs_reopen(&scene.m);
	assert_true(scene_logged("cannot send a new log to worker 0 gen 1"));
}

static void test_failed_generations(void **state)
{
	struct generation *past, *next;

	(void)state;
	other.access_log = access_a;
	access_fails = true;
	next = scene.m.next = scene_generation(&other, 2, SCENE_WORKERS, GENERATION_STARTING);
	logs_reopen(&scene.m);
	assert_true(scene_logged("not every log was reopened"));
	scene_forget_log();
	generation_set_state(next, GENERATION_FAILED);
	scene.m.next = NULL;
	past = next;
	list_append(&scene.m.past, &past->link);
	logs_reopen(&scene.m);
	assert_true(scene_logged("not every log was reopened"));
}

static void test_change(void **state)
{
	struct settings next = settings;

	(void)state;
	assert_int_equal(logs_change(&settings, &next), 0);
	assert_int_equal(opened, 0);
	next.log_level = 3;
	assert_int_equal(logs_change(&settings, &next), 0);
	assert_int_equal(opened, 1);
	assert_int_equal(opened_level, 3);
	assert_int_equal(logs_change(&settings, &other), 0);
	assert_int_equal(opened, 2);
	log_fails = true;
	assert_int_equal(logs_change(&settings, &other), -1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, scene_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_reopen),
		TEST(test_all_generations),
		TEST(test_before_the_first),
		TEST(test_another_log),
		TEST(test_no_file),
		TEST(test_fails),
		TEST(test_deaf),
		TEST(test_failed_generations),
		TEST(test_change),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
