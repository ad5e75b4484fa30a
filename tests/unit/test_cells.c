/* cells.c: cells are apart, zeroed, used again, and failing memory is told. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/cells.h"
#include "base/memory.h"

#define SIZE  290
#define COUNT 5000

static unsigned char *taken[COUNT];

static void take(struct cells *cells, size_t i)
{
	static const unsigned char zeros[SIZE];

	taken[i] = cells_take(cells);
	assert_non_null(taken[i]);
	assert_int_equal((uintptr_t)taken[i] % _Alignof(void *), 0);
	assert_memory_equal(taken[i], zeros, SIZE);
	memset(taken[i], (int)(i % 255) + 1, SIZE);
}

static void give(struct cells *cells, size_t i)
{
	for (size_t at = 0; at < SIZE; at++)
		assert_int_equal(taken[i][at], i % 255 + 1);
	cells_give(cells, taken[i]);
	taken[i] = NULL;
}

static void test_many(void **state)
{
	struct cells cells;

	(void)state;
	cells_init(&cells, SIZE);
	for (size_t i = 0; i < COUNT; i++)
		take(&cells, i);
	/* In another order, and some of them again in between. */
	for (size_t i = 0; i < COUNT; i++) {
		size_t at = i * 7 % COUNT;

		give(&cells, at);
		if (i % 3 == 0) {
			take(&cells, at);
			give(&cells, at);
		}
	}
	for (size_t i = 0; i < COUNT; i += 2)
		take(&cells, i);
	for (size_t i = 0; i < COUNT; i += 2)
		give(&cells, i);
	/* What is left is one block, if any. */
	assert_true(cells.open.next == cells.open.prev);
	cells_fini(&cells);
	assert_true(list_is_empty(&cells.open));
}

static void test_no_memory(void **state)
{
	struct cells cells;
	void *cell;

	(void)state;
	cells_init(&cells, SIZE);
	mem_fail_after(0);
	assert_null(cells_take(&cells));
	mem_fail_after(-1);
	cell = cells_take(&cells);
	assert_non_null(cell);
	cells_give(&cells, cell);
	cells_fini(&cells);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_many),
		cmocka_unit_test(test_no_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
