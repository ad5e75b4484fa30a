/*
 * What every picker must do, whatever its algorithm: shares that follow the weights, nobody who was
 * tried, may not be used or is full, one backend and none, ten thousand, other weights, short
 * memory. What only one of them does stands in tests of its own.
 */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "balance/health.h"
#include "balance/pickers.h"
#include "base/memory.h"

#define COUNT_OF(array) (sizeof(array) / sizeof(array)[0])
#define MANY            10000

/* A picker and all that its picks see. */
struct scene {
	const struct picker_kind *kind;
	struct picker *picker;
	struct rng rng;
	struct picker_view view;
	struct pick pick;
	uint32_t seen[MANY];
	bool full[MANY];
};

static struct scene scene;

static bool is_full(const struct picker_view *view, size_t index)
{
	return ((const struct scene *)view->context)->full[index];
}

static void begin(const struct picker_kind *kind, const unsigned *weights, size_t count)
{
	memset(&scene, 0, sizeof scene);
	scene.kind = kind;
	scene.view.context = &scene;
	scene.pick.rng = &scene.rng;
	rng_seed(&scene.rng, 7, 1, 1, 0);
	scene.picker = kind->create(&(struct picker_members){ .weights = weights, .count = count });
	assert_non_null(scene.picker);
}

static void end(void)
{
	scene.kind->destroy(scene.picker);
}

/* As for clients that come and go: a new key each time. */
static size_t pick_one(void)
{
	scene.pick.key = rng_next(&scene.rng);
	return scene.kind->pick(scene.picker, &scene.pick);
}

static void pick_many(int picks)
{
	memset(scene.seen, 0, sizeof scene.seen);
	for (int i = 0; i < picks; i++) {
		size_t index = pick_one();

		assert_true(index < MANY);
		scene.seen[index]++;
	}
}

/* Chi-square of what was seen against the weights; where the weight is 0 nothing may be. */
static double spread(const unsigned *weights, size_t count)
{
	double total = 0;
	double picks = 0;
	double sum = 0;

	for (size_t i = 0; i < count; i++) {
		total += weights[i];
		picks += scene.seen[i];
	}
	for (size_t i = 0; i < count; i++) {
		double expected = picks * weights[i] / total;

		if (weights[i] == 0)
			assert_int_equal(scene.seen[i], 0);
		else
			sum += (scene.seen[i] - expected) * (scene.seen[i] - expected) / expected;
	}
	return sum;
}

typedef void check(const struct picker_kind *kind);

static void for_all(check *run)
{
	for (const struct picker_kind *const *kind = pickers_all; *kind != NULL; kind++) {
		print_message("    %s\n", (*kind)->name);
		run(*kind);
	}
}

/* 99.9 % points of chi-square. A table of 65,537 places gives shares only so exact: hence no more
 * picks than show the weights. */
static void check_shares(const struct picker_kind *kind)
{
	static const unsigned equal[] = { 1, 1, 1 };
	static const unsigned weights[] = { 1, 2, 0, 3, 10, 256 };

	begin(kind, equal, COUNT_OF(equal));
	pick_many(30000);
	assert_true(spread(equal, COUNT_OF(equal)) < 13.8);
	end();
	begin(kind, weights, COUNT_OF(weights));
	pick_many(30000);
	assert_true(spread(weights, COUNT_OF(weights)) < 18.5);
	end();
}

static void test_shares(void **state)
{
	(void)state;
	for_all(check_shares);
}

static void check_tried(const struct picker_kind *kind)
{
	static const unsigned weights[] = { 5, 1, 0, 200, 3 };
	size_t tried[COUNT_OF(weights)];

	begin(kind, weights, COUNT_OF(weights));
	scene.pick.tried = tried;
	for (int round = 0; round < 200; round++) {
		bool had[COUNT_OF(weights)] = { false };

		for (size_t i = 0; i < 4; i++) {
			scene.pick.tried_count = i;
			tried[i] = pick_one();
			assert_true(tried[i] < COUNT_OF(weights) && weights[tried[i]] > 0);
			assert_false(had[tried[i]]);
			had[tried[i]] = true;
		}
		scene.pick.tried_count = 4;
		assert_true(pick_one() == PICKER_NONE);
	}
	end();
}

static void test_never_one_that_was_tried(void **state)
{
	(void)state;
	for_all(check_tried);
}

static void check_none(const struct picker_kind *kind)
{
	static const unsigned zeros[] = { 0, 0 };

	begin(kind, zeros, 2);
	assert_true(pick_one() == PICKER_NONE);
	end();
	begin(kind, zeros, 0);
	assert_true(pick_one() == PICKER_NONE);
	end();
	kind->destroy(NULL);
}

static void test_none(void **state)
{
	(void)state;
	for_all(check_none);
}

static void check_one(const struct picker_kind *kind)
{
	static const unsigned one[] = { 7 };
	static const unsigned least[] = { 1 };
	static const unsigned one_of_three[] = { 0, 256, 0 };
	static const size_t tried[] = { 1 };

	begin(kind, one, 1);
	pick_many(100);
	assert_int_equal(scene.seen[0], 100);
	end();
	begin(kind, least, 1);
	pick_many(100);
	assert_int_equal(scene.seen[0], 100);
	end();
	begin(kind, one_of_three, 3);
	pick_many(100);
	assert_int_equal(scene.seen[1], 100);
	scene.pick.tried = tried;
	scene.pick.tried_count = 1;
	assert_true(pick_one() == PICKER_NONE);
	end();
}

static void test_one(void **state)
{
	(void)state;
	for_all(check_one);
}

/* Bits that say who is usable hold at once, even before the weights are told. */
static void check_usable(const struct picker_kind *kind)
{
	static const unsigned weights[] = { 1, 1, 50, 2, 1 };
	static const unsigned left[] = { 1, 0, 0, 2, 1 };
	static const uint64_t usable[] = { 0x19 };
	static const uint64_t nobody[] = { 0 };

	begin(kind, weights, COUNT_OF(weights));
	scene.pick.view = &scene.view;
	scene.view.usable = usable;
	pick_many(5000);
	assert_int_equal(scene.seen[1] + scene.seen[2], 0);
	assert_true(scene.seen[0] > 0 && scene.seen[3] > 0 && scene.seen[4] > 0);
	assert_int_equal(kind->reweigh(scene.picker, left), 0);
	pick_many(20000);
	assert_true(spread(left, COUNT_OF(left)) < 13.8);
	scene.view.usable = nobody;
	assert_true(pick_one() == PICKER_NONE);
	scene.view.usable = NULL;
	assert_int_equal(kind->reweigh(scene.picker, weights), 0);
	pick_many(20000);
	assert_true(spread(weights, COUNT_OF(weights)) < 18.5);
	end();
}

static void test_usable(void **state)
{
	(void)state;
	for_all(check_usable);
}

static void check_full(const struct picker_kind *kind)
{
	static const unsigned weights[] = { 1, 1, 30, 2 };

	begin(kind, weights, COUNT_OF(weights));
	scene.pick.view = &scene.view;
	scene.view.is_full = is_full;
	scene.full[2] = true;
	pick_many(1000);
	assert_int_equal(scene.seen[2], 0);
	assert_true(scene.seen[0] > 0 && scene.seen[1] > 0 && scene.seen[3] > 0);
	memset(scene.full, true, sizeof scene.full);
	assert_true(pick_one() == PICKER_NONE);
	memset(scene.full, false, sizeof scene.full);
	pick_many(1000);
	assert_true(scene.seen[2] > 800);
	end();
}

static void test_full(void **state)
{
	(void)state;
	for_all(check_full);
}

/* The sum of squares around its mean is like a normal one with a deviation of sqrt(2n): 4.5 of
 * those, and the table of `hash` adds its own. */
static void check_many(const struct picker_kind *kind)
{
	static unsigned weights[MANY];

	for (size_t i = 0; i < MANY; i++)
		weights[i] = (unsigned)(i % 4);
	begin(kind, weights, MANY);
	pick_many(60000);
	assert_true(spread(weights, MANY) < 7500 + 600);
	end();
}

static void test_ten_thousand(void **state)
{
	(void)state;
	for_all(check_many);
}

/* Half are gone, in a pattern, and their bits too: the others get it by their weights. */
static void check_half(const struct picker_kind *kind)
{
	static unsigned weights[MANY];
	static struct health_report reports[MANY];
	struct health health;

	for (size_t i = 0; i < MANY; i++) {
		weights[i] = 1 + (unsigned)(i % 3);
		reports[i].state = i % 2 == 0 ? HEALTH_READY : HEALTH_REFUSING;
		reports[i].share = HEALTH_FULL_SHARE;
	}
	assert_int_equal(health_init(&health, weights, MANY, 50), 0);
	begin(kind, weights, MANY);
	assert_true(health_update(&health, reports));
	scene.pick.view = &scene.view;
	scene.view.usable = health.usable;
	assert_int_equal(kind->reweigh(scene.picker, health.weights), 0);
	pick_many(40000);
	assert_true(spread(health.weights, MANY) < 5000 + 600);
	end();
	health_fini(&health);
}

static void test_half_of_ten_thousand(void **state)
{
	(void)state;
	for_all(check_half);
}

static void check_memory(const struct picker_kind *kind)
{
	static const unsigned weights[] = { 1, 2, 3 };
	static const unsigned other[] = { 0, 0, 1 };
	const struct picker_members members = { .weights = weights, .count = COUNT_OF(weights) };
	struct picker *p = NULL;

	for (long i = 0; p == NULL; i++) {
		assert_true(i < 10);
		mem_fail_after(i);
		p = kind->create(&members);
		mem_fail_after(-1);
		assert_true(i > 0 || p == NULL);
	}
	/* One that was made is whole. */
	rng_seed(&scene.rng, 7, 1, 1, 0);
	scene.pick = (struct pick){ .rng = &scene.rng };
	for (int i = 0; i < 100; i++)
		assert_true(kind->pick(p, &scene.pick) < COUNT_OF(weights));
	kind->destroy(p);
	begin(kind, weights, COUNT_OF(weights));
	for (long i = 0, result = -1; result == -1; i++) {
		assert_true(i < 10);
		mem_fail_after(i);
		result = kind->reweigh(scene.picker, other);
		mem_fail_after(-1);
		assert_true(result == 0 || result == -1);
		pick_many(100);
		assert_int_equal(result == 0, scene.seen[2] == 100);
	}
	end();
}

static void test_short_of_memory(void **state)
{
	(void)state;
	for_all(check_memory);
}

/* A sum that does not fit into 32 bits is refused, not wrapped. */
static void check_sum(const struct picker_kind *kind)
{
	enum { TOO_MANY = 65536 };
	unsigned *weights = mem_zalloc(TOO_MANY, sizeof *weights);
	const struct picker_members members = { .weights = weights, .count = TOO_MANY };

	assert_non_null(weights);
	for (size_t i = 0; i < TOO_MANY; i++)
		weights[i] = PICKER_WEIGHT_MAX;
	assert_null(kind->create(&members));
	mem_free(weights);
}

/* The largest sum that fits is one that may be. */
static void check_largest_sum(const struct picker_kind *kind)
{
	static const unsigned most[] = { UINT32_MAX - 1, 1 };
	static const unsigned more[] = { UINT32_MAX - 1, 2 };

	begin(kind, most, 2);
	pick_many(100);
	assert_true(scene.seen[0] >= 99);
	end();
	assert_null(kind->create(&(struct picker_members){ .weights = more, .count = 2 }));
}

static void test_largest_sum_of_weights(void **state)
{
	(void)state;
	for_all(check_largest_sum);
}

/* All may go, and come back. */
static void check_all_gone(const struct picker_kind *kind)
{
	static const unsigned weights[] = { 3, 1, 2 };
	static const unsigned zeros[] = { 0, 0, 0 };

	begin(kind, weights, COUNT_OF(weights));
	pick_many(100);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(kind->reweigh(scene.picker, zeros), 0);
		assert_true(pick_one() == PICKER_NONE);
		assert_int_equal(kind->reweigh(scene.picker, weights), 0);
		pick_many(6000);
		assert_true(spread(weights, COUNT_OF(weights)) < 13.8);
	}
	end();
}

static void test_all_gone_and_back(void **state)
{
	(void)state;
	for_all(check_all_gone);
}

static void test_sum_of_weights(void **state)
{
	(void)state;
	for_all(check_sum);
}

/* What a pool of 12 goes through: requests come and go, some fail, backends answer at different
 * speeds, are away, full, or given other weights. */
#define PLAYERS     12
#define OUTSTANDING 40

static struct picker_load loads[PLAYERS];

static void look(const struct picker_view *view, size_t index, struct picker_load *load)
{
	(void)view;
	*load = loads[index];
}

static uint64_t in_flight(const struct picker_view *view)
{
	uint64_t sum = 0;

	(void)view;
	for (size_t i = 0; i < PLAYERS; i++)
		sum += loads[i].in_flight;
	return sum;
}

static void change_something(int step, uint64_t *usable)
{
	static const unsigned weights[3][PLAYERS] = { { 1, 2, 3, 0, 5, 1, 1, 8, 2, 2, 40, 1 },
		{ 1, 2, 3, 9, 5, 1, 1, 8, 2, 2, 4, 1 },
		{ 256, 300, 64, 2, 0, 1, 7, 8, 90, 5, 1, 0 } };

	if (step % 50 == 0)
		*usable = step % 250 == 0 ? 0x810 : rng_next(&scene.rng) | 0x410;
	if (step % 90 == 0)
		scene.full[step / 90 % PLAYERS] = !scene.full[step / 90 % PLAYERS];
	if (step % 400 == 0)
		assert_int_equal(scene.kind->reweigh(scene.picker, weights[step / 400 % 3]), 0);
}

static uint64_t play(const struct picker_kind *kind)
{
	static const unsigned weights[PLAYERS] = { 1, 2, 3, 0, 5, 1, 1, 8, 2, 2, 40, 1 };
	size_t on_their_way[OUTSTANDING];
	uint64_t digest = UINT64_C(0xcbf29ce484222325); /* FNV-1a */
	uint64_t usable = UINT64_MAX;

	begin(kind, weights, PLAYERS);
	memset(loads, 0, sizeof loads);
	scene.view = (struct picker_view){ .context = &scene,
		.usable = &usable,
		.is_full = is_full,
		.load = look,
		.in_flight = in_flight };
	scene.pick.view = &scene.view;
	for (int step = 0; step < 6000; step++) {
		size_t *slot = &on_their_way[step % OUTSTANDING];

		if (step >= OUTSTANDING && *slot != PICKER_NONE)
			loads[*slot].in_flight--;
		change_something(step, &usable);
		*slot = pick_one();
		digest = (digest ^ (uint32_t)*slot) * UINT64_C(0x100000001b3);
		if (*slot == PICKER_NONE)
			continue;
		loads[*slot].in_flight++;
		loads[*slot].recent = loads[*slot].recent * 7 / 8 + PICKER_FAILURE;
		loads[*slot].failing = *slot == 4 ? (uint32_t)step % 700 : 0;
		loads[*slot].latency_us = *slot % 5 == 0 ? 0 : (uint32_t)(1 + *slot * step % 977);
	}
	end();
	return digest;
}

/* A seed of the settings means the same picks in each build: what somebody saw can be seen again.
 * Who changes an algorithm changes this, too, and says so. */
static void test_a_seed_replays(void **state)
{
	static const struct {
		const char *name;
		uint64_t digest;
	} wanted[] = {
		{ "random", UINT64_C(0x9b4857dfb3368eb5) },
		{ "round_robin", UINT64_C(0xf3b71d61b38ef139) },
		{ "two_choices", UINT64_C(0x9d79f3c7b881cd0a) },
		{ "least_requests", UINT64_C(0x9aa93e708726aafc) },
		{ "latency", UINT64_C(0x76376dd12efaf257) },
		{ "hash", UINT64_C(0x87edcb694124dc2) },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(wanted); i++) {
		uint64_t digest = play(pickers_find(wanted[i].name));

		assert_true(digest == play(pickers_find(wanted[i].name)));
		assert_true(digest == wanted[i].digest);
	}
}

static void check_name(const struct picker_kind *kind)
{
	assert_ptr_equal(pickers_find(kind->name), kind);
}

static void test_names(void **state)
{
	(void)state;
	for_all(check_name);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_shares),
		cmocka_unit_test(test_never_one_that_was_tried),
		cmocka_unit_test(test_none),
		cmocka_unit_test(test_one),
		cmocka_unit_test(test_usable),
		cmocka_unit_test(test_full),
		cmocka_unit_test(test_ten_thousand),
		cmocka_unit_test(test_half_of_ten_thousand),
		cmocka_unit_test(test_short_of_memory),
		cmocka_unit_test(test_sum_of_weights),
		cmocka_unit_test(test_largest_sum_of_weights),
		cmocka_unit_test(test_all_gone_and_back),
		cmocka_unit_test(test_a_seed_replays),
		cmocka_unit_test(test_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
