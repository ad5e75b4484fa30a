/* The steps of an upgrade in place, on the side of the program that runs. */
#include "config.h"

#include "master_scene.h"

#include "master/upgrade/export.h"
#include "master/upgrade/upgrade.h"

void __wrap_monitor_child_end(struct master *m);
int __wrap_export_state(struct master *m, struct handover *h);
int __wrap_export_file(const struct handover *h);
int __wrap_program_keep(const struct handover *h, bool keep);
void __wrap_program_become(const char *path, int fd, char *const *words);
char *__wrap_program_find(void);
int __wrap_trial_start(struct master *m);
bool __wrap_trial_end(struct master *m, int status);
void __wrap_announce_ready(const struct master *m);
void __wrap_notify_reloading(void);
bool __wrap_reload_has_room(const struct master *m);
void __wrap_handover_env_set(int state, int former, const char *refused);

static struct settings settings = { .workers = SCENE_WORKERS };
static char word[] = "tinylb";
static char *words[] = { word, NULL };

static struct calls {
	bool trial_fails, passed, export_fails, file_fails, keep_fails, release_fails;
	unsigned trials, became, readies;
	int program, former;
	char refused[64];
} calls;

void __wrap_monitor_child_end(struct master *m)
{
	(void)m;
}

int __wrap_export_state(struct master *m, struct handover *h)
{
	(void)m;
	memset(h, 0, sizeof *h);
	errno = ENOMEM;
	return calls.export_fails ? -1 : 0;
}

int __wrap_export_file(const struct handover *h)
{
	(void)h;
	errno = EMFILE;
	return calls.file_fails ? -1 : SCENE_FD;
}

int __wrap_program_keep(const struct handover *h, bool keep)
{
	(void)h;
	errno = EINVAL;
	return (keep ? calls.keep_fails : calls.release_fails) ? -1 : 0;
}

/* The real one returns only where it fails. */
void __wrap_program_become(const char *path, int fd, char *const *w)
{
	assert_string_equal(path, "/bin/tinylb");
	assert_ptr_equal(w, words);
	calls.became++;
	calls.program = fd;
	errno = ENOENT;
}

char *__wrap_program_find(void)
{
	return strdup("/bin/tinylb");
}

int __wrap_trial_start(struct master *m)
{
	(void)m;
	calls.trials++;
	errno = EAGAIN;
	return calls.trial_fails ? -1 : 0;
}

bool __wrap_trial_end(struct master *m, int status)
{
	(void)m;
	(void)status;
	return calls.passed;
}

void __wrap_announce_ready(const struct master *m)
{
	(void)m;
	calls.readies++;
}

void __wrap_notify_reloading(void)
{
}

bool __wrap_reload_has_room(const struct master *m)
{
	return m->next == NULL;
}

void __wrap_handover_env_set(int state, int former, const char *refused)
{
	assert_int_equal(state, SCENE_FD);
	calls.former = former;
	snprintf(calls.refused, sizeof calls.refused, "%s", refused != NULL ? refused : "-");
}

static int setup(void **state)
{
	if (scene_setup(state) == -1)
		return -1;
	memset(&calls, 0, sizeof calls);
	scene.options.arguments = words;
	upgrade_init(&scene.m);
	scene.m.current = scene_generation(&settings, 1, SCENE_WORKERS, GENERATION_CURRENT);
	return 0;
}

static int teardown(void **state)
{
	upgrade_fini(&scene.m);
	return scene_teardown(state);
}

static enum upgrade_phase phase(void)
{
	return scene.m.upgrade.phase;
}

/* The trial of the new program has begun. */
static void begin(void)
{
	upgrade_request(&scene.m);
	assert_false(upgrade_advance(&scene.m));
	assert_int_equal(phase(), UPGRADE_TRYING);
	assert_false(scene.m.upgrade.wanted);
}

static void test_begins(void **state)
{
	(void)state;
	assert_false(upgrade_advance(&scene.m));
	begin();
	assert_int_equal(calls.trials, 1);
	assert_true(scene_logged("upgrading: trying the program at /bin/tinylb"));
	assert_false(scene_logged("the upgrade waits"));
	/* Nothing happens until the trial is over. */
	assert_false(upgrade_advance(&scene.m));
}

static void test_without_program(void **state)
{
	(void)state;
	scene.options.arguments = NULL;
	upgrade_request(&scene.m);
	assert_false(scene.m.upgrade.wanted);
	assert_true(scene_logged("this program cannot be upgraded in place"));
	scene_forget_log();
	scene.options.arguments = words;
	upgrade_fini(&scene.m);
	scene.m.upgrade.program = NULL;
	upgrade_request(&scene.m);
	assert_true(scene_logged("this program cannot be upgraded in place"));
	scene.options.arguments = NULL;
	upgrade_init(&scene.m);
	assert_null(scene.m.upgrade.program);
}

static void test_stopping(void **state)
{
	(void)state;
	master_state_set_phase(&scene.m, MASTER_STOPPING);
	upgrade_request(&scene.m);
	assert_false(scene.m.upgrade.wanted);
	assert_true(scene_logged("upgrade refused: the program is stopping"));
	scene.m.upgrade.wanted = true;
	assert_false(upgrade_advance(&scene.m));
	assert_int_equal(calls.trials, 0);
}

static void test_waits(void **state)
{
	struct generation *current = scene.m.current;

	(void)state;
	scene.m.next = scene_generation(&settings, 2, SCENE_WORKERS, GENERATION_STARTING);
	upgrade_request(&scene.m);
	assert_true(scene_logged("the upgrade waits until what is under way has ended"));
	scene_forget_log();
	upgrade_request(&scene.m);
	/* It is said once. */
	assert_false(scene_logged("waits"));
	assert_false(upgrade_advance(&scene.m));
	scene_free_generations(scene.m.next);
	scene.m.next = NULL;
	scene.m.current = NULL;
	assert_false(upgrade_advance(&scene.m));
	scene.m.current = current;
	assert_false(upgrade_advance(&scene.m));
	assert_int_equal(phase(), UPGRADE_TRYING);
	/* another one during the first */
	upgrade_request(&scene.m);
	assert_true(scene_logged("the upgrade waits"));
}

static void test_trial_cannot_start(void **state)
{
	(void)state;
	calls.trial_fails = true;
	upgrade_request(&scene.m);
	/* A reload may have waited for it. */
	assert_true(upgrade_advance(&scene.m));
	assert_int_equal(phase(), UPGRADE_NONE);
	assert_true(scene_logged("upgrade refused: the trial cannot be started: Resource "
				 "temporarily unavailable; tinylb " PACKAGE_VERSION " goes on"));
}

static void test_trial_fails(void **state)
{
	(void)state;
	begin();
	upgrade_tried(&scene.m, 4 << 8);
	assert_int_equal(phase(), UPGRADE_NONE);
	assert_true(scene_logged("the new program has not passed its trial (exit code 4)"));
	begin();
	upgrade_tried(&scene.m, SIGKILL);
	assert_true(scene_logged("the trial of the new program was killed by SIGKILL"));
}

static void test_trial_ends_too_late(void **state)
{
	(void)state;
	begin();
	calls.passed = true;
	master_state_set_phase(&scene.m, MASTER_STOPPING);
	upgrade_tried(&scene.m, 0);
	assert_int_equal(phase(), UPGRADE_NONE);
	assert_false(scene_logged("upgrade refused"));
}

static void pass_trial(void)
{
	begin();
	calls.passed = true;
	upgrade_tried(&scene.m, 0);
	assert_int_equal(phase(), UPGRADE_TRIED);
}

static void test_hands_over(void **state)
{
	struct child *c;

	(void)state;
	pass_trial();
	c = scene_worker(scene.m.current, 0, CHILD_STARTING);
	/* A starting worker sends its sockets to the program that started it. */
	assert_false(upgrade_advance(&scene.m));
	assert_int_equal(calls.became, 0);
	child_set_state(c, CHILD_READY, 0);
	assert_true(upgrade_advance(&scene.m));
	assert_int_equal(calls.became, 1);
	assert_int_equal(calls.program, -1);
	assert_int_not_equal(calls.former, -1);
	assert_string_equal(calls.refused, "-");
	/* Here it came back: the program could not be run. */
	assert_int_equal(phase(), UPGRADE_NONE);
	assert_int_equal(scene.m.upgrade.former, -1);
	assert_int_equal(calls.readies, 1);
	assert_true(scene_logged("upgrade refused: the new program cannot be started: No such file "
				 "or directory"));
	assert_false(scene_logged("a descriptor stays open"));
}

static void check_no_hand_over(const char *why)
{
	pass_trial();
	assert_true(upgrade_advance(&scene.m));
	assert_int_equal(calls.became, 0);
	assert_int_equal(phase(), UPGRADE_NONE);
	assert_true(scene_logged(why));
}

static void test_cannot_export(void **state)
{
	(void)state;
	calls.export_fails = true;
	check_no_hand_over("cannot be started: Cannot allocate memory");
	calls.export_fails = false;
	calls.file_fails = true;
	check_no_hand_over("cannot be started: Too many open files");
	calls.file_fails = false;
	calls.keep_fails = calls.release_fails = true;
	check_no_hand_over("cannot be started: Invalid argument");
	assert_true(scene_logged("a descriptor stays open in other programs"));
}

static void test_goes_back(void **state)
{
	struct child *c = scene_worker(scene.m.current, 0, CHILD_STARTING);

	(void)state;
	upgrade_phase_set(&scene.m.upgrade, UPGRADE_PROVING);
	assert_false(upgrade_advance(&scene.m));
	scene.m.upgrade.former = SCENE_FD + 1;
	snprintf(scene.m.upgrade.version, sizeof scene.m.upgrade.version, "0.1");
	assert_true(upgrade_phase_fail(&scene.m.upgrade, "it does not start"));
	assert_false(upgrade_advance(&scene.m));
	assert_int_equal(calls.became, 0);
	child_set_state(c, CHILD_KILLED, 0);
	assert_true(upgrade_advance(&scene.m));
	assert_int_equal(calls.program, SCENE_FD + 1);
	assert_int_equal(calls.former, -1);
	assert_string_equal(calls.refused, "it does not start");
	assert_true(scene_logged("upgrade failed: it does not start; going back to tinylb 0.1"));
	/* Here it came back, and goes on. */
	assert_true(scene_logged("cannot go back to the former program"));
	assert_int_equal(phase(), UPGRADE_NONE);
	assert_int_equal(scene.m.upgrade.former, -1);
	assert_int_equal(calls.readies, 1);
}

static void test_asserts(void **state)
{
	(void)state;
	pass_trial();
	scene.m.next = scene_generation(&settings, 2, SCENE_WORKERS, GENERATION_STARTING);
	scene_expect_assert(upgrade_advance(&scene.m));
	fd_close(&scene.m.upgrade.former);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_begins),
		TEST(test_without_program),
		TEST(test_stopping),
		TEST(test_waits),
		TEST(test_trial_cannot_start),
		TEST(test_trial_fails),
		TEST(test_trial_ends_too_late),
		TEST(test_hands_over),
		TEST(test_cannot_export),
		TEST(test_goes_back),
		TEST(test_asserts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
