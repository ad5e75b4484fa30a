/* turns.c: whoever is due first comes first, whatever was put in and taken out before. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../../src/balance/turns.h"
#include "base/rng.h"

#define MOST 60

static struct rng rng;
static struct turns turns;
static struct turn heap[MOST + 1];

/* What must be in the heap, in any order. */
static struct turn kept[MOST];
static uint32_t kept_count;

static void begin(void)
{
	rng_seed(&rng, 5, 1, 0, 0);
	turns = (struct turns){ .heap = heap };
	kept_count = 0;
}

/* Not further away than a round, as turns are; about half of them beyond the end of 64 bits, which
 * is later and not earlier. */
static struct turn some_turn(void)
{
	static uint64_t serial;

	return (struct turn){
		.due = UINT64_MAX - 7 + rng_below(&rng, 16),
		.rank = ((uint64_t)rng_below(&rng, 4) << 32) + serial++,
		.index = rng_below(&rng, 1000),
		.weight = 1 + rng_below(&rng, 9),
	};
}

/* In the order that the header promises: by what is due, then by rank. */
static bool comes_before(const struct turn *a, const struct turn *b)
{
	uint64_t first = UINT64_MAX - 1000;

	return a->due - first != b->due - first ? a->due - first < b->due - first
						: a->rank < b->rank;
}

static uint32_t find_first(void)
{
	uint32_t first = 0;

	for (uint32_t i = 1; i < kept_count; i++)
		if (comes_before(&kept[i], &kept[first]))
			first = i;
	return first;
}

static void assert_same(const struct turn *a, const struct turn *b)
{
	assert_true(a->due == b->due && a->rank == b->rank);
	assert_true(a->index == b->index && a->weight == b->weight);
}

static void push_one(void)
{
	struct turn turn = some_turn();

	turns_push(&turns, turn);
	kept[kept_count++] = turn;
}

static void pop_one(void)
{
	uint32_t first = find_first();
	struct turn turn = turns_pop(&turns);

	assert_same(&turn, &kept[first]);
	kept[first] = kept[--kept_count];
}

static void test_the_first_comes_out_first(void **state)
{
	(void)state;
	begin();
	for (int i = 0; i < 20000; i++) {
		/* It grows to the whole and shrinks to nothing in turn. */
		bool grows = i / (2 * MOST) % 2 == 0;

		if (kept_count < MOST && (kept_count == 0 || rng_below(&rng, 4) < (grows ? 3 : 1)))
			push_one();
		else
			pop_one();
		assert_int_equal(turns.count, kept_count);
		if (kept_count > 0)
			assert_same(&turns.heap[0], &kept[find_first()]);
	}
}

/* Whatever order they are written in. */
static void test_any_order_becomes_a_heap(void **state)
{
	(void)state;
	begin();
	for (uint32_t count = 0; count <= MOST; count++)
		for (int round = 0; round < 20; round++) {
			for (kept_count = 0; kept_count < count; kept_count++)
				heap[kept_count] = kept[kept_count] = some_turn();
			turns.count = count;
			turns_order(&turns);
			for (uint32_t i = 1; i < count; i++)
				assert_false(comes_before(&heap[i], &heap[(i - 1) / 2]));
			while (turns.count > 0)
				pop_one();
		}
}

/* One that has had its turn is due a step later, and others may come before it then. */
static void test_a_turn_costs_a_step(void **state)
{
	(void)state;
	begin();
	while (kept_count < MOST) {
		push_one();
		kept[kept_count - 1].weight = 1 + rng_below(&rng, 1000);
	}
	for (uint32_t i = 0; i < kept_count; i++)
		heap[i] = kept[i];
	turns_order(&turns);
	for (int i = 0; i < 300; i++) {
		struct turn *first = &kept[find_first()];

		assert_same(&turns.heap[0], first);
		turns_pass(&turns);
		first->due += turns_step(first->weight);
		assert_int_equal(turns.count, kept_count);
	}
}

/* Of weight w every 1/w of a round: a weight's turns in a round are as many as it says. */
static void test_a_round_has_as_many_turns_as_the_weight(void **state)
{
	static const uint32_t weights[] = { 1, 2, 3, 256 };

	(void)state;
	assert_true(turns_step(1) == TURNS_ROUND);
	for (size_t i = 0; i < sizeof weights / sizeof weights[0]; i++)
		assert_true(turns_step(weights[i]) * weights[i] <= TURNS_ROUND &&
			    (turns_step(weights[i]) + 1) * weights[i] > TURNS_ROUND);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_first_comes_out_first),
		cmocka_unit_test(test_any_order_becomes_a_heap),
		cmocka_unit_test(test_a_turn_costs_a_step),
		cmocka_unit_test(test_a_round_has_as_many_turns_as_the_weight),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
