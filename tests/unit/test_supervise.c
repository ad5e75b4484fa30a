/* What the death of a child means, and what is due when. */
#include "config.h"

#include "master_scene.h"

#include "master/children/hang.h"
#include "master/generations/canary.h"
#include "master/supervise.h"

int __wrap_waitpid(pid_t pid, int *status, int options);
int __wrap_spawn_worker(struct master *m, struct generation *g, uint32_t slot);
enum hang_verdict __wrap_hang_look(struct master *m, char *why, size_t why_size);
uint64_t __wrap_hang_next_due(const struct master *m);
enum canary_verdict __wrap_canary_look(struct master *m, char *why, size_t why_size);
uint64_t __wrap_canary_next_due(const struct master *m);
void __wrap_monitor_child_look(struct master *m);
uint64_t __wrap_monitor_child_next_due(const struct master *m);
void __wrap_monitor_child_died(struct master *m, const struct child *c, int status);
void __wrap_stand_in_begin(struct master *m, uint32_t slot);
void __wrap_stand_in_move(struct master *m, struct child *c);
void __wrap_stand_in_retry(struct master *m);
uint64_t __wrap_stand_in_next_due(const struct master *m);
void __wrap_reload_fail(struct master *m, const char *why);
void __wrap_reload_overdue(struct master *m);
void __wrap_reload_roll_back(struct master *m, const char *why);
void __wrap_reload_resolved(struct master *m, bool success);
void __wrap_upgrade_tried(struct master *m, int status);
void __wrap_messages_read(struct master *m, struct child *c);
void __wrap_fdstore_sync(struct fdstore *f, struct escrow *escrow);
void __wrap_fdstore_retry(struct fdstore *f, struct escrow *escrow);
void __wrap_shutdown_drain(struct master *m);

static struct settings settings = { .workers = SCENE_WORKERS };

static struct calls {
	struct {
		pid_t pid;
		int status;
	} deaths[4];
	size_t death_count;
	unsigned looked, retried, stored;
	unsigned spawned, stand_ins, moved, failed, overdue, rolled_back, resolved, synced, drained;
	bool success;
	int tried, monitor_status;
	char why[256];
	bool spawn_fails;
	const char *last_words;
	enum hang_verdict hang;
	enum canary_verdict canary;
	uint64_t hang_due, canary_due, monitor_due, stand_in_due;
} calls;

int __wrap_waitpid(pid_t pid, int *status, int options)
{
	(void)options;
	assert_int_equal(pid, -1);
	if (calls.death_count == 0)
		return 0;
	calls.death_count--;
	*status = calls.deaths[calls.death_count].status;
	return calls.deaths[calls.death_count].pid;
}

int __wrap_spawn_worker(struct master *m, struct generation *g, uint32_t slot)
{
	assert_ptr_equal(g, m->current);
	calls.spawned |= 1U << slot;
	errno = EAGAIN;
	return calls.spawn_fails ? -1 : 0;
}

enum hang_verdict __wrap_hang_look(struct master *m, char *why, size_t why_size)
{
	(void)m;
	snprintf(why, why_size, "it hangs");
	return calls.hang;
}

uint64_t __wrap_hang_next_due(const struct master *m)
{
	(void)m;
	return calls.hang_due;
}

enum canary_verdict __wrap_canary_look(struct master *m, char *why, size_t why_size)
{
	(void)m;
	snprintf(why, why_size, "it is worse");
	return calls.canary;
}

uint64_t __wrap_canary_next_due(const struct master *m)
{
	(void)m;
	return calls.canary_due;
}

void __wrap_monitor_child_look(struct master *m)
{
	(void)m;
	calls.looked++;
}

uint64_t __wrap_monitor_child_next_due(const struct master *m)
{
	(void)m;
	return calls.monitor_due;
}

void __wrap_monitor_child_died(struct master *m, const struct child *c, int status)
{
	(void)m;
	assert_int_equal(c->role, CHILD_MONITOR);
	calls.monitor_status = status;
}

void __wrap_stand_in_begin(struct master *m, uint32_t slot)
{
	(void)m;
	calls.stand_ins |= 1U << slot;
}

void __wrap_stand_in_move(struct master *m, struct child *c)
{
	/* Off the board first: what is passed to it now would wait for the next worker. */
	assert_null(c->place);
	/* Its process id may soon be another process's. */
	assert_null(child_find(&m->children, c->pid));
	calls.moved++;
}

void __wrap_stand_in_retry(struct master *m)
{
	(void)m;
	calls.retried++;
}

uint64_t __wrap_stand_in_next_due(const struct master *m)
{
	(void)m;
	return calls.stand_in_due;
}

void __wrap_reload_fail(struct master *m, const char *why)
{
	(void)m;
	snprintf(calls.why, sizeof calls.why, "%s", why);
	calls.failed++;
}

void __wrap_reload_overdue(struct master *m)
{
	m->next->deadline = UINT64_MAX;
	calls.overdue++;
}

void __wrap_reload_roll_back(struct master *m, const char *why)
{
	(void)m;
	snprintf(calls.why, sizeof calls.why, "%s", why);
	calls.rolled_back++;
}

void __wrap_reload_resolved(struct master *m, bool success)
{
	(void)m;
	calls.resolved++;
	calls.success = success;
}

void __wrap_upgrade_tried(struct master *m, int status)
{
	(void)m;
	calls.tried = status;
}

void __wrap_messages_read(struct master *m, struct child *c)
{
	(void)m;
	if (calls.last_words != NULL)
		snprintf(c->why, sizeof c->why, "%s", calls.last_words);
}

void __wrap_fdstore_sync(struct fdstore *f, struct escrow *escrow)
{
	(void)f;
	(void)escrow;
	calls.synced++;
}

void __wrap_fdstore_retry(struct fdstore *f, struct escrow *escrow)
{
	(void)f;
	(void)escrow;
	calls.stored++;
}

void __wrap_shutdown_drain(struct master *m)
{
	m->lame_duck_end = 0;
	calls.drained++;
}

static int setup(void **state)
{
	if (scene_setup(state) == -1)
		return -1;
	memset(&calls, 0, sizeof calls);
	calls.hang_due = calls.canary_due = calls.monitor_due = calls.stand_in_due = UINT64_MAX;
	scene.m.current = scene_generation(&settings, 1, SCENE_WORKERS, GENERATION_CURRENT);
	return 0;
}

static struct generation *add_next(void)
{
	scene.m.next = scene_generation(&settings, 2, SCENE_WORKERS, GENERATION_STARTING);
	scene.m.next->deadline = UINT64_MAX;
	return scene.m.next;
}

static struct generation *add_past(void)
{
	struct generation *g = scene_generation(&settings, 9, SCENE_WORKERS, GENERATION_DRAINING);

	list_append(&scene.m.past, &g->link);
	return g;
}

static void die(const struct child *c, int status)
{
	calls.deaths[calls.death_count].pid = c->pid;
	calls.deaths[calls.death_count++].status = status;
}

static void test_first_death(void **state)
{
	struct slot *slot = &scene.m.current->slots[1];

	(void)state;
	die(scene_worker(scene.m.current, 1, CHILD_READY), SIGSEGV);
	supervise_reap(&scene.m);
	assert_true(list_is_empty(&scene.m.children));
	/* The next one starts at once, so that no sibling has to stand in. */
	assert_int_equal(slot->due, scene.now);
	assert_int_equal(slot->respawn, 1);
	assert_int_equal(calls.stand_ins, 0);
	assert_int_equal(calls.moved, 1);
	assert_true(scene_logged("worker 1 gen 1 (pid 5000) was killed by SIGSEGV; the next one "
				 "starts now"));
	assert_int_equal(scene.closed_fds, 1);
	supervise_timers(&scene.m);
	assert_int_equal(calls.spawned, 1U << 1);
	assert_int_equal(slot->due, 0);
	assert_int_equal(calls.looked, 1);
	assert_int_equal(calls.retried, 1);
	assert_int_equal(calls.stored, 1);
}

static void test_second_death(void **state)
{
	struct slot *slot = &scene.m.current->slots[1];
	char line[128];

	(void)state;
	die(scene_worker(scene.m.current, 1, CHILD_READY), 1 << 8);
	supervise_reap(&scene.m);
	die(scene_worker(scene.m.current, 1, CHILD_READY), 1 << 8);
	supervise_reap(&scene.m);
	assert_true(slot->due >= scene.now + 75 && slot->due <= scene.now + 125);
	assert_int_equal(slot->respawn, 2);
	assert_int_equal(calls.stand_ins, 1U << 1);
	snprintf(line, sizeof line, "(pid 5001) exited with code 1; the next one starts in %d ms",
		(int)(slot->due - scene.now));
	assert_true(scene_logged(line));
	assert_int_equal(supervise_next_due(&scene.m), slot->due);
	scene.now = slot->due - 1;
	supervise_timers(&scene.m);
	assert_int_equal(calls.spawned, 0);
	scene.now++;
	supervise_timers(&scene.m);
	assert_int_equal(calls.spawned, 1U << 1);
}

static void test_death_after_a_long_life(void **state)
{
	(void)state;
	scene.m.current->slots[0].backoff.deaths = 5;
	die(scene_worker(scene.m.current, 0, CHILD_READY), SIGKILL);
	scene.now += BACKOFF_RESET_MS;
	supervise_reap(&scene.m);
	assert_int_equal(scene.m.current->slots[0].due, scene.now);
	assert_int_equal(supervise_next_due(&scene.m), scene.now);
	supervise_timers(&scene.m);
	assert_int_equal(calls.spawned, 1U << 0);
}

static void test_current_that_was_asked(void **state)
{
	(void)state;
	/* A hung worker was told to end: its place is taken all the same. */
	die(scene_worker(scene.m.current, 0, CHILD_ENDING), SIGABRT);
	supervise_reap(&scene.m);
	assert_int_equal(scene.m.current->slots[0].due, scene.now);
}

static void test_cannot_respawn(void **state)
{
	(void)state;
	scene.m.current->slots[2].due = scene.now;
	calls.spawn_fails = true;
	supervise_timers(&scene.m);
	assert_int_equal(calls.stand_ins, 1U << 2);
	assert_int_equal(scene.m.current->slots[2].due, scene.now);
	supervise_timers(&scene.m);
	assert_true(scene.m.current->slots[2].due > scene.now);
	assert_true(scene_logged("cannot start worker 2: Resource temporarily unavailable"));
}

static void test_next_dies(void **state)
{
	struct generation *g = add_next();

	(void)state;
	die(scene_worker(g, 1, CHILD_STARTING), 7 << 8);
	supervise_reap(&scene.m);
	assert_int_equal(calls.failed, 1);
	assert_string_equal(calls.why, "worker 1 exited with code 7");
	calls.last_words = "?";
	die(scene_worker(g, 1, CHILD_STARTING), 3 << 8);
	supervise_reap(&scene.m);
	assert_string_equal(calls.why, "?");
	assert_int_equal(calls.stand_ins, 0);
}

static void test_next_ends_as_asked(void **state)
{
	(void)state;
	die(scene_worker(add_next(), 1, CHILD_KILLED), SIGKILL);
	supervise_reap(&scene.m);
	assert_int_equal(calls.failed, 0);
}

static void test_past(void **state)
{
	struct generation *g = add_past();

	(void)state;
	die(scene_worker(g, 0, CHILD_DRAINING), 0);
	die(scene_worker(g, 1, CHILD_ENDING), SIGTERM);
	die(scene_worker(g, 2, CHILD_KILLED), SIGKILL);
	supervise_reap(&scene.m);
	assert_int_equal(g->killed, 1);
	assert_false(scene_logged("while it was draining"));
	die(scene_worker(g, 3, CHILD_DRAINING), SIGSEGV);
	supervise_reap(&scene.m);
	assert_true(scene_logged("worker 3 gen 9 (pid 5003) was killed by SIGSEGV while it was "
				 "draining"));
	assert_int_equal(g->killed, 1);
	assert_true(list_is_empty(&scene.m.children));
}

static void test_other_roles(void **state)
{
	struct generation *g = add_next();

	(void)state;
	die(scene_child(scene.m.current, CHILD_TRIAL, 0, CHILD_STARTING), 5 << 8);
	die(scene_child(scene.m.current, CHILD_MONITOR, 0, CHILD_READY), 6 << 8);
	die(scene_child(g, CHILD_RESOLVER, 0, CHILD_STARTING), 0);
	supervise_reap(&scene.m);
	assert_int_equal(calls.tried, 5 << 8);
	assert_int_equal(calls.monitor_status, 6 << 8);
	assert_int_equal(calls.resolved, 1);
	assert_true(calls.success);
	die(scene_child(g, CHILD_RESOLVER, 0, CHILD_STARTING), 1 << 8);
	supervise_reap(&scene.m);
	assert_false(calls.success);
	/* that of a reload which was given up */
	die(scene_child(add_past(), CHILD_RESOLVER, 0, CHILD_KILLED), SIGKILL);
	supervise_reap(&scene.m);
	assert_int_equal(calls.resolved, 2);
}

static void test_unknown(void **state)
{
	struct child stranger = { .pid = 4 };

	(void)state;
	die(&stranger, 0);
	supervise_reap(&scene.m);
	assert_true(scene_logged("process 4 has ended; it is none of ours"));
}

static void test_deadlines(void **state)
{
	struct child *c = scene_worker(scene.m.current, 0, CHILD_DRAINING);

	(void)state;
	c->deadline = scene.now + 1;
	assert_int_equal(supervise_next_due(&scene.m), scene.now + 1);
	supervise_timers(&scene.m);
	assert_int_equal(c->state, CHILD_DRAINING);
	scene.now++;
	supervise_timers(&scene.m);
	assert_int_equal(c->state, CHILD_ENDING);
}

static void test_verdicts(void **state)
{
	(void)state;
	add_next();
	supervise_timers(&scene.m);
	assert_int_equal(calls.rolled_back, 0);
	calls.hang = HANG_WATCHED;
	supervise_timers(&scene.m);
	assert_int_equal(calls.rolled_back, 1);
	assert_string_equal(calls.why, "it hangs");
	calls.hang = HANG_FINE;
	calls.canary = CANARY_GO_ON;
	supervise_timers(&scene.m);
	assert_int_equal(calls.rolled_back, 1);
	calls.canary = CANARY_WORSE;
	supervise_timers(&scene.m);
	assert_int_equal(calls.rolled_back, 2);
	assert_string_equal(calls.why, "it is worse");
}

static void test_next_overdue(void **state)
{
	(void)state;
	add_next()->deadline = scene.now + 1;
	assert_int_equal(supervise_next_due(&scene.m), scene.now + 1);
	supervise_timers(&scene.m);
	assert_int_equal(calls.overdue, 0);
	scene.now++;
	supervise_timers(&scene.m);
	assert_int_equal(calls.overdue, 1);
}

static void test_lame_duck(void **state)
{
	(void)state;
	scene.m.lame_duck_end = scene.now + 5;
	assert_int_equal(supervise_next_due(&scene.m), scene.now + 5);
	supervise_timers(&scene.m);
	assert_int_equal(calls.drained, 0);
	scene.now += 5;
	supervise_timers(&scene.m);
	assert_int_equal(calls.drained, 1);
	supervise_timers(&scene.m);
	assert_int_equal(calls.drained, 1);
}

static void test_escrow(void **state)
{
	const struct address a = { .len = 0 };

	(void)state;
	scene_socket(&a, 0, 1, false);
	supervise_timers(&scene.m);
	assert_int_equal(calls.synced, 0);
	scene.m.escrow.entries[0].shut_at = scene.m.escrow.entries[0].close_at = scene.now + 9;
	assert_int_equal(supervise_next_due(&scene.m), scene.now + 9);
	scene.now += 9;
	supervise_timers(&scene.m);
	assert_int_equal(scene.m.escrow.count, 0);
	assert_int_equal(calls.synced, 1);
}

static void test_next_due(void **state)
{
	struct generation *g = scene.m.current;
	uint64_t *all[] = { &calls.hang_due, &calls.canary_due, &calls.monitor_due,
		&calls.stand_in_due, &scene.m.fdstore.due };

	(void)state;
	assert_int_equal(supervise_next_due(&scene.m), UINT64_MAX);
	for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
		uint64_t before = *all[i];

		*all[i] = 1000 + i;
		assert_int_equal(supervise_next_due(&scene.m), 1000 + i);
		*all[i] = before;
	}
	scene.m.current = NULL;
	assert_int_equal(supervise_next_due(&scene.m), UINT64_MAX);
	supervise_timers(&scene.m);
	assert_int_equal(calls.spawned, 0);
	scene.m.current = g;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, scene_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_first_death),
		TEST(test_second_death),
		TEST(test_death_after_a_long_life),
		TEST(test_current_that_was_asked),
		TEST(test_cannot_respawn),
		TEST(test_next_dies),
		TEST(test_next_ends_as_asked),
		TEST(test_past),
		TEST(test_other_roles),
		TEST(test_unknown),
		TEST(test_deadlines),
		TEST(test_verdicts),
		TEST(test_next_overdue),
		TEST(test_lame_duck),
		TEST(test_escrow),
		TEST(test_next_due),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
