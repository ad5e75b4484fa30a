/* The hash picker: the same key, the same backend; how many keys move and where to; the bound. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "../../src/balance/maglev.h"
#include "balance/picker.h"

#define COUNT 100
#define KEYS  50000

static struct picker_load loads[COUNT];
static uint64_t usable[(COUNT + 63) / 64];
static size_t before[KEYS];

static void look(const struct picker_view *view, size_t index, struct picker_load *load)
{
	(void)view;
	*load = loads[index];
}

static uint64_t in_flight(const struct picker_view *view)
{
	uint64_t sum = 0;

	(void)view;
	for (size_t i = 0; i < COUNT; i++)
		sum += loads[i].in_flight;
	return sum;
}

static const struct picker_view view = { .usable = usable, .load = look, .in_flight = in_flight };

static struct picker *create(const unsigned *weights, const uint64_t *ids, size_t count)
{
	struct picker *p = picker_hash.create(
		&(struct picker_members){ .weights = weights, .ids = ids, .count = count });

	assert_non_null(p);
	memset(loads, 0, sizeof loads);
	memset(usable, 0xff, sizeof usable);
	return p;
}

static size_t pick_key(struct picker *p, uint64_t key)
{
	return picker_hash.pick(p, &(struct pick){ .view = &view, .key = key });
}

static void remember(struct picker *p)
{
	for (uint64_t key = 0; key < KEYS; key++) {
		before[key] = pick_key(p, key);
		assert_true(before[key] < COUNT);
	}
}

static void set_equal(unsigned *weights, uint64_t *ids)
{
	for (size_t i = 0; i < COUNT; i++) {
		weights[i] = 1;
		ids[i] = 1000 + i;
	}
}

/* Exactly the keys of one that is away move, to all others, and come back. */
static void test_one_is_away(void **state)
{
	unsigned weights[COUNT];
	uint64_t ids[COUNT];
	unsigned seen[COUNT] = { 0 };
	struct picker *p;
	unsigned moved = 0;

	(void)state;
	set_equal(weights, ids);
	p = create(weights, ids, COUNT);
	remember(p);
	usable[0] &= ~(UINT64_C(1) << 17);
	for (uint64_t key = 0; key < KEYS; key++) {
		size_t now = pick_key(p, key);

		assert_true(now != 17 && (before[key] == 17 || now == before[key]));
		if (before[key] == 17)
			moved++, seen[now]++;
	}
	assert_in_range(moved, KEYS / COUNT - 100, KEYS / COUNT + 100);
	for (size_t i = 0; i < COUNT; i++)
		assert_true(seen[i] <= 20); /* 5 on average */
	usable[0] |= UINT64_C(1) << 17;
	for (uint64_t key = 0; key < KEYS; key++)
		assert_int_equal(pick_key(p, key), before[key]);
	picker_hash.destroy(p);
}

/* One that is taken out of the settings, which are in another order, too: a few others move. */
static void test_one_is_gone(void **state)
{
	unsigned weights[COUNT];
	uint64_t ids[COUNT];
	struct picker *p;
	unsigned moved = 0;

	(void)state;
	set_equal(weights, ids);
	p = create(weights, ids, COUNT);
	remember(p);
	picker_hash.destroy(p);
	for (size_t i = 0; i < COUNT; i++)
		ids[i] = 1000 + COUNT - 1 - i;
	p = create(weights, ids, COUNT);
	for (uint64_t key = 0; key < KEYS; key++)
		assert_int_equal(ids[pick_key(p, key)] - 1000, before[key]);
	picker_hash.destroy(p);
	p = create(weights, ids, COUNT - 1); /* without what was the first */
	for (uint64_t key = 0; key < KEYS; key++)
		if (ids[pick_key(p, key)] - 1000 != before[key])
			moved++;
	print_message("    %u of %u keys moved, one in %u had to\n", moved, KEYS, COUNT);
	assert_in_range(moved, KEYS / COUNT - 100, 2 * KEYS / COUNT);
	picker_hash.destroy(p);
}

/* In a slow start a share of a backend's keys comes to it, and those stay. */
static void test_slow_start(void **state)
{
	unsigned weights[COUNT];
	uint64_t ids[COUNT];
	unsigned had = 0;
	struct picker *p;

	(void)state;
	set_equal(weights, ids);
	p = create(weights, ids, COUNT);
	remember(p);
	for (unsigned share = 64; share <= 256; share += 64) {
		unsigned has = 0;

		for (size_t i = 0; i < COUNT; i++)
			weights[i] = 256;
		weights[40] = share;
		assert_int_equal(picker_hash.reweigh(p, weights), 0);
		for (uint64_t key = 0; key < KEYS; key++) {
			size_t now = pick_key(p, key);

			assert_true(now == before[key] || before[key] == 40);
			has += now == 40;
		}
		assert_in_range(has, 500 * share / 256 - 90, 500 * share / 256 + 90);
		assert_true(has > had);
		had = has;
	}
	picker_hash.destroy(p);
}

/* A few keys alone: each stays at one backend as long as that has little to do, and fills no
 * backend beyond 1.5 times the mean, within one request. */
static void test_bounded_load(void **state)
{
	unsigned weights[COUNT];
	uint64_t ids[COUNT];
	struct picker *p;
	size_t home;

	(void)state;
	set_equal(weights, ids);
	p = create(weights, ids, COUNT);
	home = pick_key(p, 5);
	for (int i = 0; i < 4; i++) {
		assert_int_equal(pick_key(p, 5), home);
		loads[home].in_flight++;
	}
	assert_true(pick_key(p, 5) != home);
	for (uint64_t i = 0; i < 100 * COUNT; i++)
		loads[pick_key(p, 5 + i % 8)].in_flight++;
	for (size_t i = 0; i < COUNT; i++)
		assert_true(loads[i].in_flight <= 152);
	assert_in_range(loads[home].in_flight, 140, 152);
	picker_hash.destroy(p);
}

/* Beyond four requests: 1.5 times the share of the weight in all that are in flight, this one
 * included; also when weights have changed. */
static void assert_bound(struct picker *p, const unsigned *weights)
{
	uint64_t key = 0;

	for (size_t home = 0; home < 2; home++) {
		memset(loads, 0, sizeof loads);
		while (pick_key(p, key) != home)
			key++;
		for (uint32_t own = 0; own < 30; own++)
			for (uint32_t others = 0; others < 30; others++) {
				uint32_t all = own + others + 1;
				bool takes = own < 4 || own * 2 * (weights[0] + weights[1]) <
								3 * all * weights[home];

				loads[home].in_flight = own;
				loads[1 - home].in_flight = others;
				assert_int_equal(pick_key(p, key), takes ? home : 1 - home);
			}
	}
}

static void test_the_bound_is_one_and_a_half_shares(void **state)
{
	static const unsigned equal[] = { 1, 1 }, weights[] = { 3, 5 }, other[] = { 4, 2 };
	struct picker *p = create(equal, NULL, 2);

	(void)state;
	assert_bound(p, equal);
	picker_hash.destroy(p);
	p = create(weights, NULL, 2);
	assert_bound(p, weights);
	for (int i = 0; i < 3; i++)
		assert_int_equal(picker_hash.reweigh(p, other), 0);
	assert_int_equal(picker_hash.reweigh(p, weights), 0);
	assert_bound(p, weights);
	picker_hash.destroy(p);
}

static uint64_t hardly_any(const struct picker_view *unused)
{
	(void)unused;
	return 0;
}

/* Where nobody has room the one with the least to do for its weight gets it. */
static void test_the_freest_of_the_full(void **state)
{
	static const unsigned weights[] = { 1, 1, 2 };
	static const struct picker_view full = { .load = look, .in_flight = hardly_any };
	struct picker *p = create(weights, NULL, 3);

	(void)state;
	loads[0].in_flight = 9;
	loads[1].in_flight = 7;
	loads[2].in_flight = 16;
	for (uint64_t key = 0; key < 200; key++)
		assert_int_equal(
			picker_hash.pick(p, &(struct pick){ .view = &full, .key = key }), 1);
	loads[2].in_flight = 13;
	for (uint64_t key = 0; key < 200; key++)
		assert_int_equal(
			picker_hash.pick(p, &(struct pick){ .view = &full, .key = key }), 2);
	picker_hash.destroy(p);
}

/* A key of backend `index` whose last 16 bits, mixed, are these, and not low when mixed again. */
static uint64_t find_key(struct picker *p, size_t index, uint64_t bits)
{
	for (uint64_t key = 0;; key++) {
		uint64_t mixed = maglev_mix(key);

		if (mixed % 65536 == bits && maglev_mix(mixed + 1) % 65536 >= 16384 &&
			pick_key(p, key) == index)
			return key;
	}
}

/* To a backend in a slow start its keys come back in an order of their own, by 16 of their bits: as
 * many as its share is of the largest, whatever the weights are. */
static void test_a_share_is_of_the_keys(void **state)
{
	static const unsigned weights[] = { 6, 3 }, slow[] = { 6 * 256, 3 * 64 };
	struct picker *p = create(weights, NULL, 2);
	uint64_t last = find_key(p, 1, 16383), first = find_key(p, 1, 16384);
	uint64_t of_other = find_key(p, 0, 65535);

	(void)state;
	for (uint64_t key = 0; key < KEYS; key++)
		before[key] = pick_key(p, key);
	assert_int_equal(picker_hash.reweigh(p, slow), 0);
	for (uint64_t key = 0; key < KEYS; key++)
		assert_true(pick_key(p, key) == before[key] ||
			    (before[key] == 1 && maglev_mix(key) % 65536 >= 16384));
	assert_int_equal(pick_key(p, last), 1);
	assert_int_equal(pick_key(p, of_other), 0);
	assert_int_equal(pick_key(p, first), 0);
	picker_hash.destroy(p);
}

/* However small weights become beside those of the settings. */
static void test_shares_follow_the_smallest_weights(void **state)
{
	static const unsigned most[] = { PICKER_WEIGHT_MAX, PICKER_WEIGHT_MAX };
	static const unsigned slow[] = { PICKER_WEIGHT_MAX, 256 }, least[] = { 1, 1 };
	struct picker *p = create(most, NULL, 2);

	(void)state;
	for (uint64_t key = 0; key < 1000; key++)
		before[key] = pick_key(p, key);
	assert_int_equal(picker_hash.reweigh(p, slow), 0);
	assert_int_equal(picker_hash.reweigh(p, least), 0);
	for (uint64_t key = 0; key < 1000; key++)
		assert_int_equal(pick_key(p, key), before[key]);
	picker_hash.destroy(p);
}

/* Where a key goes whose own backends are away is the same in every worker, process and version. */
static void test_second_choices_stay_what_they_are(void **state)
{
	uint64_t digest = UINT64_C(0xcbf29ce484222325); /* FNV-1a */
	unsigned weights[COUNT];
	uint64_t ids[COUNT];
	struct picker *p;

	(void)state;
	set_equal(weights, ids);
	p = create(weights, ids, COUNT);
	usable[0] = UINT64_C(1) << 3 | UINT64_C(1) << 50; /* both are missed by one key in four */
	usable[1] = 0;
	for (uint64_t key = 0; key < 3000; key++)
		digest = (digest ^ pick_key(p, key)) * UINT64_C(0x100000001b3);
	assert_true(digest == UINT64_C(0x996b678e17f4c71d));
	picker_hash.destroy(p);
}

static void test_failures_fill(void **state)
{
	static const unsigned weights[] = { 1, 1 };
	struct picker *p = create(weights, NULL, 2);
	size_t home = pick_key(p, 9);

	(void)state;
	loads[home].failing = 4 * PICKER_FAILURE;
	assert_true(pick_key(p, 9) != home);
	picker_hash.destroy(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_one_is_away),
		cmocka_unit_test(test_one_is_gone),
		cmocka_unit_test(test_slow_start),
		cmocka_unit_test(test_bounded_load),
		cmocka_unit_test(test_the_bound_is_one_and_a_half_shares),
		cmocka_unit_test(test_the_freest_of_the_full),
		cmocka_unit_test(test_a_share_is_of_the_keys),
		cmocka_unit_test(test_shares_follow_the_smallest_weights),
		cmocka_unit_test(test_second_choices_stay_what_they_are),
		cmocka_unit_test(test_failures_fill),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
