/* Generations: how they are made, and which states follow which. */
#include "config.h"

#include "master_scene.h"

#include "base/memory.h"
#include "master/children/inbox.h"

#define STATES 7

void *__real_mem_zalloc(size_t count, size_t size);
void *__wrap_mem_zalloc(size_t count, size_t size);
int __wrap_sched_getaffinity(pid_t pid, size_t size, void *set);
long __wrap_sysconf(int name);

static int allocations = -1; /* that succeed; -1: all */
static int processors = 2;   /* of the affinity; -1: there are too many for a set */
static long online = 3;

void *__wrap_mem_zalloc(size_t count, size_t size)
{
	if (allocations == 0)
		return NULL;
	if (allocations > 0)
		allocations--;
	return __real_mem_zalloc(count, size);
}

int __wrap_sched_getaffinity(pid_t pid, size_t size, void *set)
{
	assert_int_equal(pid, 0);
	memset(set, 0, size);
	if (processors == -1)
		return -1;
	for (int i = 0; i < processors; i++)
		((unsigned char *)set)[i / 8] |= (unsigned char)(1 << i % 8);
	return 0;
}

long __wrap_sysconf(int name)
{
	(void)name;
	return online;
}

/* Row: from; column: to; in the order of enum generation_state. */
static const char allowed[STATES][STATES + 1] = {
	".xx.xxx", /* NEW */
	"..x...x", /* LOOKUP */
	"...xx.x", /* STARTING */
	"..x...x", /* WATCHED */
	".....x.", /* CURRENT */
	".......", /* DRAINING */
	".......", /* FAILED */
};

static void check_change(enum generation_state from, enum generation_state to)
{
	struct generation g = { .number = 3, .state = from };

	if (allowed[from][to] == 'x')
		generation_set_state(&g, to);
	else
		scene_expect_assert(generation_set_state(&g, to));
	assert_int_equal(g.state, allowed[from][to] == 'x' ? to : from);
}

static void test_states(void **state)
{
	(void)state;
	for (int from = 0; from < STATES; from++)
		for (int to = 0; to < STATES; to++)
			check_change((enum generation_state)from, (enum generation_state)to);
	assert_true(scene_logged("generation 3: watched -> starting"));
}

static void test_quiet_log(void **state)
{
	struct generation g = { .number = 3 };
	char path[64];

	(void)state;
	snprintf(path, sizeof path, "/proc/self/fd/%d", scene.log);
	assert_int_equal(log_open(path, LOG_LEVEL_INFO), 0);
	generation_set_state(&g, GENERATION_STARTING);
	assert_false(scene_logged("->"));
}

static void test_make(void **state)
{
	struct settings settings = { .workers = 0 };
	struct generation *g = generation_make(&settings, 7, 2);

	(void)state;
	assert_non_null(g);
	assert_int_equal(g->state, GENERATION_NEW);
	assert_int_equal(g->number, 7);
	assert_int_equal(g->started, scene.now);
	assert_int_equal(g->access_log, -1);
	assert_int_equal(g->dump, -1);
	assert_null(g->inboxes);
	generation_free(g);
	assert_int_equal(scene.freed_settings, 1);
	generation_free(NULL);
	scene_expect_assert(g = generation_make(NULL, 1, 1));
	scene_expect_assert(g = generation_make(&settings, 1, 0));
}

static void test_no_memory(void **state)
{
	struct settings settings = { .workers = 1 };

	(void)state;
	for (int i = 0; i < 2; i++) {
		allocations = i;
		assert_null(generation_new(&settings, 1));
		/* They are the generation's in any case. */
		assert_int_equal(scene.freed_settings, i + 1);
	}
	allocations = -1;
}

static void test_new(void **state)
{
	struct settings settings = { .workers = 3 };
	struct generation *g = generation_new(&settings, 1);

	(void)state;
	assert_int_equal(g->workers, 3);
	assert_non_null(g->inboxes);
	generation_free(g);
	settings.workers = 1;
	g = generation_new(&settings, 1);
	assert_int_equal(g->workers, 1);
	generation_free(g);
	settings.workers = 0;
	g = generation_new(&settings, 1);
	assert_int_equal(g->workers, 2);
	generation_free(g);
}

static void check_online(long n, uint32_t workers)
{
	struct settings settings = { .workers = 0 };
	struct generation *g;

	processors = -1;
	online = n;
	g = generation_new(&settings, 1);
	assert_int_equal(g->workers, workers);
	generation_free(g);
	processors = 2;
	online = 3;
}

static void test_many_processors(void **state)
{
	(void)state;
	check_online(3, 3);
	check_online(1, 1);
	check_online(0, 1);
	check_online(-1, 1);
}

static void test_closes(void **state)
{
	struct settings settings = { .workers = 2 };
	struct generation *g = generation_make(&settings, 1, 2);

	(void)state;
	g->access_log = SCENE_FD;
	g->dump = SCENE_FD + 1;
	g->inboxes = calloc(2, sizeof *g->inboxes);
	for (int i = 0; i < 2; i++)
		g->inboxes[i] = (struct worker_inbox){ SCENE_FD + 2 + i, SCENE_FD + 4 + i };
	generation_free(g);
	assert_int_equal(scene.closed_fds, 6);
}

static void test_rows_go_first(void **state)
{
	struct settings settings = { .workers = 1 };
	struct generation *g = generation_make(&settings, 1, 1);

	(void)state;
	g->rows = (struct rows *)&settings;
	scene_expect_assert(generation_free(g));
	g->rows = NULL;
	generation_free(g);
}

static void test_most_workers(void **state)
{
	(void)state;
	processors = 2;
	assert_int_equal(generation_most_workers(), SETTINGS_WORKERS_MAX);
	processors = 300;
	assert_int_equal(generation_most_workers(), 300);
	processors = -1;
	online = 5000;
	assert_int_equal(generation_most_workers(), 5000);
	online = -1;
	assert_int_equal(generation_most_workers(), SETTINGS_WORKERS_MAX);
	processors = 2;
	online = 3;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, scene_setup, scene_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_states),
		TEST(test_quiet_log),
		TEST(test_make),
		TEST(test_no_memory),
		TEST(test_new),
		TEST(test_many_processors),
		TEST(test_closes),
		TEST(test_rows_go_first),
		TEST(test_most_workers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
