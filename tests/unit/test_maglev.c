/*
 * maglev.c: each backend has its share of the places, by what it is called and not by where it
 * stands; and the table is the same wherever it is made.
 */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../../src/balance/maglev.h"
#include "base/memory.h"

#define MOST 65536

static unsigned weights[MOST];
static uint64_t ids[MOST];
static struct maglev table;

/* Weights from 1 to 3, and ids that are not in order. */
static void begin(size_t count, bool named)
{
	const struct picker_members members = {
		.weights = weights, .ids = named ? ids : NULL, .count = count
	};

	for (size_t i = 0; i < count; i++) {
		weights[i] = 1 + (unsigned)i % 3;
		ids[i] = (i * 7919 + 13) % MOST;
	}
	assert_int_equal(maglev_init(&table, &members), 0);
}

static size_t at_place(uint64_t place)
{
	/* The least bits that stand for it. */
	uint64_t high = ((place << 32) + table.places - 1) / table.places;

	return maglev_find(&table, high << 32);
}

static bool is_prime(uint32_t n)
{
	for (uint32_t i = 2; i * i <= n; i++)
		if (n % i == 0)
			return false;
	return n > 1;
}

/* So that shares are right within a percent; and a prime, or an order would not come to every
 * place. */
static void test_a_hundred_places_for_each(void **state)
{
	static const struct {
		size_t count;
		uint32_t places;
	} cases[] = { { 1, 65537 }, { 655, 65537 }, { 656, 131101 }, { 1311, 131101 },
		{ 1312, 262147 }, { 2622, 524309 }, { 5244, 1048583 }, { 10485, 1048583 } };

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		begin(cases[i].count, true);
		assert_int_equal(table.places, cases[i].places);
		assert_true(is_prime(table.places));
		assert_true(table.places >= 100 * cases[i].count);
		maglev_fini(&table);
	}
}

/* As many places as turns: within one of its part of them. */
static void assert_shares(size_t count)
{
	uint32_t *seen = mem_zalloc(count, sizeof *seen);
	uint64_t total = 0;

	assert_non_null(seen);
	for (uint64_t place = 0; place < table.places; place++) {
		assert_true(at_place(place) < count);
		seen[at_place(place)]++;
	}
	for (size_t i = 0; i < count; i++)
		total += weights[i];
	for (size_t i = 0; i < count; i++) {
		uint64_t share = table.places * (uint64_t)weights[i];

		assert_true(seen[i] * total < share + 2 * total);
		assert_true((seen[i] + 2) * total > share);
	}
	mem_free(seen);
}

static void test_shares_are_those_of_the_weights(void **state)
{
	static const size_t counts[] = { 1, 2, 3, 10, 700 };

	(void)state;
	for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++) {
		begin(counts[i], true);
		assert_shares(counts[i]);
		maglev_fini(&table);
	}
}

/* Where 16 bits number all of them a table takes half of the memory; where not, all are in it. */
static void test_many_need_larger_numbers(void **state)
{
	(void)state;
	begin(65535, true);
	assert_true(table.narrow != NULL && table.wide == NULL);
	maglev_fini(&table);
	assert_null(table.narrow);
	begin(65536, true);
	assert_true(table.narrow == NULL && table.wide != NULL);
	assert_shares(65536);
	maglev_fini(&table);
	assert_null(table.wide);
}

static uint64_t digest(void)
{
	uint64_t sum = UINT64_C(0xcbf29ce484222325); /* FNV-1a */

	for (uint64_t place = 0; place < table.places; place++)
		sum = (sum ^ at_place(place)) * UINT64_C(0x100000001b3);
	return sum;
}

/* Workers of an old and a new version, and several balancers, send a key to one backend: a table
 * that comes out otherwise moves nearly all keys. */
static void test_the_table_stays_what_it_is(void **state)
{
	static const struct {
		size_t count;
		bool named;
		uint64_t digest;
	} cases[] = {
		{ 3, true, UINT64_C(0xd49e12dde4d8f511) },
		{ 3, false, UINT64_C(0x38e624d4e5b5ef01) },
		{ 700, true, UINT64_C(0xa01d0bde22ccb311) },
		{ 3000, true, UINT64_C(0x60773b7040fbe953) },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		begin(cases[i].count, cases[i].named);
		assert_true(digest() == cases[i].digest);
		maglev_fini(&table);
	}
}

static void test_short_of_memory(void **state)
{
	static const unsigned one[] = { 1, 1 };
	const struct picker_members members = { .weights = one, .count = 2 };
	int failures = 0;

	(void)state;
	for (long i = 0;; i++) {
		int result;

		mem_fail_after(i);
		result = maglev_init(&table, &members);
		mem_fail_after(-1);
		maglev_fini(&table);
		if (result == 0)
			break;
		assert_int_equal(result, -1);
		failures++;
	}
	assert_int_equal(failures, 4);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_hundred_places_for_each),
		cmocka_unit_test(test_shares_are_those_of_the_weights),
		cmocka_unit_test(test_many_need_larger_numbers),
		cmocka_unit_test(test_the_table_stays_what_it_is),
		cmocka_unit_test(test_short_of_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
