/* keys.c: each key has one row for as long as anybody uses it, and the board says which. */
#include "config.h"

#include "../../src/board/keys.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/memory.h"
#include "base/rng.h"

#define MOST 200

static _Atomic uint64_t board[MOST];
static struct keys keys;
static struct rng rng;

/* What the test knows of each key: its row, and how often that is in use. */
static struct known {
	uint32_t row;
	unsigned uses;
} known[2 * MOST + 1];

static void begin(uint32_t size)
{
	for (uint32_t i = 0; i < MOST; i++)
		board[i] = 0;
	for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
		known[i] = (struct known){ 0, 0 };
	rng_seed(&rng, 9, size, 0, 0);
	assert_int_equal(keys_init(&keys, board, size), 0);
}

/* Neighbours share a bucket: of 8 numbers all have the same lowest bits. */
static uint64_t key_of(uint32_t n)
{
	return (uint64_t)(n / 8) | (uint64_t)(n % 8 + 1) << 40;
}

static void take(uint32_t n, bool full)
{
	bool is_new;
	uint32_t row = keys_take(&keys, key_of(n), &is_new);

	if (known[n].uses == 0 && full) {
		assert_int_equal(row, KEYS_NONE);
		return;
	}
	assert_true(row < keys.size);
	assert_int_equal(is_new, known[n].uses == 0);
	assert_true(is_new || row == known[n].row);
	assert_true(board[row] == key_of(n));
	known[n].row = row;
	known[n].uses++;
}

static void drop(uint32_t n)
{
	keys_drop(&keys, known[n].row);
	known[n].uses--;
	assert_true(board[known[n].row] == (known[n].uses > 0 ? key_of(n) : 0));
}

static void go_on(uint32_t size)
{
	uint32_t used = 0;

	for (int i = 0; i < 5000; i++) {
		uint32_t n = 1 + rng_below(&rng, 2 * size);
		bool more = i / 500 % 2 == 0;

		if (known[n].uses == 0 || rng_below(&rng, 8) < (more ? 5 : 2)) {
			take(n, used == size);
			used += known[n].uses == 1;
		} else {
			drop(n);
			used -= known[n].uses == 0;
		}
	}
}

/* Whatever comes and goes, in tables of any size. */
static void test_a_key_has_its_row_as_long_as_it_is_used(void **state)
{
	static const uint32_t sizes[] = { 1, 2, 3, 7, 8, 9, 64, MOST };

	(void)state;
	for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
		begin(sizes[i]);
		go_on(sizes[i]);
		keys_fini(&keys);
		assert_true(keys.buckets == NULL && keys.next == NULL && keys.uses == NULL);
		assert_true(keys.inherited == NULL && keys.size == 0 && keys.on_board == NULL);
	}
}

/* So that what is used lies together. */
static void test_low_rows_first(void **state)
{
	bool is_new;

	(void)state;
	begin(50);
	for (uint32_t i = 0; i < 50; i++)
		assert_int_equal(keys_take(&keys, 1000 + i, &is_new), i);
	keys_fini(&keys);
}

/* In constant time: there are as many buckets as rows, and not many more. */
static void test_as_many_buckets_as_rows(void **state)
{
	(void)state;
	for (uint32_t size = 1; size <= MOST; size++) {
		begin(size);
		assert_int_equal(keys.mask & (keys.mask + 1), 0);
		assert_true(keys.mask + 1 >= size);
		assert_true(keys.mask + 1 < 2 * size);
		keys_fini(&keys);
	}
}

/* What stood on the board is in use until it is settled, and then if somebody has taken it. */
static void test_what_was_there_stays_until_it_is_settled(void **state)
{
	static const uint32_t were_free[] = { 1, 3, 4, 6 };
	bool is_new;

	(void)state;
	begin(8);
	keys_fini(&keys);
	board[0] = 70;
	board[2] = 71;
	board[5] = 72;
	board[7] = 73;
	assert_int_equal(keys_init(&keys, board, 8), 0);
	assert_int_equal(keys_take(&keys, 71, &is_new), 2);
	assert_false(is_new);
	keys_inherit(&keys, 5); /* it is one already */
	for (uint32_t i = 0; i < 4; i++) {
		assert_int_equal(keys_take(&keys, 80 + i, &is_new), were_free[i]);
		assert_true(is_new);
	}
	assert_int_equal(keys_take(&keys, 90, &is_new), KEYS_NONE);
	keys_settle(&keys);
	assert_true(board[0] == 0 && board[5] == 0 && board[7] == 0);
	assert_true(board[2] == 71);
	/* A second time there is nothing left to settle. */
	keys_settle(&keys);
	assert_true(board[2] == 71 && board[1] == 80);
	assert_int_equal(keys_take(&keys, 73, &is_new), 7);
	assert_true(is_new);
	keys_drop(&keys, 2);
	assert_true(board[2] == 0);
	keys_fini(&keys);
}

/* One that is handed on is used once more until it is settled. */
static void test_handed_on_until_it_is_settled(void **state)
{
	bool is_new;
	uint32_t row;

	(void)state;
	begin(4);
	row = keys_take(&keys, 5, &is_new);
	keys_inherit(&keys, row);
	keys_inherit(&keys, row);
	keys_drop(&keys, row);
	assert_true(board[row] == 5);
	keys_settle(&keys);
	assert_true(board[row] == 0);
	/* and again */
	row = keys_take(&keys, 6, &is_new);
	keys_inherit(&keys, row);
	keys_drop(&keys, row);
	assert_true(board[row] == 6);
	keys_settle(&keys);
	assert_true(board[row] == 0);
	row = keys_take(&keys, 7, &is_new);
	keys_inherit(&keys, row);
	keys_settle(&keys);
	assert_true(board[row] == 7);
	keys_drop(&keys, row);
	assert_true(board[row] == 0);
	keys_fini(&keys);
}

static void test_short_of_memory(void **state)
{
	int failures = 0;

	(void)state;
	for (long i = 0;; i++) {
		int result;

		mem_fail_after(i);
		result = keys_init(&keys, board, 8);
		mem_fail_after(-1);
		if (result == 0)
			break;
		assert_int_equal(result, -1);
		assert_true(keys.buckets == NULL && keys.next == NULL && keys.uses == NULL);
		failures++;
	}
	keys_fini(&keys);
	assert_int_equal(failures, 4);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_key_has_its_row_as_long_as_it_is_used),
		cmocka_unit_test(test_low_rows_first),
		cmocka_unit_test(test_as_many_buckets_as_rows),
		cmocka_unit_test(test_what_was_there_stays_until_it_is_settled),
		cmocka_unit_test(test_handed_on_until_it_is_settled),
		cmocka_unit_test(test_short_of_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
