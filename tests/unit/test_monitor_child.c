/* The monitor as a child: when one is started, and when it is killed. */
#include "config.h"

#include "master_scene.h"

#include <poll.h>
#include <sys/mman.h>

#include "master/children/monitor_child.h"
#include "master/children/spawn.h"
#include "master/children/stop.h"
#include "monitor/monitor.h"

#define LOOK  500
#define HANGS 1500

pid_t __wrap_spawn_fork(void);
int __wrap_spawn_become(const struct master *m, const struct generation *g, const char *title,
	const int *keep, size_t count);
int __wrap_channel_pair(int ends[2]);
void *__real_mmap(void *address, size_t size, int protection, int flags, int fd, off_t offset);
void *__wrap_mmap(void *address, size_t size, int protection, int flags, int fd, off_t offset);
int __real_poll(struct pollfd *set, nfds_t count, int timeout);
int __wrap_poll(struct pollfd *set, nfds_t count, int timeout);
pid_t __wrap_waitpid(pid_t pid, int *status, int options);

static struct settings settings;
static unsigned forks, waits, interrupted;
static bool fork_fails, pair_fails, map_fails, alarm_waits;

pid_t __wrap_spawn_fork(void)
{
	forks++;
	errno = EAGAIN;
	return fork_fails ? -1 : SCENE_PID + (pid_t)forks;
}

int __wrap_spawn_become(const struct master *m, const struct generation *g, const char *title,
	const int *keep, size_t count)
{
	(void)m;
	(void)g;
	(void)title;
	(void)keep;
	(void)count;
	return -1;
}

int monitor_run(const struct monitor_start *start)
{
	(void)start;
	return 1;
}

int __wrap_channel_pair(int ends[2])
{
	errno = EMFILE;
	ends[0] = SCENE_FD + 1;
	ends[1] = SCENE_FD + 2;
	return pair_fails ? -1 : 0;
}

void *__wrap_mmap(void *address, size_t size, int protection, int flags, int fd, off_t offset)
{
	if (map_fails) {
		errno = ENOMEM;
		return MAP_FAILED;
	}
	return __real_mmap(address, size, protection, flags, fd, offset);
}

int __wrap_poll(struct pollfd *set, nfds_t count, int timeout)
{
	/* The log asks, too. */
	if (set->events != POLLIN)
		return __real_poll(set, count, timeout);
	assert_int_equal(timeout, 0);
	return alarm_waits ? 1 : 0;
}

pid_t __wrap_waitpid(pid_t pid, int *status, int options)
{
	(void)pid;
	(void)status;
	(void)options;
	waits++;
	errno = EINTR;
	return waits <= interrupted ? -1 : pid;
}

static int setup(void **state)
{
	settings = (struct settings){ .workers = 1, .timeouts = { .hang = 1 } };
	forks = waits = interrupted = 0;
	fork_fails = pair_fails = map_fails = alarm_waits = false;
	if (scene_setup(state) == -1)
		return -1;
	scene.m.rows = rows_new(scene.m.board, 64, 64, 64);
	scene.m.current = scene_generation(&settings, 1, 1, GENERATION_CURRENT);
	if (scene.m.rows == NULL)
		return -1;
	scene.m.current->rows = rows_share(scene.m.rows);
	return 0;
}

static struct child *find(void)
{
	return child_find_monitor(&scene.m.children);
}

static struct child *keep(void)
{
	monitor_child_keep(&scene.m);
	return find();
}

static void test_starts(void **state)
{
	struct child *c = keep();

	(void)state;
	assert_non_null(c);
	assert_int_equal(c->state, CHILD_READY);
	assert_int_equal(c->channel, SCENE_FD + 1);
	assert_non_null(c->life);
	/* The child's end is closed. */
	assert_int_equal(scene.closed_fds, 1);
	assert_int_equal(forks, 1);
	/* There are never two. */
	assert_ptr_equal(keep(), c);
	assert_int_equal(forks, 1);
	assert_int_equal(monitor_child_next_due(&scene.m), UINT64_MAX);
}

static void test_not_needed(void **state)
{
	struct generation *g = scene.m.current;
	struct rows *rows = g->rows;

	(void)state;
	scene.m.current = NULL;
	assert_null(keep());
	assert_int_equal(monitor_child_next_due(&scene.m), UINT64_MAX);
	scene.m.current = g;
	g->rows = NULL;
	assert_null(keep());
	g->rows = rows;
	master_state_set_phase(&scene.m, MASTER_LAME_DUCK);
	assert_non_null(keep());
	child_remove(find(), NULL);
	master_state_set_phase(&scene.m, MASTER_STOPPING);
	assert_null(keep());
	scene.m.monitor_due = 5;
	assert_int_equal(monitor_child_next_due(&scene.m), UINT64_MAX);
}

static void test_cannot_start(void **state)
{
	(void)state;
	map_fails = true;
	assert_null(keep());
	/* The first failure is answered at once. */
	assert_int_equal(scene.m.monitor_due, scene.now);
	map_fails = false;
	pair_fails = true;
	assert_null(keep());
	assert_true(scene.m.monitor_due > scene.now);
	assert_int_equal(monitor_child_next_due(&scene.m), scene.m.monitor_due);
	pair_fails = false;
	assert_null(keep());
	assert_int_equal(forks, 0);
	scene.now = scene.m.monitor_due;
	fork_fails = true;
	assert_null(keep());
	assert_int_equal(forks, 1);
	assert_int_equal(scene.closed_fds, 2);
	assert_true(scene_logged("cannot start the monitor: Resource temporarily unavailable"));
	scene.now = scene.m.monitor_due;
	fork_fails = false;
	assert_non_null(keep());
	assert_int_equal(scene.m.monitor_due, 0);
}

static void test_new_generation(void **state)
{
	struct child *old = keep();
	struct generation *g = scene.m.current;

	(void)state;
	scene.m.current = scene_generation(&settings, 2, 1, GENERATION_CURRENT);
	scene.m.current->rows = rows_share(scene.m.rows);
	list_append(&scene.m.past, &g->link);
	assert_ptr_equal(keep(), old);
	assert_int_equal(old->state, CHILD_KILLED);
	/* The next one starts when it is dead, and at once. */
	monitor_child_died(&scene.m, old, SIGKILL);
	child_remove(old, NULL);
	assert_false(scene_logged("workers go on"));
	assert_ptr_equal(keep()->generation, scene.m.current);
}

static void test_dies(void **state)
{
	struct child *c = keep();

	(void)state;
	monitor_child_died(&scene.m, c, SIGSEGV);
	assert_int_equal(scene.m.monitor_due, scene.now);
	assert_true(scene_logged("monitor gen 1 (pid 5001) was killed by SIGSEGV; workers go on "
				 "with what they see themselves until the next one starts"));
	monitor_child_died(&scene.m, c, SIGSEGV);
	assert_true(scene.m.monitor_due > scene.now);
	child_remove(c, NULL);
	assert_int_equal(monitor_child_next_due(&scene.m), scene.m.monitor_due);
}

static void set_due(struct child *c, uint64_t due_ms)
{
	atomic_store(&c->life->due_us, due_ms * 1000);
}

static void beat(struct child *c)
{
	pulse_beat(&c->life->pulse, scene.now * 1000);
}

/* Looks in time for so many ms. */
static void pass(uint64_t ms)
{
	for (uint64_t end = scene.now + ms; scene.now < end;) {
		scene.now += LOOK;
		monitor_child_look(&scene.m);
	}
}

/* A monitor that was looked at once. */
static struct child *watch(void)
{
	struct child *c = keep();

	beat(c);
	monitor_child_look(&scene.m);
	return c;
}

static void test_rests(void **state)
{
	struct child *c = watch();

	(void)state;
	pass(10000);
	assert_int_equal(c->state, CHILD_READY);
	/* something that is due later */
	set_due(c, scene.now + 100000);
	pass(10000);
	assert_int_equal(c->state, CHILD_READY);
}

static void test_hangs(void **state)
{
	struct child *c = watch();
	uint64_t since;

	(void)state;
	set_due(c, scene.now + 1);
	pass(LOOK);
	since = c->suspected;
	/* It was seen to move a look before. */
	assert_int_equal(since, scene.now - LOOK);
	pass(HANGS - 2 * LOOK);
	assert_int_equal(c->state, CHILD_READY);
	pass(LOOK);
	assert_int_equal(c->state, CHILD_KILLED);
	assert_int_equal(c->hung_since, since);
	assert_true(
		scene_logged("hangs: nothing for 1500 ms, though something was due: killing it"));
	/* It was not told to end: a pause comes before the next one. */
	monitor_child_died(&scene.m, c, SIGKILL);
	assert_true(scene_logged("was killed by SIGKILL because it hung; workers go on"));
	pass(LOOK);
	assert_int_equal(scene_count_killed(c, SIGKILL), 1);
}

static void test_moves(void **state)
{
	struct child *c = watch();

	(void)state;
	for (int i = 0; i < 10; i++) {
		set_due(c, scene.now + 1);
		pass(LOOK);
		beat(c);
	}
	assert_int_equal(c->state, CHILD_READY);
}

static void test_does_not_hear(void **state)
{
	struct child *c = watch();

	(void)state;
	alarm_waits = true;
	pass(HANGS);
	assert_int_equal(c->state, CHILD_KILLED);
}

static void test_may_hang(void **state)
{
	struct child *c = watch();

	(void)state;
	settings.timeouts.hang = 0;
	alarm_waits = true;
	pass(60000);
	assert_int_equal(c->state, CHILD_READY);
}

static void test_late_look(void **state)
{
	struct child *c = watch();

	(void)state;
	alarm_waits = true;
	pass(HANGS - LOOK);
	/* The machine was stopped: the time begins anew. */
	scene.now += LOOK + HANGS / 2 + 1;
	monitor_child_look(&scene.m);
	assert_int_equal(c->state, CHILD_READY);
	assert_int_equal(c->suspected, scene.now);
	pass(HANGS);
	assert_int_equal(c->state, CHILD_KILLED);
}

static void test_no_look(void **state)
{
	struct child *c;
	uint64_t next;

	(void)state;
	monitor_child_look(&scene.m);
	assert_int_equal(scene.m.monitor_look, 0);
	c = watch();
	next = scene.m.monitor_look;
	scene.now = next - 1;
	monitor_child_look(&scene.m);
	assert_int_equal(scene.m.monitor_look, next);
	stop_at_once(c);
	scene.now += LOOK;
	monitor_child_look(&scene.m);
	assert_int_equal(scene.m.monitor_look, next);
}

static void test_end(void **state)
{
	(void)state;
	monitor_child_end(&scene.m);
	assert_int_equal(waits, 0);
	keep();
	interrupted = 2;
	monitor_child_end(&scene.m);
	assert_int_equal(waits, 3);
	assert_null(find());
	assert_int_equal(scene.signals[0], SIGKILL);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, scene_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_starts),
		TEST(test_not_needed),
		TEST(test_cannot_start),
		TEST(test_new_generation),
		TEST(test_dies),
		TEST(test_rests),
		TEST(test_hangs),
		TEST(test_moves),
		TEST(test_does_not_hear),
		TEST(test_may_hang),
		TEST(test_late_look),
		TEST(test_no_look),
		TEST(test_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
