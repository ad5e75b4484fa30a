/* The master's phase, and how it begins. */
#include "config.h"

#include "master_scene.h"

#define PHASES 4

struct board *__real_board_new(uint32_t places);
struct board *__wrap_board_new(uint32_t places);

static bool no_memory;
static uint32_t asked;

struct board *__wrap_board_new(uint32_t places)
{
	asked = places;
	return no_memory ? NULL : __real_board_new(places);
}

static void test_init(void **state)
{
	struct master m;

	(void)state;
	memset(&m, 255, sizeof m);
	master_state_init(&m, &scene.options);
	assert_ptr_equal(m.options, &scene.options);
	assert_int_equal(m.phase, MASTER_RUNNING);
	assert_int_equal(m.signals, -1);
	assert_int_equal(m.daemon.status, -1);
	assert_int_equal(m.pidfile.fd, -1);
	assert_int_equal(m.upgrade.words, -1);
	assert_int_equal(m.upgrade.former, -1);
	assert_true(list_is_empty(&m.children));
	assert_true(list_is_empty(&m.stand_ins));
	assert_true(list_is_empty(&m.past));
	assert_null(m.current);
}

static void check_change(enum master_phase from, enum master_phase to)
{
	struct master m;

	master_state_init(&m, &scene.options);
	m.phase = from;
	if (to > from && to < PHASES)
		master_state_set_phase(&m, to);
	else
		scene_expect_assert(master_state_set_phase(&m, to));
	assert_int_equal(m.phase, to > from && to < PHASES ? to : from);
}

static void test_phases(void **state)
{
	(void)state;
	for (int from = 0; from < PHASES; from++)
		for (int to = 0; to < PHASES + 1; to++)
			check_change((enum master_phase)from, (enum master_phase)to);
	assert_true(scene_logged("master: lame duck -> stopping"));
}

static void test_quiet_log(void **state)
{
	char path[64];

	(void)state;
	snprintf(path, sizeof path, "/proc/self/fd/%d", scene.log);
	assert_int_equal(log_open(path, LOG_LEVEL_INFO), 0);
	master_state_set_phase(&scene.m, MASTER_ENDING);
	assert_false(scene_logged("->"));
}

static void test_board(void **state)
{
	struct master m;
	volatile int made = -1;

	(void)state;
	master_state_init(&m, &scene.options);
	no_memory = true;
	assert_int_equal(master_state_make_board(&m), -1);
	no_memory = false;
	assert_int_equal(asked, GENERATION_MAX * generation_most_workers());
	assert_int_equal(master_state_make_board(&m), 0);
	scene_expect_assert(made = master_state_make_board(&m));
	assert_int_equal(made, -1);
	board_free(m.board);
}

static void test_next_settings(void **state)
{
	struct settings settings = { .workers = 1 };

	(void)state;
	assert_null(master_state_next_settings(&scene.m));
	scene.m.next = scene_generation(&settings, 1, 1, GENERATION_NEW);
	assert_ptr_equal(master_state_next_settings(&scene.m), &settings);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, scene_setup, scene_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_init),
		TEST(test_phases),
		TEST(test_quiet_log),
		TEST(test_board),
		TEST(test_next_settings),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
