/* A reload as a state machine: from settings to a current generation, or back. */
#include "config.h"

#include "master_scene.h"

#include "master/children/monitor_child.h"
#include "master/generations/generation_drain.h"
#include "master/generations/reload.h"

#define WORKERS 2
#define DRAIN   5000

int __wrap_spawn_worker(struct master *m, struct generation *g, uint32_t slot);
int __wrap_spawn_resolver(struct master *m, struct generation *g);
int __wrap_bind_prepare(struct escrow *escrow, const struct settings *settings, uint32_t workers,
	uint32_t generation, char *why, size_t why_size);
int __wrap_register_rows(struct master *m, struct generation *g, char *why, size_t why_size);
void __wrap_announce_start(struct master *m);
void __wrap_announce_reload(const struct master *m, const struct generation *old);
void __wrap_announce_ready(const struct master *m);
void __wrap_monitor_child_keep(struct master *m);
void __wrap_fdstore_sync(struct fdstore *f, struct escrow *escrow);
void __wrap_notify_reloading(void);
bool __wrap_lookup_is_needed(const struct settings *settings);
int __real_fd_open_log(const char *path);
int __wrap_fd_open_log(const char *path);
struct generation *__real_generation_new(struct settings *settings, uint32_t number);
struct generation *__wrap_generation_new(struct settings *settings, uint32_t number);
void __wrap_messages_read_starting(struct master *m, const struct generation *g);

static struct settings settings;
static bool rows_fail, bind_fails, log_fails, no_memory, needs_lookup;
static int spawn_error; /* errno of every fork; 0: they succeed */
static unsigned starts, reloads, readies, loads, keeps, syncs, notified;
static const struct generation *read_for; /* what children of it said was read */
static struct settings *next_load;

int __wrap_spawn_worker(struct master *m, struct generation *g, uint32_t slot)
{
	(void)m;
	errno = spawn_error;
	if (spawn_error != 0)
		return -1;
	scene_worker(g, slot, CHILD_STARTING);
	return 0;
}

int __wrap_spawn_resolver(struct master *m, struct generation *g)
{
	(void)m;
	errno = spawn_error;
	if (spawn_error != 0)
		return -1;
	scene_child(g, CHILD_RESOLVER, 0, CHILD_STARTING);
	return 0;
}

int __wrap_bind_prepare(struct escrow *escrow, const struct settings *s, uint32_t workers,
	uint32_t generation, char *why, size_t why_size)
{
	(void)escrow;
	(void)s;
	(void)generation;
	assert_int_equal(workers, WORKERS);
	snprintf(why, why_size, "cannot listen");
	return bind_fails ? -1 : 0;
}

int __wrap_register_rows(struct master *m, struct generation *g, char *why, size_t why_size)
{
	(void)m;
	(void)g;
	snprintf(why, why_size, "no rows");
	return rows_fail ? -1 : 0;
}

void __wrap_announce_start(struct master *m)
{
	assert_non_null(m->current);
	starts++;
}

void __wrap_announce_reload(const struct master *m, const struct generation *old)
{
	assert_int_equal(old->state, GENERATION_DRAINING);
	assert_ptr_not_equal(m->current, old);
	reloads++;
}

void __wrap_announce_ready(const struct master *m)
{
	assert_non_null(m->current);
	readies++;
}

void __wrap_monitor_child_keep(struct master *m)
{
	assert_int_equal(m->current->state, GENERATION_CURRENT);
	keeps++;
}

void __wrap_fdstore_sync(struct fdstore *f, struct escrow *escrow)
{
	(void)f;
	(void)escrow;
	syncs++;
}

void __wrap_notify_reloading(void)
{
	notified++;
}

bool __wrap_lookup_is_needed(const struct settings *s)
{
	(void)s;
	return needs_lookup;
}

int __wrap_fd_open_log(const char *path)
{
	if (strcmp(path, "access.log") != 0)
		return __real_fd_open_log(path);
	errno = EACCES;
	return log_fails ? -1 : SCENE_FD;
}

struct generation *__wrap_generation_new(struct settings *s, uint32_t number)
{
	struct generation *g = no_memory ? NULL : __real_generation_new(s, number);

	if (g == NULL)
		__wrap_settings_free(s);
	return g;
}

void __wrap_messages_read_starting(struct master *m, const struct generation *g)
{
	(void)m;
	read_for = g;
}

/* Those of the layer above. */
uint64_t worker_grace(const struct settings *s)
{
	return s->timeouts.drain;
}

uint64_t worker_shut(const struct settings *s)
{
	(void)s;
	return 100;
}

static struct settings *load(void *context)
{
	(void)context;
	loads++;
	return next_load;
}

static int setup(void **state)
{
	settings = (struct settings){ .workers = WORKERS, .timeouts = { .drain = DRAIN } };
	rows_fail = bind_fails = log_fails = no_memory = needs_lookup = false;
	spawn_error = 0;
	starts = reloads = readies = loads = keeps = syncs = notified = 0;
	read_for = NULL;
	next_load = &settings;
	if (scene_setup(state) == -1)
		return -1;
	scene.options.load = load;
	return 0;
}

static void advance(void)
{
	while (reload_advance(&scene.m))
		;
}

static struct child *find(const struct generation *g, enum child_role role, uint32_t slot)
{
	for (struct list *l = scene.m.children.next; l != &scene.m.children; l = l->next) {
		struct child *c = LIST_ITEM(l, struct child, link);

		if (c->generation == g && c->slot == slot && c->role == role)
			return c;
	}
	return NULL;
}

/* The next worker of the generation being started says that it is ready. */
static void ready(void)
{
	for (struct list *l = scene.m.children.next; l != &scene.m.children; l = l->next) {
		struct child *c = LIST_ITEM(l, struct child, link);

		if (c->state == CHILD_STARTING && c->role == CHILD_WORKER) {
			child_set_state(c, CHILD_READY, 0);
			return;
		}
	}
	fail();
}

static void start_all(void)
{
	uint32_t number = scene.m.next->number;

	for (uint32_t i = 0; i < WORKERS; i++) {
		advance();
		assert_int_equal(scene.m.next->spawned, i + 1);
		ready();
	}
	advance();
	assert_int_equal(scene.m.current->number, number);
}

/* The first generation is the current one. */
static void run_first(void)
{
	reload_begin(&scene.m, &settings);
	start_all();
	assert_null(scene.m.next);
	scene_forget_log();
}

static void test_first(void **state)
{
	(void)state;
	reload_begin(&scene.m, &settings);
	assert_int_equal(scene.m.next->state, GENERATION_STARTING);
	assert_int_equal(scene.m.next->deadline, scene.now + CHILD_START_TIMEOUT_MS);
	/* One worker after the other. */
	advance();
	assert_int_equal(scene.m.next->spawned, 1);
	advance();
	assert_int_equal(scene.m.next->spawned, 1);
	ready();
	advance();
	assert_int_equal(scene.m.next->spawned, 2);
	assert_null(scene.m.current);
	ready();
	advance();
	assert_non_null(scene.m.current);
	assert_null(scene.m.next);
	assert_int_equal(scene.m.current->state, GENERATION_CURRENT);
	assert_int_equal(scene.m.current->number, 1);
	assert_int_equal(starts, 1);
	assert_int_equal(readies, 1);
	assert_int_equal(keeps, 1);
	assert_int_equal(syncs, 1);
	assert_false(reload_advance(&scene.m));
}

static void test_second(void **state)
{
	struct generation *old;

	(void)state;
	run_first();
	old = scene.m.current;
	reload_request(&scene.m);
	assert_int_equal(loads, 1);
	assert_int_equal(notified, 1);
	assert_true(scene_logged("info: reloading\n"));
	start_all();
	assert_int_equal(reloads, 1);
	assert_int_equal(old->state, GENERATION_DRAINING);
	assert_ptr_equal(scene.m.past.next, &old->link);
	assert_ptr_equal(read_for, old);
	assert_int_equal(find(old, CHILD_WORKER, 0)->state, CHILD_DRAINING);
	assert_int_equal(scene_count_sent(find(old, CHILD_WORKER, 1), MESSAGE_DRAIN), 1);
	assert_int_equal(find(scene.m.current, CHILD_WORKER, 0)->state, CHILD_READY);
}

static void check_cannot_start(const char *why)
{
	char line[256];

	snprintf(line, sizeof line, "cannot start: %s", why);
	reload_begin(&scene.m, &settings);
	assert_null(scene.m.next);
	assert_int_equal(scene.m.phase, MASTER_STOPPING);
	assert_int_equal(scene.m.exit_code, 1);
	assert_true(scene_logged(line));
}

static void test_first_fails(void **state)
{
	(void)state;
	rows_fail = true;
	check_cannot_start("no rows");
}

static void test_first_without_memory(void **state)
{
	(void)state;
	no_memory = true;
	check_cannot_start("out of memory");
}

static void test_first_cannot_listen(void **state)
{
	(void)state;
	bind_fails = true;
	check_cannot_start("cannot listen");
}

static void test_first_without_resolver(void **state)
{
	(void)state;
	needs_lookup = true;
	spawn_error = EAGAIN;
	check_cannot_start("cannot start a process: Resource temporarily unavailable");
}

static void check_refused(const char *why)
{
	char line[256];

	snprintf(line, sizeof line, "reload refused: %s; generation 1 goes on", why);
	readies = 0;
	reload_request(&scene.m);
	assert_null(scene.m.next);
	assert_int_equal(scene.m.current->number, 1);
	assert_int_equal(scene.m.current->state, GENERATION_CURRENT);
	assert_int_equal(find(scene.m.current, CHILD_WORKER, 0)->state, CHILD_READY);
	assert_int_equal(readies, 1);
	assert_true(scene_logged(line));
}

static void test_refused(void **state)
{
	(void)state;
	run_first();
	next_load = NULL;
	check_refused("the settings could not be loaded, for the reasons above");
	next_load = &settings;
	bind_fails = true;
	check_refused("cannot listen");
	bind_fails = false;
	no_memory = true;
	check_refused("out of memory");
	no_memory = false;
	settings.access_log = (char *)(uintptr_t) "access.log";
	log_fails = true;
	check_refused("cannot open the access log access.log: Permission denied");
}

static void test_access_log(void **state)
{
	(void)state;
	settings.access_log = (char *)(uintptr_t) "access.log";
	reload_begin(&scene.m, &settings);
	assert_int_equal(scene.m.next->access_log, SCENE_FD);
	start_all();
}

static void test_fork_fails(void **state)
{
	(void)state;
	run_first();
	reload_request(&scene.m);
	spawn_error = ENOMEM;
	assert_true(reload_advance(&scene.m));
	assert_null(scene.m.next);
	assert_true(scene_logged("reload refused: cannot start a process: Cannot allocate memory; "
				 "generation 1 goes on"));
}

static void test_withdraw(void **state)
{
	const struct address a = { .len = 0 };
	struct generation *g;

	(void)state;
	run_first();
	reload_request(&scene.m);
	g = scene.m.next;
	advance();
	ready();
	advance();
	scene_socket(&a, 0, 1, false);
	scene_socket(&a, 1, 2, false);
	reload_withdraw(&scene.m);
	assert_null(scene.m.next);
	assert_int_equal(g->state, GENERATION_FAILED);
	assert_ptr_equal(scene.m.past.next, &g->link);
	/* What its starting children have said is read first. */
	assert_ptr_equal(read_for, g);
	assert_int_equal(find(g, CHILD_WORKER, 0)->state, CHILD_DRAINING);
	assert_int_equal(
		scene_last_sent(find(g, CHILD_WORKER, 0), MESSAGE_DRAIN)->number, DRAIN_STOP);
	assert_int_equal(find(g, CHILD_WORKER, 1)->state, CHILD_KILLED);
	/* Its sockets are closed, those of the current one are not. */
	assert_int_equal(scene.m.escrow.count, 1);
	assert_int_equal(scene.m.escrow.entries[0].generation, 1);
	/* A client that connects meanwhile comes again, instead of being reset. */
	assert_int_equal(scene.gates_shut, 1);
	scene_expect_assert(reload_withdraw(&scene.m));
}

static void test_roll_back(void **state)
{
	(void)state;
	run_first();
	reload_request(&scene.m);
	reload_roll_back(&scene.m, "it is worse");
	assert_true(scene_logged("reload rolled back: it is worse; generation 1 goes on"));
	assert_null(scene.m.next);
}

static void test_canary(void **state)
{
	struct generation *g;

	(void)state;
	run_first();
	settings.reload.canary = 1;
	settings.reload.watch = 1000;
	reload_request(&scene.m);
	g = scene.m.next;
	advance();
	ready();
	assert_false(reload_advance(&scene.m));
	assert_int_equal(g->state, GENERATION_WATCHED);
	assert_int_equal(g->spawned, 1);
	/* Nothing starts while it is watched. */
	advance();
	assert_int_equal(g->spawned, 1);
	reload_roll_back(&scene.m, "x");
	assert_int_equal(scene_count_sent(NULL, MESSAGE_RESUME), 1);
	assert_int_equal(g->state, GENERATION_FAILED);
}

static void test_canary_goes_on(void **state)
{
	(void)state;
	run_first();
	settings.reload.canary = 1;
	reload_request(&scene.m);
	advance();
	ready();
	advance();
	generation_set_state(scene.m.next, GENERATION_STARTING);
	advance();
	assert_int_equal(scene.m.next->spawned, 2);
	ready();
	advance();
	assert_int_equal(scene.m.current->number, 2);
}

static void test_lookup(void **state)
{
	(void)state;
	needs_lookup = true;
	reload_begin(&scene.m, &settings);
	assert_int_equal(scene.m.next->state, GENERATION_LOOKUP);
	assert_int_equal(scene.m.next->deadline, scene.now + CHILD_START_TIMEOUT_MS);
	assert_false(reload_advance(&scene.m));
	reload_resolved(&scene.m, true);
	assert_int_equal(scene.m.next->state, GENERATION_STARTING);
	/* A resolver that was killed says nothing any more. */
	reload_resolved(&scene.m, false);
	assert_int_equal(scene.m.next->state, GENERATION_STARTING);
	start_all();
	reload_resolved(&scene.m, false);
}

static void test_first_lookup_fails(void **state)
{
	(void)state;
	needs_lookup = true;
	reload_begin(&scene.m, &settings);
	/* Better to serve with those that were found than not at all. */
	reload_resolved(&scene.m, false);
	assert_int_equal(scene.m.next->state, GENERATION_STARTING);
	assert_true(scene_logged("not all names could be looked up"));
}

static void test_lookup_fails(void **state)
{
	(void)state;
	run_first();
	needs_lookup = true;
	reload_request(&scene.m);
	reload_resolved(&scene.m, false);
	assert_null(scene.m.next);
	assert_true(scene_logged("reload refused: the process that looks up names has failed"));
}

static void test_first_lookup_overdue(void **state)
{
	struct child *resolver;

	(void)state;
	needs_lookup = true;
	reload_begin(&scene.m, &settings);
	resolver = find(scene.m.next, CHILD_RESOLVER, 0);
	scene.now += CHILD_START_TIMEOUT_MS;
	reload_overdue(&scene.m);
	assert_int_equal(scene.m.next->state, GENERATION_STARTING);
	assert_int_equal(scene.m.next->deadline, scene.now + CHILD_START_TIMEOUT_MS);
	assert_int_equal(resolver->state, CHILD_KILLED);
	assert_true(scene_logged("looking up names takes too long: going on with those that were "
				 "found"));
}

static void test_overdue(void **state)
{
	(void)state;
	run_first();
	needs_lookup = true;
	reload_request(&scene.m);
	reload_overdue(&scene.m);
	assert_true(scene_logged("reload refused: names were still being looked up after 30 s"));
	needs_lookup = false;
	reload_request(&scene.m);
	reload_overdue(&scene.m);
	assert_true(scene_logged("reload refused: not every worker was ready after 30 s"));
	assert_null(scene.m.next);
	scene_expect_assert(reload_overdue(&scene.m));
}

static void test_first_overdue(void **state)
{
	(void)state;
	reload_begin(&scene.m, &settings);
	reload_overdue(&scene.m);
	assert_true(scene_logged("cannot start: not every worker was ready after 30 s"));
	assert_int_equal(scene.m.phase, MASTER_STOPPING);
}

static void test_while_starting(void **state)
{
	(void)state;
	run_first();
	reload_request(&scene.m);
	reload_request(&scene.m);
	/* It is done once more afterwards. */
	assert_int_equal(loads, 1);
	assert_true(scene.m.reload_again);
	assert_false(reload_resume(&scene.m));
	start_all();
	assert_false(scene.m.reload_again);
	assert_int_equal(loads, 2);
	assert_int_equal(scene.m.next->number, 3);
}

static void test_again_after_failure(void **state)
{
	(void)state;
	run_first();
	reload_request(&scene.m);
	reload_request(&scene.m);
	reload_fail(&scene.m, "x");
	assert_int_equal(loads, 2);
	assert_int_equal(scene.m.next->number, 3);
	reload_request(&scene.m);
	reload_roll_back(&scene.m, "x");
	assert_int_equal(loads, 3);
}

static void test_replaces_lookup(void **state)
{
	struct generation *g;

	(void)state;
	run_first();
	needs_lookup = true;
	reload_request(&scene.m);
	g = scene.m.next;
	reload_request(&scene.m);
	assert_int_equal(g->state, GENERATION_FAILED);
	assert_int_equal(scene.m.next->number, 3);
	assert_true(scene_logged("reloading anew: generation 2 was still looking up names"));
}

static void test_replaces_watched(void **state)
{
	(void)state;
	run_first();
	settings.reload.canary = 1;
	reload_request(&scene.m);
	advance();
	ready();
	advance();
	reload_request(&scene.m);
	assert_true(scene_logged("reloading anew: generation 2 was still being watched"));
	assert_int_equal(scene.m.next->number, 3);
}

static void test_replacement_refused(void **state)
{
	(void)state;
	run_first();
	needs_lookup = true;
	reload_request(&scene.m);
	next_load = NULL;
	reload_request(&scene.m);
	assert_int_equal(scene.m.next->number, 2);
	assert_int_equal(scene.m.next->state, GENERATION_LOOKUP);
	assert_true(scene_logged("for the reasons above; the one to generation 2 goes on"));
}

/* Two generations drain: one until then + 3 s, the other until then + 9 s. */
static void fill_past(void)
{
	for (uint32_t i = 0; i < 2; i++) {
		struct generation *g =
			scene_generation(&settings, 100 + i, WORKERS, GENERATION_DRAINING);

		list_append(&scene.m.past, &g->link);
		scene_worker(g, 0, CHILD_DRAINING)->deadline = scene.now + 3000 + 6000 * i;
	}
}

static void test_no_room(void **state)
{
	struct generation *g;

	(void)state;
	run_first();
	assert_true(reload_has_room(&scene.m));
	fill_past();
	assert_false(reload_has_room(&scene.m));
	reload_request(&scene.m);
	assert_int_equal(loads, 0);
	assert_null(scene.m.next);
	assert_true(scene.m.reload_again);
	assert_true(scene_logged("reload waits until an old generation has ended; at most 3 s"));
	scene_forget_log();
	reload_request(&scene.m);
	/* It is said once. */
	assert_false(scene_logged("reload waits"));
	assert_false(reload_resume(&scene.m));
	g = LIST_ITEM(scene.m.past.next, struct generation, link);
	child_remove(find(g, CHILD_WORKER, 0), scene.m.board);
	assert_true(reload_resume(&scene.m));
	assert_int_equal(scene.m.next->number, 2);
	assert_false(reload_has_room(&scene.m));
	assert_false(reload_resume(&scene.m));
}

static void test_no_room_overdue(void **state)
{
	(void)state;
	run_first();
	fill_past();
	scene.now += 60000;
	reload_request(&scene.m);
	assert_true(scene_logged("at most 0 s"));
}

static void test_no_room_for_a_little_longer(void **state)
{
	(void)state;
	run_first();
	fill_past();
	scene.now--;
	reload_request(&scene.m);
	assert_true(scene_logged("at most 4 s"));
}

static void test_no_room_for_replacement(void **state)
{
	(void)state;
	run_first();
	settings.reload.canary = 1;
	reload_request(&scene.m);
	advance();
	ready();
	advance();
	fill_past();
	readies = 0;
	/* What was watched drains as well, so that there is no room for the newer one. */
	reload_request(&scene.m);
	assert_null(scene.m.next);
	assert_true(scene.m.reload_again);
	assert_int_equal(readies, 1);
	assert_int_equal(scene.freed_settings, 1);
}

static void test_stopping(void **state)
{
	(void)state;
	run_first();
	scene.m.reload_again = true;
	master_state_set_phase(&scene.m, MASTER_LAME_DUCK);
	assert_false(reload_resume(&scene.m));
	reload_request(&scene.m);
	assert_int_equal(loads, 0);
	assert_true(scene_logged("reload ignored: tinylb is stopping"));
}

static void test_stopping_meanwhile(void **state)
{
	(void)state;
	run_first();
	reload_request(&scene.m);
	scene.m.reload_again = true;
	master_state_set_phase(&scene.m, MASTER_LAME_DUCK);
	reload_fail(&scene.m, "x");
	assert_int_equal(loads, 1);
}

static void test_upgrade_busy(void **state)
{
	(void)state;
	run_first();
	upgrade_phase_set(&scene.m.upgrade, UPGRADE_TRYING);
	reload_request(&scene.m);
	assert_int_equal(loads, 0);
	assert_true(scene.m.reload_again);
	assert_false(reload_resume(&scene.m));
	upgrade_phase_set(&scene.m.upgrade, UPGRADE_NONE);
	assert_true(reload_resume(&scene.m));
	assert_int_equal(loads, 1);
}

static void test_upgrade_proved(void **state)
{
	(void)state;
	upgrade_phase_set(&scene.m.upgrade, UPGRADE_PROVING);
	run_first();
	assert_int_equal(scene.m.upgrade.phase, UPGRADE_NONE);
}

static void test_upgrade_fails(void **state)
{
	(void)state;
	run_first();
	upgrade_phase_set(&scene.m.upgrade, UPGRADE_PROVING);
	reload_begin(&scene.m, &settings);
	readies = 0;
	reload_fail(&scene.m, "it does not start");
	assert_int_equal(scene.m.upgrade.phase, UPGRADE_FAILED);
	assert_string_equal(scene.m.upgrade.why, "it does not start");
	/* The former program will say so. */
	assert_false(scene_logged("reload refused"));
	assert_int_equal(readies, 0);
}

static void test_upgrade_fails_while_stopping(void **state)
{
	(void)state;
	run_first();
	upgrade_phase_set(&scene.m.upgrade, UPGRADE_PROVING);
	reload_begin(&scene.m, &settings);
	master_state_set_phase(&scene.m, MASTER_LAME_DUCK);
	reload_fail(&scene.m, "x");
	assert_int_equal(scene.m.upgrade.phase, UPGRADE_PROVING);
	assert_true(scene_logged("reload refused: x"));
}

static void test_begin_asserts(void **state)
{
	(void)state;
	scene_expect_assert(reload_begin(&scene.m, NULL));
	reload_begin(&scene.m, &settings);
	scene_expect_assert(reload_begin(&scene.m, &settings));
}

static void test_sockets_of_gone_addresses(void **state)
{
	const struct address a = { .len = 0 };

	(void)state;
	run_first();
	scene_socket(&a, 0, 1, false);
	reload_request(&scene.m);
	start_all();
	/* No settings have it: kept until the old workers have ended, and a little longer. */
	assert_int_equal(scene.m.escrow.count, 1);
	assert_int_equal(scene.m.escrow.entries[0].shut_at, scene.now + DRAIN - 100);
	assert_int_equal(scene.m.escrow.entries[0].close_at, scene.now + DRAIN + 200);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, scene_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_first),
		TEST(test_second),
		TEST(test_first_fails),
		TEST(test_first_without_memory),
		TEST(test_first_cannot_listen),
		TEST(test_first_without_resolver),
		TEST(test_refused),
		TEST(test_access_log),
		TEST(test_fork_fails),
		TEST(test_withdraw),
		TEST(test_roll_back),
		TEST(test_canary),
		TEST(test_canary_goes_on),
		TEST(test_lookup),
		TEST(test_first_lookup_fails),
		TEST(test_lookup_fails),
		TEST(test_first_lookup_overdue),
		TEST(test_overdue),
		TEST(test_first_overdue),
		TEST(test_while_starting),
		TEST(test_again_after_failure),
		TEST(test_replaces_lookup),
		TEST(test_replaces_watched),
		TEST(test_replacement_refused),
		TEST(test_no_room),
		TEST(test_no_room_overdue),
		TEST(test_no_room_for_a_little_longer),
		TEST(test_no_room_for_replacement),
		TEST(test_stopping),
		TEST(test_stopping_meanwhile),
		TEST(test_upgrade_busy),
		TEST(test_upgrade_proved),
		TEST(test_upgrade_fails),
		TEST(test_upgrade_fails_while_stopping),
		TEST(test_begin_asserts),
		TEST(test_sockets_of_gone_addresses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
