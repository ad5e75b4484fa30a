/* Which rows of the board a generation's backends and pools get. */
#include "config.h"

#include "master_scene.h"

#include "master/generations/register_rows.h"

#define BACKENDS 3

struct rows *__real_rows_new(struct board *board, uint32_t rows, uint32_t pools, uint32_t columns);
struct rows *__wrap_rows_new(struct board *board, uint32_t rows, uint32_t pools, uint32_t columns);
uint32_t __real_rows_take(struct rows *rows, uint64_t key, bool *is_new);
uint32_t __wrap_rows_take(struct rows *rows, uint64_t key, bool *is_new);
uint32_t __real_rows_take_pool(struct rows *rows, uint64_t key);
uint32_t __wrap_rows_take_pool(struct rows *rows, uint64_t key);

void __real_rows_settle(struct rows *rows);
void __wrap_rows_settle(struct rows *rows);
void __real_rows_carry_over(struct rows *rows, const struct rows *former);
void __wrap_rows_carry_over(struct rows *rows, const struct rows *former);
void __real_rows_drop(struct rows *rows, uint32_t row);
void __wrap_rows_drop(struct rows *rows, uint32_t row);
void __real_rows_drop_pool(struct rows *rows, uint32_t pool);
void __wrap_rows_drop_pool(struct rows *rows, uint32_t pool);
void __real_rows_free(struct rows *rows);
void __wrap_rows_free(struct rows *rows);

static bool no_memory;
static unsigned made, settled, carried, dropped, dropped_pools, freed;
static uint32_t made_rows, made_pools, made_columns;
static int rows_left = -1, pools_left = -1; /* -1: as many as there are */

struct rows *__wrap_rows_new(struct board *board, uint32_t rows, uint32_t pools, uint32_t columns)
{
	made++;
	made_rows = rows;
	made_pools = pools;
	made_columns = columns;
	errno = ENOMEM;
	return no_memory ? NULL : __real_rows_new(board, rows, pools, columns);
}

void __wrap_rows_settle(struct rows *rows)
{
	settled++;
	__real_rows_settle(rows);
}

void __wrap_rows_carry_over(struct rows *rows, const struct rows *former)
{
	carried++;
	__real_rows_carry_over(rows, former);
}

void __wrap_rows_drop(struct rows *rows, uint32_t row)
{
	dropped++;
	__real_rows_drop(rows, row);
}

void __wrap_rows_drop_pool(struct rows *rows, uint32_t pool)
{
	dropped_pools++;
	__real_rows_drop_pool(rows, pool);
}

void __wrap_rows_free(struct rows *rows)
{
	freed += rows != NULL;
	__real_rows_free(rows);
}

uint32_t __wrap_rows_take(struct rows *rows, uint64_t key, bool *is_new)
{
	if (rows_left == 0)
		return ROWS_NONE;
	rows_left -= rows_left > 0;
	return __real_rows_take(rows, key, is_new);
}

uint32_t __wrap_rows_take_pool(struct rows *rows, uint64_t key)
{
	if (pools_left == 0)
		return ROWS_NONE;
	pools_left -= pools_left > 0;
	return __real_rows_take_pool(rows, key);
}

static char urls[BACKENDS][32];
static char names[][8] = { "app", "other" };

struct config {
	struct settings settings;
	struct pool_settings pools[2];
	struct backend_settings backends[2][BACKENDS];
};

static struct config a, b, c;

/* Two pools with the same backends. */
static void fill(struct config *config)
{
	*config = (struct config){
		.settings = { .workers = SCENE_WORKERS, .pools = config->pools, .pool_count = 2 }
	};
	for (size_t i = 0; i < 2; i++) {
		config->pools[i] = (struct pool_settings){ .name = names[i],
			.row = SETTINGS_NO_ROW,
			.backends = config->backends[i],
			.backend_count = BACKENDS };
		for (size_t j = 0; j < BACKENDS; j++)
			config->backends[i][j] = (struct backend_settings){ .url_text = urls[j],
				.row = SETTINGS_NO_ROW };
	}
}

static int setup(void **state)
{
	no_memory = false;
	made = settled = carried = dropped = dropped_pools = freed = 0;
	rows_left = pools_left = -1;
	for (size_t j = 0; j < BACKENDS; j++)
		snprintf(urls[j], sizeof urls[j], "http://backend%zu", j);
	fill(&a);
	fill(&b);
	fill(&c);
	return scene_setup(state);
}

static struct generation *add(struct config *config, uint32_t number, uint32_t workers)
{
	struct generation *g = scene_generation(&config->settings, number, workers, GENERATION_NEW);

	list_append(&scene.m.past, &g->link);
	return g;
}

static int ask(struct generation *g, char why[128])
{
	return register_rows(&scene.m, g, why, 128);
}

static void expect_rows(struct generation *g)
{
	char why[128];

	assert_int_equal(ask(g, why), 0);
	assert_non_null(g->rows);
}

/* The generation serves: as the master has it after a commit. */
static void make_current(struct generation *g)
{
	if (scene.m.current != NULL)
		list_append(&scene.m.past, &scene.m.current->link);
	list_remove(&g->link);
	scene.m.current = g;
}

static void test_first(void **state)
{
	struct generation *g = add(&a, 1, SCENE_WORKERS);

	(void)state;
	expect_rows(g);
	assert_int_equal(made, 1);
	/* Twice what there is, and at least as much as one often has. */
	assert_int_equal(made_rows, 64);
	assert_int_equal(made_pools, 16);
	assert_int_equal(made_columns,
		(GENERATION_MAX * SCENE_WORKERS + ROWS_BANK - 1) / ROWS_BANK * ROWS_BANK);
	assert_int_equal(settled, 1);
	assert_int_equal(carried, 0);
	for (size_t i = 0; i < 2; i++) {
		assert_int_not_equal(a.pools[i].row, ROWS_NONE);
		for (size_t j = 0; j < BACKENDS; j++) {
			assert_int_not_equal(a.backends[i][j].row, ROWS_NONE);
			for (size_t k = 0; k < j; k++)
				assert_int_not_equal(a.backends[i][j].row, a.backends[i][k].row);
		}
	}
	/* A backend is another one in another pool. */
	assert_int_not_equal(a.backends[0][0].row, a.backends[1][0].row);
	assert_true(rows_columns(scene.m.rows) >= GENERATION_MAX * SCENE_WORKERS);
	scene_expect_assert(expect_rows(g));
}

static void test_same_backends(void **state)
{
	struct generation *first = add(&a, 1, SCENE_WORKERS);
	struct generation *second = add(&b, 2, SCENE_WORKERS);

	(void)state;
	expect_rows(first);
	make_current(first);
	expect_rows(second);
	assert_int_equal(made, 1);
	/* What the first one has stays in use. */
	assert_int_equal(settled, 1);
	assert_int_equal(carried, 0);
	for (size_t i = 0; i < 2; i++) {
		assert_int_equal(a.pools[i].row, b.pools[i].row);
		for (size_t j = 0; j < BACKENDS; j++)
			assert_int_equal(a.backends[i][j].row, b.backends[i][j].row);
	}
	/* They stay when the first one has ended. */
	register_rows_drop(first);
	assert_null(first->rows);
	assert_int_equal(dropped, 2 * BACKENDS);
	assert_int_equal(dropped_pools, 2);
	assert_int_equal(freed, 1);
	assert_int_equal(a.pools[0].row, ROWS_NONE);
	assert_int_equal(a.backends[0][0].row, ROWS_NONE);
	register_rows_drop(first);
	assert_int_equal(dropped, 2 * BACKENDS);
	scene.m.current = NULL;
	list_append(&scene.m.past, &first->link);
}

static void test_slow_start(void **state)
{
	struct generation *first = add(&a, 1, SCENE_WORKERS), *second;
	struct rows_health health;

	(void)state;
	a.pools[0].slow_start = 1000;
	expect_rows(first);
	/* The backends of the first generation get all at once. */
	health = rows_health(first->rows, a.backends[0][0].row);
	assert_int_not_equal(health.share, ROWS_LEAST_SHARE);
	make_current(first);
	snprintf(urls[2], sizeof urls[2], "http://newer");
	b.pools[0].slow_start = 1;
	second = add(&b, 2, SCENE_WORKERS);
	expect_rows(second);
	health = rows_health(second->rows, b.backends[0][2].row);
	assert_int_equal(health.state, ROWS_READY);
	assert_int_equal(health.share, ROWS_LEAST_SHARE);
	assert_int_equal(dropped, 0);
	/* neither those that it had before nor those of a pool without a slow start */
	health = rows_health(second->rows, b.backends[0][0].row);
	assert_int_not_equal(health.share, ROWS_LEAST_SHARE);
	health = rows_health(second->rows, b.backends[1][2].row);
	assert_int_not_equal(health.share, ROWS_LEAST_SHARE);
	/* It is dropped under the name that it had. */
	register_rows_drop(second);
	snprintf(urls[2], sizeof urls[2], "http://backend2");
}

static void test_no_memory(void **state)
{
	struct generation *g = add(&a, 1, SCENE_WORKERS);
	char why[128];

	(void)state;
	no_memory = true;
	assert_int_equal(ask(g, why), -1);
	assert_string_equal(
		why, "cannot make room for its backends on the board: Cannot allocate memory");
	assert_null(g->rows);
}

static void test_no_room_at_all(void **state)
{
	struct generation *g = add(&a, 1, SCENE_WORKERS);
	char why[128];

	(void)state;
	rows_left = 1;
	assert_int_equal(ask(g, why), -1);
	assert_string_equal(why, "there is no room for its backends on the board");
	assert_int_equal(a.backends[0][0].row, ROWS_NONE);
	assert_int_equal(a.pools[0].row, ROWS_NONE);
	assert_null(g->rows);
	assert_int_equal(dropped, 1);
	assert_int_equal(dropped_pools, 1);
	/* The next one tries those rows first, gives back what it got of them, and makes more. */
	rows_left = -1;
	pools_left = 1;
	assert_int_equal(ask(g, why), -1);
	assert_int_equal(a.pools[0].row, ROWS_NONE);
	assert_int_equal(dropped_pools, 2);
	assert_int_equal(made, 2);
}

static void test_more_room(void **state)
{
	struct generation *first = add(&a, 1, SCENE_WORKERS);
	struct generation *second = add(&b, 2, SCENE_WORKERS);
	uint32_t size, id;

	(void)state;
	expect_rows(first);
	make_current(first);
	size = rows_size(scene.m.rows);
	id = rows_id(scene.m.rows);
	/* More workers than there are columns for. */
	second->workers = rows_columns(scene.m.rows) / 3;
	expect_rows(second);
	register_rows_drop(second);
	assert_int_equal(made, 1);
	freed = 0;
	second->workers = rows_columns(scene.m.rows) / 3 + 1;
	expect_rows(second);
	second->workers = SCENE_WORKERS;
	assert_int_equal(made, 2);
	/* Twice these, and what is in use. */
	assert_int_equal(made_rows, (2 * (2 * BACKENDS + size / 2) + 63) / 64 * 64);
	assert_int_equal(settled, 2);
	assert_int_equal(freed, 1);
	assert_true(rows_id(scene.m.rows) > id);
	assert_true(rows_size(scene.m.rows) >= size);
	assert_ptr_not_equal(first->rows, second->rows);
}

static void test_behind(void **state)
{
	struct generation *first = add(&a, 1, SCENE_WORKERS);
	struct generation *second = add(&b, 2, SCENE_WORKERS);
	struct generation *third = add(&c, 3, SCENE_WORKERS);
	struct rows *newer;

	(void)state;
	expect_rows(first);
	make_current(first);
	second->workers = rows_columns(scene.m.rows) / 3 + 1;
	expect_rows(second);
	second->workers = SCENE_WORKERS;
	newer = scene.m.rows;
	/* The second one is given up; the third one takes the newer rows. */
	register_rows_drop(second);
	assert_int_equal(carried, 0);
	settled = 0;
	expect_rows(third);
	/* What the current one has goes over to them first. */
	assert_int_equal(carried, 1);
	assert_int_equal(settled, 1);
	assert_int_equal(made, 2);
	assert_ptr_equal(scene.m.rows, newer);
	assert_int_not_equal(rows_id(first->rows), rows_id(third->rows));
}

static void test_first_again(void **state)
{
	struct generation *first = add(&a, 1, SCENE_WORKERS);
	struct generation *second = add(&b, 2, SCENE_WORKERS);

	(void)state;
	/* The first one never served: the board has rows, and no generation is current. */
	expect_rows(first);
	expect_rows(second);
	assert_int_equal(made, 1);
	/* One that was handed over may have none. */
	make_current(first);
	register_rows_drop(first);
	register_rows_drop(second);
	expect_rows(second);
	assert_int_equal(made, 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, scene_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_first),
		TEST(test_same_backends),
		TEST(test_slow_start),
		TEST(test_no_memory),
		TEST(test_no_room_at_all),
		TEST(test_more_room),
		TEST(test_behind),
		TEST(test_first_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
