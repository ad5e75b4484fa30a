/*
 * The weighted random picker. Because it draws a column and a coin, both below a bound, the test
 * can stand in for the generator (the linker wraps rng_below), go through every pair that can be
 * drawn, and count: each backend must get its weight's share to the last pair. Statistics come
 * second.
 */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "balance/pickers.h"
#include "base/memory.h"

#define COUNT_OF(array) (sizeof(array) / sizeof(array)[0])

/* What the generator answers instead of a random number, told apart by the bound; a column and its
 * coin come in turn. */
static struct script {
	bool active;
	bool coin_next;
	uint32_t columns; /* the bounds */
	uint32_t total;
	uint32_t column; /* the answers */
	uint32_t coin;
	uint32_t rest;
	uint32_t rest_bound; /* the bound that was neither */
	int draws;
} script;

uint32_t __real_rng_below(struct rng *rng, uint32_t bound);
uint32_t __wrap_rng_below(struct rng *rng, uint32_t bound);

uint32_t __wrap_rng_below(struct rng *rng, uint32_t bound)
{
	script.draws++;
	if (!script.active)
		return __real_rng_below(rng, bound);
	if (!script.coin_next && bound == script.columns) {
		script.coin_next = true;
		return script.column;
	}
	if (script.coin_next && bound == script.total) {
		script.coin_next = false;
		return script.coin;
	}
	script.rest_bound = bound;
	return script.rest;
}

static uint32_t sum_of(const unsigned *weights, size_t count)
{
	uint32_t sum = 0;

	for (size_t i = 0; i < count; i++)
		sum += weights[i];
	return sum;
}

static struct picker *create(const unsigned *weights, size_t count)
{
	struct picker *p = picker_random.create(
		&(struct picker_members){ .weights = weights, .count = count });

	assert_non_null(p);
	memset(&script, 0, sizeof script);
	script.columns = (uint32_t)count;
	script.total = sum_of(weights, count);
	return p;
}

static size_t pick_untried(struct picker *p, struct rng *rng, const size_t *tried, size_t count)
{
	struct pick pick = { .rng = rng, .tried = tried, .tried_count = count };

	return picker_random.pick(p, &pick);
}

static size_t pick_one(struct picker *p, struct rng *rng)
{
	return pick_untried(p, rng, NULL, 0);
}

static size_t pick_at(struct picker *p, uint32_t column, uint32_t coin)
{
	script.active = true;
	script.column = column;
	script.coin = coin;
	return pick_one(p, NULL);
}

/* Goes through every column and coin. */
static void assert_exact(const unsigned *weights, size_t count)
{
	struct picker *p = create(weights, count);
	uint64_t *mass = mem_zalloc(count, sizeof *mass);

	assert_non_null(mass);
	for (uint32_t column = 0; column < count; column++)
		for (uint32_t coin = 0; coin < script.total; coin++) {
			size_t index = pick_at(p, column, coin);

			assert_true(index < count);
			mass[index]++;
		}
	for (size_t i = 0; i < count; i++)
		assert_true(mass[i] == (uint64_t)weights[i] * count);
	mem_free(mass);
	picker_random.destroy(p);
}

/* As assert_exact for tables too large to go through: a column changes its answer at most once. */
static void assert_exact_large(const unsigned *weights, size_t count)
{
	struct picker *p = create(weights, count);
	uint64_t *mass = mem_zalloc(count, sizeof *mass);

	assert_non_null(mass);
	for (uint32_t column = 0; column < count; column++) {
		size_t first = pick_at(p, column, 0);
		size_t last = pick_at(p, column, script.total - 1);
		uint32_t low = 0;
		uint32_t high = script.total;

		while (first != last && low + 1 < high) {
			uint32_t middle = low + (high - low) / 2;
			size_t index = pick_at(p, column, middle);

			assert_true(index == first || index == last);
			if (index == first)
				low = middle;
			else
				high = middle;
		}
		mass[first] += high;
		mass[last] += script.total - high;
	}
	for (size_t i = 0; i < count; i++)
		assert_true(mass[i] == (uint64_t)weights[i] * count);
	mem_free(mass);
	picker_random.destroy(p);
}

static void test_small_tables_are_exact(void **state)
{
	static const unsigned three[] = { 1, 1, 1 };
	static const unsigned sample[] = { 1, 1, 2 };
	static const unsigned zeros[] = { 0, 0, 3, 0 };
	static const unsigned ends[] = { 0, 5, 0 };
	static const unsigned thirds[] = { 1, 2, 4, 8, 16, 32, 64 };
	static const unsigned steep[] = { 256, 1 };
	static const unsigned mixed[] = { 256, 1, 0, 77, 13, 255, 256, 3 };

	(void)state;
	assert_exact(three, COUNT_OF(three));
	assert_exact(sample, COUNT_OF(sample));
	assert_exact(zeros, COUNT_OF(zeros));
	assert_exact(ends, COUNT_OF(ends));
	assert_exact(thirds, COUNT_OF(thirds));
	assert_exact(steep, COUNT_OF(steep));
	assert_exact(mixed, COUNT_OF(mixed));
}

static void fill_random(unsigned *weights, size_t count, uint32_t bound)
{
	struct rng rng;

	rng_seed(&rng, count, bound, 0, 0);
	for (size_t i = 0; i < count; i++)
		weights[i] = (unsigned)(rng_next(&rng) % bound);
}

static void test_random_tables_are_exact(void **state)
{
	unsigned weights[40];

	(void)state;
	for (size_t count = 2; count <= COUNT_OF(weights); count++) {
		fill_random(weights, count, count % 2 != 0 ? 257 : 4);
		weights[0] = 1;
		assert_exact(weights, count);
	}
}

static void test_ten_thousand_backends_are_exact(void **state)
{
	static unsigned weights[10000];

	(void)state;
	fill_random(weights, COUNT_OF(weights), 257);
	assert_exact_large(weights, COUNT_OF(weights));
	for (size_t i = 0; i < COUNT_OF(weights); i++)
		weights[i] = 256;
	assert_exact_large(weights, COUNT_OF(weights));
	weights[9999] = 1;
	assert_exact_large(weights, COUNT_OF(weights));
}

/* Every draw of the table hits backend 1, which was tried: the choice among the others is exact. */
static void test_choice_among_the_rest_is_exact(void **state)
{
	static const unsigned weights[] = { 3, 20, 0, 5, 7 };
	static const size_t tried[] = { 1, 1, 99 };
	uint32_t mass[COUNT_OF(weights)] = { 0 };
	struct picker *p = create(weights, COUNT_OF(weights));

	(void)state;
	assert_int_equal(pick_at(p, 1, 0), 1);
	for (script.rest = 0; script.rest < 15; script.rest++) {
		size_t index = pick_untried(p, NULL, tried, COUNT_OF(tried));

		assert_int_equal(script.rest_bound, 15);
		assert_true(index < COUNT_OF(weights));
		mass[index]++;
	}
	assert_int_equal(mass[0], 3);
	assert_int_equal(mass[1], 0);
	assert_int_equal(mass[2], 0);
	assert_int_equal(mass[3], 5);
	assert_int_equal(mass[4], 7);
	picker_random.destroy(p);
}

/* Sixteen draws that hit one that must not be picked, and then a look at all: no pick goes on
 * drawing for ever. */
static void test_sixteen_draws_in_vain(void **state)
{
	static const unsigned weights[] = { 3, 20, 0, 5, 7 };
	static const size_t tried[] = { 1 };
	struct picker *p = create(weights, COUNT_OF(weights));

	(void)state;
	assert_int_equal(pick_at(p, 1, 0), 1);
	script.draws = 0;
	assert_int_equal(pick_untried(p, NULL, tried, 1), 0);
	assert_int_equal(script.draws, 2 * 16 + 1);
	picker_random.destroy(p);
}

/* Chi-square of `draws` picks against the weights; a tried or weightless backend must not come up.
 */
static double spread(const unsigned *weights, size_t count, const size_t *tried, size_t tried_count,
	uint32_t draws)
{
	struct picker *p = create(weights, count);
	uint32_t seen[16] = { 0 };
	unsigned left[16];
	double sum = 0;
	struct rng rng;

	memcpy(left, weights, count * sizeof weights[0]);
	for (size_t i = 0; i < tried_count; i++)
		left[tried[i]] = 0;
	rng_seed(&rng, 20, 0, 1, 0);
	for (uint32_t i = 0; i < draws; i++)
		seen[pick_untried(p, &rng, tried, tried_count)]++;
	for (size_t i = 0; i < count; i++) {
		double expected = (double)draws * left[i] / sum_of(left, count);

		if (left[i] == 0)
			assert_int_equal(seen[i], 0);
		else
			sum += (seen[i] - expected) * (seen[i] - expected) / expected;
	}
	picker_random.destroy(p);
	return sum;
}

/* The limits are the 99.9 % points for one degree of freedom less than backends that can come up.
 */
static void test_spread_follows_the_weights(void **state)
{
	static const unsigned equal[] = { 1, 1, 1 };
	static const unsigned weights[] = { 1, 2, 0, 3, 10, 256 };

	(void)state;
	assert_true(spread(equal, COUNT_OF(equal), NULL, 0, 30000) < 13.8);
	assert_true(spread(weights, COUNT_OF(weights), NULL, 0, 100000) < 18.5);
}

static void test_spread_over_the_untried(void **state)
{
	static const unsigned weights[] = { 1, 2, 0, 3, 4, 30 };
	static const size_t heavy[] = { 5 };
	static const size_t two[] = { 5, 0 };
	static const size_t light[] = { 0 };

	(void)state;
	assert_true(spread(weights, COUNT_OF(weights), heavy, 1, 30000) < 16.3);
	assert_true(spread(weights, COUNT_OF(weights), two, 2, 30000) < 13.8);
	assert_true(spread(weights, COUNT_OF(weights), light, 1, 30000) < 16.3);
}

static void test_nothing_left(void **state)
{
	static const unsigned weights[] = { 2, 0, 1 };
	static const unsigned zeros[] = { 0, 0 };
	static const unsigned zero[] = { 0 };
	static const size_t all[] = { 2, 0 };
	struct picker *p = create(weights, COUNT_OF(weights));
	struct rng rng;

	(void)state;
	rng_seed(&rng, 1, 0, 0, 0);
	assert_true(pick_untried(p, &rng, all, 2) == PICKER_NONE);
	assert_int_equal(pick_untried(p, &rng, all, 1), 0);
	picker_random.destroy(p);
	p = create(zeros, COUNT_OF(zeros));
	assert_true(pick_one(p, &rng) == PICKER_NONE);
	picker_random.destroy(p);
	p = create(zero, COUNT_OF(zero));
	assert_true(pick_one(p, &rng) == PICKER_NONE);
	picker_random.destroy(p);
	p = create(zero, 0);
	assert_true(pick_one(p, &rng) == PICKER_NONE);
	picker_random.destroy(p);
	picker_random.destroy(NULL);
}

static void test_one_backend(void **state)
{
	static const unsigned weights[] = { 7 };
	static const size_t tried[] = { 0 };
	struct picker *p = create(weights, 1);
	struct rng rng;

	(void)state;
	rng_seed(&rng, 1, 0, 0, 0);
	for (int i = 0; i < 100; i++)
		assert_int_equal(pick_one(p, &rng), 0);
	assert_int_equal(script.draws, 0);
	assert_true(pick_untried(p, &rng, tried, 1) == PICKER_NONE);
	picker_random.destroy(p);
}

/* However many backends there are, a pick is two draws. */
static void test_a_pick_is_two_draws(void **state)
{
	static unsigned weights[10000];
	struct picker *p;
	struct rng rng;

	(void)state;
	fill_random(weights, COUNT_OF(weights), 257);
	p = create(weights, COUNT_OF(weights));
	rng_seed(&rng, 1, 0, 0, 0);
	for (int i = 0; i < 1000; i++)
		assert_true(weights[pick_one(p, &rng)] > 0);
	assert_int_equal(script.draws, 2000);
	picker_random.destroy(p);
}

/* A seed in somebody's settings must mean the same picks after an upgrade. */
static void test_seed_replays(void **state)
{
	static const unsigned weights[] = { 1, 1, 2 };
	static const unsigned char expected[] = { 2, 1, 1, 0, 2, 1, 1, 2, 1, 0, 1, 1, 1, 1, 1, 1, 0,
		0, 0, 1, 1, 0, 1, 2, 2, 2, 2, 2, 0, 2, 2, 2 };
	struct picker *p = create(weights, COUNT_OF(weights));
	struct rng rng;

	(void)state;
	rng_seed(&rng, 42, 0, 1, 0);
	for (size_t i = 0; i < COUNT_OF(expected); i++)
		assert_int_equal(pick_one(p, &rng), expected[i]);
	picker_random.destroy(p);
}

static void test_kinds_by_name(void **state)
{
	(void)state;
	assert_ptr_equal(pickers_find("random"), &picker_random);
	assert_null(pickers_find("Random"));
	assert_null(pickers_find(""));
	assert_ptr_equal(pickers_all[0], &picker_random);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_small_tables_are_exact),
		cmocka_unit_test(test_random_tables_are_exact),
		cmocka_unit_test(test_ten_thousand_backends_are_exact),
		cmocka_unit_test(test_choice_among_the_rest_is_exact),
		cmocka_unit_test(test_sixteen_draws_in_vain),
		cmocka_unit_test(test_spread_follows_the_weights),
		cmocka_unit_test(test_spread_over_the_untried),
		cmocka_unit_test(test_nothing_left),
		cmocka_unit_test(test_one_backend),
		cmocka_unit_test(test_a_pick_is_two_draws),
		cmocka_unit_test(test_seed_replays),
		cmocka_unit_test(test_kinds_by_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
