/*
 * The generator against values of the published algorithm (worked out by other means), the streams
 * against each other, and bounded draws against the bias that a plain multiplication has.
 */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/rng.h"

static void test_vectors_of_xoshiro(void **state)
{
	static const uint64_t expected[] = { 11520, 0, 1509978240, 1215971899390074240,
		1216172134540287360, 607988272756665600 };
	struct rng rng = { { 1, 2, 3, 4 } };
	uint64_t last = 0;

	(void)state;
	for (size_t i = 0; i < sizeof expected / sizeof expected[0]; i++)
		assert_true(rng_next(&rng) == expected[i]);
	for (int i = 7; i <= 1000; i++)
		last = rng_next(&rng);
	assert_true(last == 0x3039d010986d012d);
}

static void test_vectors_with_high_bits(void **state)
{
	static const uint64_t expected[] = { 0, 0, 0x240, 0x168000000000240, 0x168002d00000240,
		0x2d0005a2d0 };
	struct rng rng = { { 0, 0, 0, (uint64_t)1 << 63 } };

	(void)state;
	for (size_t i = 0; i < sizeof expected / sizeof expected[0]; i++)
		assert_true(rng_next(&rng) == expected[i]);
}

/* A seed in somebody's settings must mean the same picks after an upgrade. */
static void test_derivation_is_fixed(void **state)
{
	static const uint64_t expected[] = { 0xc60e6cc1662b0749, 0x5301ab8fedf588cf,
		0xdfb56927508c44f6, 0xd8811f13e66a5892 };
	struct rng rng;

	(void)state;
	rng_seed(&rng, 42, 3, 2, 1);
	for (int i = 0; i < 4; i++)
		assert_true(rng.s[i] == expected[i]);
	assert_true(rng_next(&rng) == 0xa594266a14863447);
}

static int compare_u64(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a;
	uint64_t y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

static void test_streams_differ(void **state)
{
	enum { SLOTS = 16, GENERATIONS = 16, RESPAWNS = 8, ROOTS = 2 };
	static uint64_t first[SLOTS * GENERATIONS * RESPAWNS * ROOTS];
	size_t n = 0;

	(void)state;
	for (uint32_t root = 0; root < ROOTS; root++)
		for (uint32_t slot = 0; slot < SLOTS; slot++)
			for (uint32_t generation = 0; generation < GENERATIONS; generation++)
				for (uint32_t respawn = 0; respawn < RESPAWNS; respawn++) {
					struct rng rng;

					rng_seed(&rng, root, slot, generation, respawn);
					first[n++] = rng_next(&rng);
				}
	qsort(first, n, sizeof first[0], compare_u64);
	for (size_t i = 1; i < n; i++)
		assert_true(first[i] != first[i - 1]);
}

/* Two workers must not only begin differently: their picks must have nothing to do with each other.
 */
static void test_streams_are_not_in_step(void **state)
{
	enum { DRAWS = 30000 };
	struct rng a;
	struct rng b;
	int equal = 0;

	(void)state;
	rng_seed(&a, 1, 0, 1, 0);
	rng_seed(&b, 1, 1, 1, 0);
	for (int i = 0; i < DRAWS; i++)
		equal += rng_below(&a, 3) == rng_below(&b, 3);
	/* A third of them, with a standard deviation of 82. */
	assert_in_range(equal, DRAWS / 3 - 410, DRAWS / 3 + 410);
}

static void test_root_seeds_differ(void **state)
{
	uint64_t a = 0;
	uint64_t b = 0;

	(void)state;
	assert_int_equal(rng_root_seed(&a), 0);
	assert_int_equal(rng_root_seed(&b), 0);
	assert_true(a != 0 && b != 0 && a != b);
}

/* Draws below `bound`, sorted by remainder into `cells`, against equal shares. */
static double chi_square(uint32_t bound, uint32_t cells, uint32_t draws)
{
	uint32_t seen[16] = { 0 };
	double expected = (double)draws / cells;
	double sum = 0;
	struct rng rng;

	rng_seed(&rng, 7, 0, 1, 0);
	for (uint32_t i = 0; i < draws; i++) {
		uint32_t n = rng_below(&rng, bound);

		assert_true(n < bound);
		seen[n % cells]++;
	}
	for (uint32_t i = 0; i < cells; i++)
		sum += (seen[i] - expected) * (seen[i] - expected) / expected;
	return sum;
}

/* The limits are the 99.9 % points for cells - 1 degrees of freedom. */
static void test_bounded_draws_are_even(void **state)
{
	(void)state;
	assert_true(chi_square(2, 2, 20000) < 10.8);
	assert_true(chi_square(3, 3, 30000) < 13.8);
	assert_true(chi_square(7, 7, 70000) < 22.5);
	assert_true(chi_square(16, 16, 160000) < 37.7);
}

/* Scaling 2^32 values onto three quarters of them gives every third result twice: draws have to be
 * rejected here, one in four. */
static void test_large_bounds_are_even(void **state)
{
	(void)state;
	assert_true(chi_square(0xc0000000, 3, 30000) < 13.8);
	assert_true(chi_square(0x80000001, 2, 30000) < 10.8);
	assert_true(chi_square(UINT32_MAX, 5, 30000) < 18.5);
}

static void test_bound_of_one(void **state)
{
	struct rng rng;

	(void)state;
	rng_seed(&rng, 1, 0, 0, 0);
	for (int i = 0; i < 100; i++)
		assert_int_equal(rng_below(&rng, 1), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_vectors_of_xoshiro),
		cmocka_unit_test(test_vectors_with_high_bits),
		cmocka_unit_test(test_derivation_is_fixed),
		cmocka_unit_test(test_streams_differ),
		cmocka_unit_test(test_streams_are_not_in_step),
		cmocka_unit_test(test_root_seeds_differ),
		cmocka_unit_test(test_bounded_draws_are_even),
		cmocka_unit_test(test_large_bounds_are_even),
		cmocka_unit_test(test_bound_of_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
