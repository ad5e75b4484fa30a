/* The end of the program: as a lame duck, in peace, at once. */
#include "config.h"

#include "master_scene.h"

#include "master/children/stop.h"
#include "master/generations/generation_drain.h"
#include "master/shutdown.h"

#define DRAIN     5000
#define LAME_DUCK 2000

void __wrap_fdstore_clear(struct fdstore *f);
void __wrap_notify_send(const char *format, ...);
void __wrap_reload_withdraw(struct master *m);
void __wrap_messages_read_starting(struct master *m, const struct generation *g);

static struct settings settings;
static unsigned cleared, withdrawn;
static bool read_all;
static char notified[256];
static size_t sockets_when_read;

void __wrap_fdstore_clear(struct fdstore *f)
{
	(void)f;
	cleared++;
}

void __wrap_notify_send(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(notified, sizeof notified, format, args);
	va_end(args);
}

void __wrap_reload_withdraw(struct master *m)
{
	withdrawn++;
	generation_set_state(m->next, GENERATION_FAILED);
	list_append(&m->past, &m->next->link);
	m->next = NULL;
}

void __wrap_messages_read_starting(struct master *m, const struct generation *g)
{
	read_all = g == NULL;
	sockets_when_read = m->escrow.count;
}

static int setup(void **state)
{
	settings = (struct settings){ .workers = SCENE_WORKERS, .timeouts = { .drain = DRAIN } };
	cleared = withdrawn = 0;
	read_all = false;
	notified[0] = '\0';
	if (scene_setup(state) == -1)
		return -1;
	scene.m.current = scene_generation(&settings, 1, SCENE_WORKERS, GENERATION_CURRENT);
	return 0;
}

static void test_drain(void **state)
{
	const struct address a = { .len = 0 };
	struct child *c = scene_worker(scene.m.current, 0, CHILD_READY);
	struct generation *current = scene.m.current;
	struct generation *next = scene.m.next =
		scene_generation(&settings, 2, SCENE_WORKERS, GENERATION_STARTING);

	(void)state;
	scene_socket(&a, 0, 1, false);
	shutdown_request(&scene.m);
	assert_int_equal(scene.m.phase, MASTER_STOPPING);
	assert_int_equal(c->state, CHILD_DRAINING);
	assert_int_equal(scene_last_sent(c, MESSAGE_DRAIN)->number, DRAIN_STOP);
	/* The sockets let nobody in before workers are told. */
	assert_true(read_all);
	assert_int_equal(sockets_when_read, 0);
	assert_int_equal(cleared, 1);
	assert_null(scene.m.current);
	assert_null(scene.m.next);
	assert_int_equal(current->state, GENERATION_DRAINING);
	assert_int_equal(next->state, GENERATION_FAILED);
	assert_ptr_equal(scene.m.past.next, &next->link);
	assert_ptr_equal(scene.m.past.prev, &current->link);
	assert_true(scene_logged("stopping: finishing what is in flight"));
	/* What workers get, a second, and two steps of two seconds. */
	assert_string_equal(notified, "STOPPING=1\nEXTEND_TIMEOUT_USEC=10000000\n"
				      "STATUS=Finishing what is in flight");
}

static void test_longest(void **state)
{
	struct settings patient = { .timeouts = { .drain = 3 * DRAIN } };
	struct generation *old = scene_generation(&patient, 9, SCENE_WORKERS, GENERATION_DRAINING);

	(void)state;
	list_append(&scene.m.past, &old->link);
	scene_worker(scene.m.current, 0, CHILD_READY);
	scene_worker(old, 0, CHILD_DRAINING);
	scene_worker(scene.m.current, 1, CHILD_READY);
	shutdown_request(&scene.m);
	assert_non_null(strstr(notified, "EXTEND_TIMEOUT_USEC=20000000\n"));
}

static void test_lame_duck(void **state)
{
	struct child *ready = scene_worker(scene.m.current, 0, CHILD_READY);
	struct child *starting = scene_worker(scene.m.current, 1, CHILD_STARTING);
	struct generation *next = scene.m.next =
		scene_generation(&settings, 2, SCENE_WORKERS, GENERATION_STARTING);
	struct child *other = scene_worker(next, 0, CHILD_READY);

	(void)state;
	settings.timeouts.lame_duck = LAME_DUCK;
	shutdown_request(&scene.m);
	assert_int_equal(scene.m.phase, MASTER_LAME_DUCK);
	assert_int_equal(scene.m.lame_duck_end, scene.now + LAME_DUCK);
	assert_int_equal(withdrawn, 1);
	assert_int_equal(scene_count_sent(ready, MESSAGE_LAME_DUCK), 1);
	assert_int_equal(scene_count_sent(starting, MESSAGE_LAME_DUCK), 0);
	assert_int_equal(scene_count_sent(other, MESSAGE_LAME_DUCK), 0);
	assert_int_equal(ready->state, CHILD_READY);
	assert_non_null(strstr(notified, "EXTEND_TIMEOUT_USEC=12000000\n"
					 "STATUS=Serving on as a lame duck"));
	assert_true(scene_logged("stopping in 2000 ms: serving on until then"));
	scene.now += LAME_DUCK;
	shutdown_drain(&scene.m);
	assert_int_equal(scene.m.phase, MASTER_STOPPING);
	assert_int_equal(scene.m.lame_duck_end, 0);
	assert_int_equal(ready->state, CHILD_DRAINING);
}

static void test_lame_duck_alone(void **state)
{
	(void)state;
	settings.timeouts.lame_duck = 1;
	shutdown_request(&scene.m);
	assert_int_equal(scene.m.phase, MASTER_LAME_DUCK);
	assert_int_equal(withdrawn, 0);
	/* without a worker */
	assert_non_null(strstr(notified, "EXTEND_TIMEOUT_USEC=5001000\n"));
}

static void test_second_time(void **state)
{
	struct child *c = scene_worker(scene.m.current, 0, CHILD_READY);

	(void)state;
	settings.timeouts.lame_duck = LAME_DUCK;
	shutdown_request(&scene.m);
	shutdown_request(&scene.m);
	assert_int_equal(scene.m.phase, MASTER_ENDING);
	assert_int_equal(scene.m.lame_duck_end, 0);
	assert_int_equal(c->state, CHILD_ENDING);
	assert_null(scene.m.current);
	assert_true(scene_logged("stopping at once"));
	/* A third time changes nothing. */
	shutdown_request(&scene.m);
	assert_int_equal(scene.m.phase, MASTER_ENDING);
	assert_int_equal(scene_count_killed(c, SIGTERM), 1);
}

static void test_before_the_first_generation(void **state)
{
	struct generation *g = scene.m.current;

	(void)state;
	scene.m.current = NULL;
	settings.timeouts.lame_duck = LAME_DUCK;
	shutdown_request(&scene.m);
	assert_int_equal(scene.m.phase, MASTER_STOPPING);
	scene.m.current = g;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, scene_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_drain),
		TEST(test_longest),
		TEST(test_lame_duck),
		TEST(test_lame_duck_alone),
		TEST(test_second_time),
		TEST(test_before_the_first_generation),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
