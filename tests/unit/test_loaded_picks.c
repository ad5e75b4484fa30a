/* The pickers that look at what backends are doing: what each makes of loads that the test sets. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "balance/picker.h"

#define COUNT_OF(array) (sizeof(array) / sizeof(array)[0])
#define MOST            1000

struct scene {
	const struct picker_kind *kind;
	struct picker *picker;
	struct rng rng;
	struct picker_view view;
	struct pick pick;
	struct picker_load loads[MOST];
	uint32_t seen[MOST];
	uint32_t looks;
};

static struct scene scene;

static void look(const struct picker_view *view, size_t index, struct picker_load *load)
{
	(void)view;
	scene.looks++;
	*load = scene.loads[index];
}

static void begin(const struct picker_kind *kind, const unsigned *weights, size_t count)
{
	memset(&scene, 0, sizeof scene);
	scene.kind = kind;
	scene.view.load = look;
	scene.pick.rng = &scene.rng;
	scene.pick.view = &scene.view;
	rng_seed(&scene.rng, 11, 2, 1, 0);
	scene.picker = kind->create(&(struct picker_members){ .weights = weights, .count = count });
	assert_non_null(scene.picker);
}

static void end(void)
{
	scene.kind->destroy(scene.picker);
}

static size_t pick_one(void)
{
	size_t index = scene.kind->pick(scene.picker, &scene.pick);

	assert_true(index < MOST);
	return index;
}

static void pick_many(int picks)
{
	memset(scene.seen, 0, sizeof scene.seen);
	for (int i = 0; i < picks; i++)
		scene.seen[pick_one()]++;
}

/* Every request that is picked stays: what a pool fills up to. */
static void fill(int picks)
{
	for (int i = 0; i < picks; i++)
		scene.loads[pick_one()].in_flight++;
}

static void test_two_choices_takes_the_freer(void **state)
{
	static const unsigned equal[] = { 1, 1 };
	static const unsigned weights[] = { 1, 3 };

	(void)state;
	begin(&picker_two_choices, equal, 2);
	scene.loads[0].in_flight = 1;
	pick_many(100);
	assert_int_equal(scene.seen[1], 100);
	end();
	begin(&picker_two_choices, weights, 2);
	scene.loads[0].in_flight = 1; /* 2 for each weight with the next one, against 5/3 */
	scene.loads[1].in_flight = 4;
	pick_many(100);
	assert_int_equal(scene.seen[1], 100);
	scene.loads[1].in_flight = 6; /* 7/3 */
	pick_many(100);
	assert_int_equal(scene.seen[0], 100);
	end();
}

static void test_two_choices_ties(void **state)
{
	static const unsigned equal[] = { 1, 1 };
	static const unsigned weights[] = { 1, 3 };

	(void)state;
	begin(&picker_two_choices, equal, 2);
	scene.loads[0].in_flight = scene.loads[1].in_flight = 4;
	pick_many(1000);
	assert_in_range(scene.seen[0], 430, 570);
	scene.loads[0].recent = 10;
	scene.loads[1].recent = 9;
	pick_many(100);
	assert_int_equal(scene.seen[1], 100);
	end();
	begin(&picker_two_choices, weights, 2);
	pick_many(4000); /* idle: as the weights are */
	assert_in_range(scene.seen[0], 880, 1120);
	scene.loads[0].recent = 10;
	scene.loads[1].recent = 29;
	pick_many(100);
	assert_int_equal(scene.seen[1], 100);
	scene.loads[1].recent = 31;
	pick_many(100);
	assert_int_equal(scene.seen[0], 100);
	end();
}

/* One that fails at once is never busy; its failures are. */
static void test_two_choices_avoids_who_fails(void **state)
{
	static const unsigned equal[] = { 1, 1 };

	(void)state;
	begin(&picker_two_choices, equal, 2);
	scene.loads[1].in_flight = 2;
	scene.loads[0].failing = 2 * PICKER_FAILURE + 1;
	pick_many(100);
	assert_int_equal(scene.seen[1], 100);
	scene.loads[0].failing = 2 * PICKER_FAILURE - 1;
	pick_many(100);
	assert_int_equal(scene.seen[0], 100);
	end();
}

/* Two looks a pick; and only the busiest is never taken. */
static void test_two_choices_of_three(void **state)
{
	static const unsigned equal[] = { 1, 1, 1 };

	(void)state;
	begin(&picker_two_choices, equal, 3);
	scene.loads[1].in_flight = 1;
	scene.loads[2].in_flight = 2;
	pick_many(3000);
	assert_int_equal(scene.looks, 6000);
	assert_in_range(scene.seen[0], 1870, 2130);
	assert_int_equal(scene.seen[0] + scene.seen[1], 3000);
	end();
}

/* 1,000 balls into 1,000 bins: a random choice leaves 5 or more in the fullest, two choices 3 or 4.
 */
static void test_two_choices_fill(void **state)
{
	static unsigned weights[MOST];

	(void)state;
	for (size_t i = 0; i < MOST; i++)
		weights[i] = 1;
	begin(&picker_two_choices, weights, MOST);
	fill(MOST);
	for (size_t i = 0; i < MOST; i++)
		assert_true(scene.loads[i].in_flight <= 4);
	end();
	for (size_t i = 0; i < MOST; i++)
		weights[i] = 1 + (unsigned)(i % 4);
	begin(&picker_two_choices, weights, MOST);
	fill(10 * 2500);
	for (size_t i = 0; i < MOST; i++)
		assert_in_range(scene.loads[i].in_flight, 10 * weights[i] - 7, 10 * weights[i] + 7);
	end();
}

static void test_least_of_few(void **state)
{
	static const unsigned equal[] = { 1, 1, 1, 1 };
	static const unsigned weights[] = { 1, 4 };

	(void)state;
	begin(&picker_least_requests, equal, 4);
	for (size_t i = 0; i < 4; i++)
		scene.loads[i].in_flight = 7;
	scene.loads[3].in_flight = 6;
	pick_many(100);
	assert_int_equal(scene.seen[3], 100);
	scene.loads[3].failing = PICKER_FAILURE;
	pick_many(4000); /* all are equal again */
	for (size_t i = 0; i < 4; i++)
		assert_in_range(scene.seen[i], 880, 1120);
	end();
	begin(&picker_least_requests, weights, 2);
	pick_many(5000);
	assert_in_range(scene.seen[0], 880, 1120);
	scene.loads[0].in_flight = 1;
	scene.loads[1].in_flight = 2;
	pick_many(100);
	assert_int_equal(scene.seen[1], 100);
	end();
}

/* Of a thousand four are looked at; one idle one among them is found when it is drawn. */
static void test_least_of_many(void **state)
{
	static unsigned weights[MOST];

	(void)state;
	for (size_t i = 0; i < MOST; i++)
		weights[i] = 1;
	begin(&picker_least_requests, weights, MOST);
	for (size_t i = 400; i < MOST; i++)
		scene.loads[i].in_flight = 3;
	pick_many(1000);
	assert_int_equal(scene.looks, 4000);
	/* Two fifths are idle: all four draws miss those in 13 % of the picks. */
	for (size_t i = 400; i < MOST; i++)
		scene.seen[0] += scene.seen[i];
	assert_in_range(scene.seen[0], 80, 190);
	end();
	begin(&picker_least_requests, weights, MOST);
	fill(3 * MOST);
	for (size_t i = 0; i < MOST; i++)
		assert_true(scene.loads[i].in_flight <= 5);
	end();
}

/* Many workers that see the same old numbers spread over all that are as good. */
static void test_least_does_not_herd(void **state)
{
	static unsigned weights[MOST];

	(void)state;
	for (size_t i = 0; i < MOST; i++)
		weights[i] = 1;
	begin(&picker_least_requests, weights, MOST);
	for (size_t i = 0; i < MOST; i++)
		scene.loads[i].in_flight = 1 + (uint32_t)(i % 5);
	scene.loads[4].in_flight = 0;
	pick_many(2000);
	assert_in_range(scene.seen[4], 1, 30); /* it is in 4 of 1000 draws */
	for (size_t i = 0; i < MOST; i++)
		assert_true(i == 4 || scene.seen[i] < 35);
	end();
}

/* Three draws of two backends are both, so the faster one gets all but half of the explorers. */
static void test_latency_takes_the_fast(void **state)
{
	static const unsigned equal[] = { 1, 1 };

	(void)state;
	begin(&picker_latency, equal, 2);
	scene.loads[0].latency_us = 1000;
	scene.loads[1].latency_us = 1100;
	pick_many(16000);
	assert_in_range(scene.seen[1], 380, 620);
	end();
}

/* Whose latency is not known is tried, but waited for. */
static void test_latency_not_known(void **state)
{
	static const unsigned equal[] = { 1, 1 };

	(void)state;
	begin(&picker_latency, equal, 2);
	scene.loads[0].latency_us = 1; /* as fast as any is known to be */
	pick_many(160);
	assert_true(scene.seen[1] > 140);
	scene.loads[1].in_flight = 1;
	pick_many(160);
	assert_true(scene.seen[0] > 140);
	end();
}

/* A fast one that is much busier than the others is left alone, and nobody explores it. */
static void test_latency_leaves_the_hot(void **state)
{
	static const unsigned equal[] = { 1, 1, 1, 1, 1, 1, 1, 1, 1, 1 };

	(void)state;
	begin(&picker_latency, equal, COUNT_OF(equal));
	for (size_t i = 0; i < COUNT_OF(equal); i++)
		scene.loads[i] = (struct picker_load){ .in_flight = 2, .latency_us = 1000 };
	scene.loads[4].in_flight = 9;
	scene.loads[4].latency_us = 10;
	pick_many(1000); /* what is usual here */
	pick_many(2000);
	assert_in_range(scene.seen[4], 0, 20);
	scene.loads[4].in_flight = 2;
	scene.loads[7].failing = 9 * PICKER_FAILURE;
	scene.loads[7].latency_us = 1;
	pick_many(2000);
	assert_true(scene.seen[4] > 400);
	assert_in_range(scene.seen[7], 0, 20);
	end();
}

/* When all are hot the least busy gets it: it has weight 4, so 6 are fewer than 2. */
static void test_latency_all_hot(void **state)
{
	static const unsigned weights[] = { 4, 1 };

	(void)state;
	begin(&picker_latency, weights, 2);
	scene.loads[0] = (struct picker_load){ .in_flight = 600, .latency_us = 2000 };
	scene.loads[1] = (struct picker_load){ .in_flight = 200, .latency_us = 1000 };
	pick_many(20);
	assert_int_equal(scene.seen[0], 20);
	end();
}

/* Where one is left that one gets it, and where nobody is nobody does: in a small pool and in one
 * of which not all are looked at. */
static void test_one_left_and_none(void **state)
{
	static const struct picker_kind *const kinds[] = { &picker_two_choices,
		&picker_least_requests, &picker_latency };
	static const unsigned weights[] = { 1, 0, 2, 1, 3, 1, 1, 4, 1 };
	static const size_t counts[] = { 1, 4, 5, COUNT_OF(weights) };

	(void)state;
	for (size_t i = 0; i < COUNT_OF(kinds) * COUNT_OF(counts); i++) {
		size_t count = counts[i % COUNT_OF(counts)];
		uint64_t usable = 0;

		begin(kinds[i / COUNT_OF(counts)], weights, count);
		scene.view.usable = &usable;
		for (size_t k = 0; k < count; k++) {
			usable = UINT64_C(1) << k;
			scene.loads[k].in_flight = (uint32_t)k;
			for (int n = 0; n < 40; n++)
				assert_true(scene.kind->pick(scene.picker, &scene.pick) ==
					    (weights[k] > 0 ? k : PICKER_NONE));
		}
		usable = 0;
		for (int n = 0; n < 40; n++)
			assert_true(scene.kind->pick(scene.picker, &scene.pick) == PICKER_NONE);
		end();
	}
}

/* One without a weight never gets anything, idle as it is. */
static void test_no_weight_no_request(void **state)
{
	static const unsigned weights[] = { 1, 0, 1 };
	static const struct picker_kind *const kinds[] = { &picker_two_choices,
		&picker_least_requests, &picker_latency };

	(void)state;
	for (size_t i = 0; i < COUNT_OF(kinds); i++) {
		begin(kinds[i], weights, 3);
		scene.loads[0].in_flight = 3;
		scene.loads[2].in_flight = 2;
		pick_many(200);
		assert_int_equal(scene.seen[1], 0);
		assert_true(scene.seen[2] > 150);
		end();
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_two_choices_takes_the_freer),
		cmocka_unit_test(test_two_choices_ties),
		cmocka_unit_test(test_two_choices_avoids_who_fails),
		cmocka_unit_test(test_two_choices_of_three),
		cmocka_unit_test(test_two_choices_fill),
		cmocka_unit_test(test_least_of_few),
		cmocka_unit_test(test_least_of_many),
		cmocka_unit_test(test_least_does_not_herd),
		cmocka_unit_test(test_latency_takes_the_fast),
		cmocka_unit_test(test_latency_not_known),
		cmocka_unit_test(test_latency_leaves_the_hot),
		cmocka_unit_test(test_latency_all_hot),
		cmocka_unit_test(test_one_left_and_none),
		cmocka_unit_test(test_no_weight_no_request),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
