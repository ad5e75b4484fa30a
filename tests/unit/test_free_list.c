/* Memory of exchanges: which of it is used again, and how much of it stays. */
#include "config.h"

#include "exchange/free_list.h"

#include "exchange_scene.h"

#define HEAD_USUAL 2048
#define FREE_MAX   1024
#define FREE_FEW   16
#define LOOK_MS    1100 /* a second, and a tick */

static struct exchange *taken[FREE_MAX + 2];

/* Blocks of memory that are in use, and the size that was asked for last. */
static long blocks;
static size_t asked;

void *__real_mem_alloc(size_t size);
void *__wrap_mem_alloc(size_t size);
void *__wrap_mem_alloc(size_t size)
{
	void *block = __real_mem_alloc(size);

	blocks += block != NULL;
	return block;
}

void *__real_mem_resize(void *block, size_t count, size_t size);
void *__wrap_mem_resize(void *block, size_t count, size_t size);
void *__wrap_mem_resize(void *block, size_t count, size_t size)
{
	void *other = __real_mem_resize(block, count, size);

	asked = count * size;
	blocks += block == NULL && other != NULL;
	return other;
}

void __real_mem_free(void *block);
void __wrap_mem_free(void *block);
void __wrap_mem_free(void *block)
{
	blocks -= block != NULL;
	__real_mem_free(block);
}

/* So many are taken at the same time, and given back. */
static void use(size_t count)
{
	for (size_t i = 0; i < count; i++) {
		taken[i] = free_list_take(&scene.context);
		assert_non_null(taken[i]);
	}
	for (size_t i = 0; i < count; i++)
		free_list_put(taken[i]);
}

static void test_the_one_used_last_is_used_first(void **state)
{
	struct exchange *a, *b;

	(void)state;
	scene_start();
	a = free_list_take(&scene.context);
	b = free_list_take(&scene.context);
	assert_ptr_equal(a->context, &scene.context);
	assert_null(a->head_room);
	assert_int_equal(a->head_size, 0);
	free_list_put(a);
	free_list_put(b);
	assert_int_equal(scene.context.free_count, 2);
	assert_ptr_equal(free_list_take(&scene.context), b);
	assert_ptr_equal(free_list_take(&scene.context), a);
	assert_int_equal(scene.context.free_count, 0);
	free_list_put(a);
	free_list_put(b);
}

/* Room for most heads at once, and for a larger one as long as it is needed. */
static void test_room_for_a_head(void **state)
{
	struct exchange *x;
	const char *room;

	(void)state;
	scene_start();
	x = free_list_take(&scene.context);
	assert_int_equal(free_list_make_room(x, 1), 0);
	assert_int_equal(x->head_size, HEAD_USUAL);
	assert_int_equal(asked, HEAD_USUAL);
	room = x->head_room;
	assert_int_equal(free_list_make_room(x, HEAD_USUAL), 0);
	assert_ptr_equal(x->head_room, room);
	memset(x->head_room, 'x', HEAD_USUAL);
	free_list_put(x);
	assert_ptr_equal(free_list_take(&scene.context), x);
	assert_ptr_equal(x->head_room, room);
	assert_int_equal(x->head_size, HEAD_USUAL);
	assert_int_equal(free_list_make_room(x, HEAD_USUAL + 1), 0);
	assert_int_equal(x->head_size, HEAD_USUAL + 1);
	memset(x->head_room, 'x', HEAD_USUAL + 1);
	free_list_put(x);
	assert_ptr_equal(free_list_take(&scene.context), x);
	assert_null(x->head_room);
	assert_int_equal(x->head_size, 0);
	free_list_put(x);
}

static void test_without_memory(void **state)
{
	struct exchange *x;

	(void)state;
	scene_start();
	mem_fail_after(0);
	assert_null(free_list_take(&scene.context));
	mem_fail_after(-1);
	x = free_list_take(&scene.context);
	mem_fail_after(0);
	assert_int_equal(free_list_make_room(x, 10), -1);
	mem_fail_after(-1);
	assert_null(x->head_room);
	assert_int_equal(x->head_size, 0);
	free_list_put(x);
}

/* More than so many are not kept. */
static void test_no_more_than_a_thousand_are_free(void **state)
{
	(void)state;
	scene_start();
	use(FREE_MAX + 2);
	assert_int_equal(scene.context.free_count, FREE_MAX);
	/* Those that stayed are used again, and count. */
	use(FREE_MAX + 1);
	assert_int_equal(scene.context.free_count, FREE_MAX);
}

static void test_a_few_are_nothing_to_look_at(void **state)
{
	(void)state;
	scene_start();
	use(FREE_FEW);
	assert_false(deadline_is_running(&scene.context.free_look));
	use(FREE_FEW + 1);
	assert_true(deadline_is_running(&scene.context.free_look));
}

/* What was free for a whole second is freed, but for a few. */
static void test_what_nobody_needs_is_freed(void **state)
{
	(void)state;
	scene_start();
	use(100);
	/* The first look sees how many there are: all of them were in use within that second. */
	scene_pass(LOOK_MS);
	assert_int_equal(scene.context.free_count, 100);
	assert_true(deadline_is_running(&scene.context.free_look));
	scene_pass(LOOK_MS);
	assert_int_equal(scene.context.free_count, FREE_FEW);
	assert_int_equal(scene.trim.freed_before, 100 - FREE_FEW);
	assert_false(deadline_is_running(&scene.context.free_look));
}

static void test_what_is_needed_now_and_then_stays(void **state)
{
	(void)state;
	scene_start();
	use(100);
	scene_pass(LOOK_MS);
	/* In this second forty are needed at a time: sixty are not. */
	use(40);
	scene_pass(LOOK_MS);
	assert_int_equal(scene.context.free_count, 40 + FREE_FEW);
	assert_true(deadline_is_running(&scene.context.free_look));
	/* Those that remain are those that were used last. */
	use(40);
	scene_pass(LOOK_MS);
	assert_int_equal(scene.context.free_count, 40 + FREE_FEW);
	scene_pass(LOOK_MS);
	assert_int_equal(scene.context.free_count, FREE_FEW);
}

/* The ones used longest ago are freed. */
static void test_the_ones_used_longest_ago_are_freed(void **state)
{
	struct exchange *last;

	(void)state;
	scene_start();
	use(FREE_FEW + 1);
	last = taken[FREE_FEW];
	scene_pass(LOOK_MS);
	scene_pass(LOOK_MS);
	assert_int_equal(scene.context.free_count, FREE_FEW);
	assert_ptr_equal(free_list_take(&scene.context), last);
	free_list_put(last);
}

/* Those that are one too many, their heads, and all the others at the end. */
static void test_no_memory_is_left(void **state)
{
	long before;

	(void)state;
	scene_start();
	before = blocks;
	for (size_t i = 0; i < FREE_MAX + 2; i++) {
		taken[i] = free_list_take(&scene.context);
		assert_int_equal(free_list_make_room(taken[i], i % 2 == 0 ? 1 : 5000), 0);
	}
	assert_int_equal(blocks, before + 2 * (FREE_MAX + 2));
	for (size_t i = 0; i < FREE_MAX + 2; i++)
		free_list_put(taken[i]);
	/* Larger rooms are not kept. */
	assert_int_equal(blocks, before + FREE_MAX + FREE_MAX / 2);
	free_list_fini(&scene.context);
	assert_int_equal(blocks, before);
}

static void test_all_are_freed_at_the_end(void **state)
{
	(void)state;
	scene_start();
	use(30);
	free_list_fini(&scene.context);
	assert_int_equal(scene.context.free_count, 0);
	assert_true(list_is_empty(&scene.context.free));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			test_the_one_used_last_is_used_first, scene_begin, scene_end),
		cmocka_unit_test_setup_teardown(test_room_for_a_head, scene_begin, scene_end),
		cmocka_unit_test_setup_teardown(test_without_memory, scene_begin, scene_end),
		cmocka_unit_test_setup_teardown(
			test_no_more_than_a_thousand_are_free, scene_begin, scene_end),
		cmocka_unit_test_setup_teardown(
			test_a_few_are_nothing_to_look_at, scene_begin, scene_end),
		cmocka_unit_test_setup_teardown(
			test_what_nobody_needs_is_freed, scene_begin, scene_end),
		cmocka_unit_test_setup_teardown(
			test_what_is_needed_now_and_then_stays, scene_begin, scene_end),
		cmocka_unit_test_setup_teardown(
			test_the_ones_used_longest_ago_are_freed, scene_begin, scene_end),
		cmocka_unit_test_setup_teardown(
			test_all_are_freed_at_the_end, scene_begin, scene_end),
		cmocka_unit_test_setup_teardown(test_no_memory_is_left, scene_begin, scene_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
