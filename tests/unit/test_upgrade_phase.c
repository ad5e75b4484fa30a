/* The phases of an upgrade in place. */
#include "config.h"

#include "master_scene.h"

#include "master/upgrade/upgrade_phase.h"

#define PHASES 5

/* Row: from; column: to; in the order of enum upgrade_phase. */
static const char allowed[PHASES][PHASES + 1] = {
	".x.x.", /* NONE */
	"x.x..", /* TRYING */
	"x....", /* TRIED */
	"x...x", /* PROVING */
	"x....", /* FAILED */
};

static void check_change(enum upgrade_phase from, enum upgrade_phase to)
{
	struct upgrade u = { .former = -1, .phase = from };

	if (allowed[from][to] == 'x')
		upgrade_phase_set(&u, to);
	else
		scene_expect_assert(upgrade_phase_set(&u, to));
	assert_int_equal(u.phase, allowed[from][to] == 'x' ? to : from);
}

static void test_phases(void **state)
{
	(void)state;
	for (int from = 0; from < PHASES; from++)
		for (int to = 0; to < PHASES + 1; to++)
			check_change((enum upgrade_phase)from, (enum upgrade_phase)to);
	assert_true(scene_logged("upgrade: proving -> failed"));
}

static void test_quiet_log(void **state)
{
	struct upgrade u = { .former = -1 };
	char path[64];

	(void)state;
	snprintf(path, sizeof path, "/proc/self/fd/%d", scene.log);
	assert_int_equal(log_open(path, LOG_LEVEL_INFO), 0);
	upgrade_phase_set(&u, UPGRADE_TRYING);
	assert_false(scene_logged("->"));
}

static void test_busy(void **state)
{
	static const bool expected[PHASES] = { false, true, true, false, true };
	struct upgrade u = { .former = -1 };

	(void)state;
	for (int i = 0; i < PHASES; i++) {
		u.phase = (enum upgrade_phase)i;
		assert_int_equal(upgrade_phase_is_busy(&u), expected[i]);
	}
}

static void test_prove(void **state)
{
	struct upgrade u = { .former = SCENE_FD, .version = "0.1" };

	(void)state;
	upgrade_phase_prove(&u);
	assert_int_equal(u.former, SCENE_FD);
	u.phase = UPGRADE_PROVING;
	upgrade_phase_prove(&u);
	assert_int_equal(u.phase, UPGRADE_NONE);
	assert_int_equal(u.former, -1);
	assert_true(scene_logged("upgraded from tinylb 0.1 to tinylb " PACKAGE_VERSION));
}

static void test_fail(void **state)
{
	struct upgrade u = { .former = SCENE_FD };

	(void)state;
	assert_false(upgrade_phase_fail(&u, "x"));
	assert_int_equal(u.phase, UPGRADE_NONE);
	u.phase = UPGRADE_PROVING;
	assert_true(upgrade_phase_fail(&u, "it does not start"));
	assert_int_equal(u.phase, UPGRADE_FAILED);
	assert_string_equal(u.why, "it does not start");
	/* The way back stays. */
	assert_int_equal(u.former, SCENE_FD);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, scene_setup, scene_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_phases),
		TEST(test_quiet_log),
		TEST(test_busy),
		TEST(test_prove),
		TEST(test_fail),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
