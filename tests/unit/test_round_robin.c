/* Round robin: exact shares, even distances, workers out of step, and what a turn missed costs. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "balance/picker.h"

static struct rng rng;
static struct pick query;
static struct picker *picker;
static uint64_t usable[1];
static const struct picker_view view = { .usable = usable };

static void begin(const unsigned *weights, size_t count, uint32_t slot)
{
	rng_seed(&rng, 3, slot, 1, 0);
	query = (struct pick){ .rng = &rng };
	picker = picker_round_robin.create(
		&(struct picker_members){ .weights = weights, .count = count });
	assert_non_null(picker);
}

static size_t pick_one(void)
{
	return picker_round_robin.pick(picker, &query);
}

static void assert_rounds(const unsigned *weights, size_t count, int rounds)
{
	unsigned total = 0;

	for (size_t i = 0; i < count; i++)
		total += weights[i];
	while (rounds-- > 0) {
		unsigned seen[16] = { 0 };

		for (unsigned i = 0; i < total; i++)
			seen[pick_one()]++;
		/* Where a deadline falls on the end of a round it may be this one's or the next's.
		 */
		for (size_t i = 0; i < count; i++)
			assert_in_range(seen[i] + 1, weights[i], weights[i] + 2);
	}
}

static void test_each_round_is_exact(void **state)
{
	static const unsigned equal[] = { 1, 1, 1, 1, 1 };
	static const unsigned weights[] = { 5, 1, 0, 3, 7 };
	size_t order[5];

	(void)state;
	begin(equal, 5, 1);
	for (size_t i = 0; i < 5; i++)
		order[i] = pick_one();
	for (size_t i = 0; i < 500; i++)
		assert_int_equal(pick_one(), order[i % 5]);
	picker_round_robin.destroy(picker);
	begin(weights, 5, 1);
	assert_rounds(weights, 5, 1000);
	picker_round_robin.destroy(picker);
}

/* Of the others at most one more than its share comes between two turns. */
static void test_it_is_smooth(void **state)
{
	static const unsigned weights[] = { 4, 1, 1, 1, 1 };
	int since = 0;

	(void)state;
	begin(weights, 5, 1);
	for (int i = 0; i < 1000; i++) {
		since = pick_one() == 0 ? 0 : since + 1;
		assert_true(since <= 4);
	}
	picker_round_robin.destroy(picker);
}

/* 64 workers begin anywhere: the first picks of all do not meet. */
static void test_workers_are_out_of_step(void **state)
{
	static const unsigned equal[] = { 1, 1, 1, 1, 1, 1, 1, 1 };
	int seen[8] = { 0 };

	(void)state;
	for (uint32_t slot = 0; slot < 64; slot++) {
		begin(equal, 8, slot);
		seen[pick_one()]++;
		picker_round_robin.destroy(picker);
	}
	for (int i = 0; i < 8; i++)
		assert_in_range(seen[i], 1, 20);
}

static void test_missed_turns(void **state)
{
	static const unsigned equal[] = { 1, 1, 1, 1 };
	size_t tried[1];
	int seen[4] = { 0 };

	(void)state;
	begin(equal, 4, 1);
	tried[0] = pick_one();
	/* Whoever was tried is passed over and has its turn with the next request. */
	for (int i = 0; i < 2; i++)
		pick_one();
	pick_one();
	query.tried = tried;
	query.tried_count = 1;
	assert_true(pick_one() != tried[0]);
	query.tried_count = 0;
	assert_int_equal(pick_one(), tried[0]);
	/* Whoever was away for long is not given all turns that it missed. */
	usable[0] = 0x7;
	query.view = &view;
	for (int i = 0; i < 300; i++)
		assert_true(pick_one() != 3);
	usable[0] = 0xf;
	for (int i = 0; i < 40; i++)
		seen[pick_one()]++;
	for (int i = 0; i < 4; i++)
		assert_in_range(seen[i], 9, 11);
	/* Nor are turns lost while nobody may be picked. */
	usable[0] = 0;
	for (int i = 0; i < 100; i++)
		assert_true(pick_one() == PICKER_NONE);
	usable[0] = 0xf;
	memset(seen, 0, sizeof seen);
	for (int i = 0; i < 40; i++)
		seen[pick_one()]++;
	for (int i = 0; i < 4; i++)
		assert_in_range(seen[i], 9, 11);
	picker_round_robin.destroy(picker);
}

/* However many a request has tried: each of them keeps its turn for the next one. */
static void test_all_that_were_tried_keep_their_turns(void **state)
{
	static const unsigned equal[] = { 1, 1, 1, 1, 1 };

	(void)state;
	begin(equal, 5, 1);
	for (int round = 0; round < 20; round++) {
		size_t order[5];

		for (size_t i = 0; i < 5; i++)
			order[i] = pick_one();
		query.tried = order;
		query.tried_count = 3;
		assert_int_equal(pick_one(), order[3]);
		query.tried_count = 0;
		for (size_t i = 0; i < 3; i++)
			assert_int_equal(pick_one(), order[i]);
		assert_int_equal(pick_one(), order[4]);
	}
	picker_round_robin.destroy(picker);
}

/* Other weights do not begin the round anew: a worker that is told so often still goes round. */
static void test_weights_change_all_the_time(void **state)
{
	static const unsigned weights[2][4] = { { 1, 1, 1, 1 }, { 256, 256, 256, 26 } };
	int seen[4] = { 0 };

	(void)state;
	begin(weights[0], 4, 1);
	for (int i = 0; i < 4000; i++) {
		assert_int_equal(picker_round_robin.reweigh(picker, weights[i % 2]), 0);
		seen[pick_one()]++;
	}
	for (int i = 0; i < 3; i++)
		assert_in_range(seen[i], 900, 1340);
	assert_in_range(seen[3], 100, 1000);
	picker_round_robin.destroy(picker);
}

/* One that was alone for long owes nothing to one that comes: they take turns from then on. */
static void test_who_was_alone_takes_turns(void **state)
{
	static const unsigned alone[] = { 1, 0 }, both[] = { 1, 1 }, other[] = { 0, 1 };
	int seen[2] = { 0 };

	(void)state;
	begin(alone, 2, 1);
	for (int i = 0; i < 1000; i++)
		assert_int_equal(pick_one(), 0);
	assert_int_equal(picker_round_robin.reweigh(picker, both), 0);
	for (int i = 0; i < 10; i++)
		seen[pick_one()]++;
	assert_in_range(seen[0], 4, 6);
	for (int i = 0; i < 100; i++)
		seen[pick_one()]++;
	assert_in_range(seen[0], 54, 56);
	assert_int_equal(picker_round_robin.reweigh(picker, other), 0);
	for (int i = 0; i < 100; i++)
		assert_int_equal(pick_one(), 1);
	picker_round_robin.destroy(picker);
}

/* A weight that changes keeps the place in the round: what is left of a step grows with the step.
 */
static void test_a_place_in_the_round_is_kept(void **state)
{
	static const unsigned before[] = { 1, 1, 1, 1 }, after[] = { 64, 64, 64, 64 };
	size_t order[4];

	(void)state;
	for (uint32_t slot = 0; slot < 50; slot++) {
		begin(before, 4, slot);
		for (size_t i = 0; i < 4; i++)
			order[i] = pick_one();
		assert_int_equal(picker_round_robin.reweigh(picker, after), 0);
		for (size_t i = 0; i < 40; i++)
			assert_int_equal(pick_one(), order[i % 4]);
		assert_int_equal(picker_round_robin.reweigh(picker, before), 0);
		for (size_t i = 0; i < 40; i++)
			assert_int_equal(pick_one(), order[i % 4]);
		picker_round_robin.destroy(picker);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each_round_is_exact),
		cmocka_unit_test(test_it_is_smooth),
		cmocka_unit_test(test_workers_are_out_of_step),
		cmocka_unit_test(test_missed_turns),
		cmocka_unit_test(test_all_that_were_tried_keep_their_turns),
		cmocka_unit_test(test_weights_change_all_the_time),
		cmocka_unit_test(test_who_was_alone_takes_turns),
		cmocka_unit_test(test_a_place_in_the_round_is_kept),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
