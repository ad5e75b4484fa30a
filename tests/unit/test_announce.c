/* Who learns that a generation serves. */
#include "config.h"

#include "master_scene.h"

#include "master/announce.h"
#include "master/logs.h"

int __wrap_logs_change(const struct settings *present, const struct settings *next);
void __wrap_daemon_ready(struct daemon *d);
void __wrap_notify_send(const char *format, ...);

static char pid_a[] = "a.pid", pid_b[] = "b.pid", log_a[] = "a.log", text[] = "*:0";
static struct listener_settings listeners[2];
static struct settings settings, older;
static bool change_fails;
static unsigned daemon_calls, ready_calls, changes;
static char notified[128];

int __wrap_logs_change(const struct settings *present, const struct settings *next)
{
	assert_ptr_equal(present, &older);
	assert_ptr_equal(next, &settings);
	changes++;
	errno = EACCES;
	return change_fails ? -1 : 0;
}

void __wrap_daemon_ready(struct daemon *d)
{
	assert_ptr_equal(d, &scene.m.daemon);
	daemon_calls++;
}

void __wrap_notify_send(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(notified, sizeof notified, format, args);
	va_end(args);
}

static void ready(void *context)
{
	assert_ptr_equal(context, &settings);
	ready_calls++;
}

static int setup(void **state)
{
	const char *why;

	memset(listeners, 0, sizeof listeners);
	settings = (struct settings){
		.workers = SCENE_WORKERS, .log = log_a, .listeners = listeners, .listener_count = 2
	};
	older = (struct settings){ .workers = SCENE_WORKERS, .log = log_a };
	change_fails = false;
	daemon_calls = ready_calls = changes = 0;
	if (address_parse_listen("127.0.0.1:8081", &listeners[0].address, &why) == -1 ||
		address_parse_listen("127.0.0.1:0", &listeners[1].address, &why) == -1 ||
		scene_setup(state) == -1)
		return -1;
	listeners[0].address_text = text;
	listeners[1].address_text = text;
	scene.m.current = scene_generation(&settings, 3, SCENE_WORKERS, GENERATION_CURRENT);
	return 0;
}

static void test_start(void **state)
{
	struct escrow_entry e = { .key = listeners[1].address, .bound = listeners[1].address };

	(void)state;
	e.fd = SCENE_FD;
	address_set_port(&e.bound, 4711);
	assert_int_equal(escrow_restore(&scene.m.escrow, &e), 0);
	scene_socket(&listeners[0].address, 0, 1, false);
	announce_start(&scene.m);
	/* As the settings have it, but with the kernel's choice of port. */
	assert_true(scene_logged(" workers, listening on *:0, 127.0.0.1:4711\n"));
	assert_int_equal(daemon_calls, 1);
	assert_int_equal(ready_calls, 0);
	scene.options.ready = ready;
	scene.options.context = &settings;
	announce_start(&scene.m);
	assert_int_equal(ready_calls, 1);
}

static void test_asserts(void **state)
{
	struct generation *g = scene.m.current;

	(void)state;
	scene_expect_assert(announce_reload(&scene.m, g));
	scene.m.current = NULL;
	scene_expect_assert(announce_ready(&scene.m));
	scene_expect_assert(announce_start(&scene.m));
	scene.m.current = g;
}

static void reload(void)
{
	struct generation *old = scene_generation(&older, 2, SCENE_WORKERS, GENERATION_DRAINING);

	scene_forget_log();
	list_append(&scene.m.past, &old->link);
	announce_reload(&scene.m, old);
}

static void test_reload(void **state)
{
	(void)state;
	scene.m.current->started = scene.now - 1500;
	reload();
	assert_int_equal(changes, 1);
	assert_true(scene_logged("reloaded in 1500 ms: generation 3, 4 workers, listening on "
				 "*:0, *:0\n"));
	assert_false(scene_logged("cannot open the log"));
	change_fails = true;
	reload();
	assert_true(scene_logged("cannot open the log a.log: Permission denied"));
}

/* Whether it is said that another pid file has to wait. */
static bool warns(char *before, char *after)
{
	older.pid_file = before;
	settings.pid_file = after;
	reload();
	return scene_logged("the new pid_file takes effect at the next start");
}

static void test_pid_file(void **state)
{
	(void)state;
	assert_false(warns(NULL, NULL));
	assert_false(warns(pid_a, pid_a));
	assert_true(warns(pid_a, pid_b));
	assert_true(warns(NULL, pid_b));
	assert_true(warns(pid_a, NULL));
	/* The option counts, and has not changed. */
	scene.options.pid_file = pid_a;
	assert_false(warns(pid_a, pid_b));
}

static void test_ready(void **state)
{
	(void)state;
	announce_ready(&scene.m);
	assert_string_equal(notified, "READY=1\nSTATUS=Generation 3, 4 workers");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, scene_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_start),
		TEST(test_asserts),
		TEST(test_reload),
		TEST(test_pid_file),
		TEST(test_ready),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
