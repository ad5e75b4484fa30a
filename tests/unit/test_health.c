/* Who may be picked, and with which weights: ejection, panic, slow start. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "balance/health.h"
#include "balance/picker.h"
#include "base/memory.h"

#define COUNT 10

static const enum health_state R = HEALTH_READY, E = HEALTH_EJECTED, F = HEALTH_REFUSING,
			       C = HEALTH_CLOSED;

/* One character a backend, as it is to be given and as it comes out. */
static void assert_usable(const char *states, const char *expected, bool panic)
{
	unsigned weights[COUNT];
	struct health_report reports[COUNT];
	size_t count = strlen(states);
	struct health health;

	for (size_t i = 0; i < count; i++) {
		char c = states[i];

		weights[i] = c == '0' ? 0 : 1;
		reports[i].state = c == 'e' ? E : c == 'f' ? F : c == 'c' ? C : R;
		reports[i].share = HEALTH_FULL_SHARE;
	}
	assert_int_equal(health_init(&health, weights, count, 50), 0);
	assert_int_equal(health_update(&health, reports), strcmp(states, expected) != 0);
	assert_false(health_update(&health, reports));
	assert_int_equal(health.panic, panic);
	for (size_t i = 0, usable = 0; i < count; i++) {
		bool is = expected[i] != '-' && expected[i] != '0';

		assert_int_equal(health_is_usable(health.usable, i), is);
		assert_int_equal(health.weights[i], is);
		usable += is;
		assert_true(i + 1 < count || usable == health.usable_count);
	}
	health_fini(&health);
}

static void test_who_is_usable(void **state)
{
	(void)state;
	assert_usable("rrrr", "rrrr", false);
	assert_usable("rref", "rr--", false);
	assert_usable("reee", "reee", true);
	assert_usable("refe", "re-e", true); /* one that refuses never while another answers */
	assert_usable("rfff", "r---", true);
	assert_usable("refff", "re---", true);
	assert_usable("rrefff", "rre---", true);
	assert_usable("rreefff", "rree---", true);
	assert_usable("rrreef", "rrr---", false);
	assert_usable("fefe", "-e-e", true);
	assert_usable("ffff", "ffff", true);
	assert_usable("fffc", "fff-", true);
	assert_usable("cccc", "----", false);
	assert_usable("rcce", "r---", false); /* closed ones are not of those that are lost */
	assert_usable("r0e0", "r0-0", false);
	assert_usable("ree00", "ree00",
		true); /* nor does it help that such as are never picked are fine */
	assert_usable("0000", "0000", false);
}

/* More of them than a word has bits; and until something is known all that have a weight are fine.
 */
static void test_many_words_of_them(void **state)
{
	static const size_t counts[] = { 1, 63, 64, 65, 128, 129, 200 };
	unsigned weights[200];
	struct health_report reports[200];

	(void)state;
	for (size_t i = 0; i < 200; i++) {
		weights[i] = (unsigned)i % 3;
		reports[i].share = HEALTH_FULL_SHARE;
	}
	weights[64] = weights[128] = 1;
	for (size_t n = 0; n < sizeof counts / sizeof counts[0]; n++) {
		struct health health;
		size_t with_weight = 0;

		assert_int_equal(health_init(&health, weights, counts[n], 0), 0);
		for (size_t i = 0; i < counts[n]; i++) {
			assert_int_equal(health_is_usable(health.usable, i), weights[i] > 0);
			assert_int_equal(health.weights[i], weights[i]);
			with_weight += weights[i] > 0;
			reports[i].state = i % 2 == 0 ? E : R;
		}
		assert_int_equal(health.usable_count, with_weight);
		assert_false(health.panic);
		health_update(&health, reports);
		for (size_t i = 0; i < counts[n]; i++)
			assert_int_equal(
				health_is_usable(health.usable, i), weights[i] > 0 && i % 2 != 0);
		health_fini(&health);
		assert_true(health.base == NULL && health.weights == NULL && health.usable == NULL);
		assert_int_equal(health.count, 0);
	}
}

/* Fewer than so many percent, and not as many. */
static void test_panic_begins_below_the_percentage(void **state)
{
	unsigned weights[202];
	struct health_report reports[202];

	(void)state;
	for (size_t i = 0; i < 202; i++) {
		weights[i] = 1;
		reports[i] = (struct health_report){ i < 50 ? R : E, HEALTH_FULL_SHARE };
	}
	for (size_t count = 99; count <= 101; count++) {
		struct health health;

		assert_int_equal(health_init(&health, weights, count, 50), 0);
		/* in a panic all are usable, as they were */
		assert_int_equal(health_update(&health, reports), count <= 100);
		assert_int_equal(health.panic, count > 100);
		assert_int_equal(health.usable_count, count > 100 ? count : 50);
		health_fini(&health);
	}
}

static void test_panic_can_be_off(void **state)
{
	static const unsigned weights[] = { 1, 1 };
	static const struct health_report reports[] = { { HEALTH_EJECTED, HEALTH_FULL_SHARE },
		{ HEALTH_REFUSING, HEALTH_FULL_SHARE } };
	struct health health;

	(void)state;
	assert_int_equal(health_init(&health, weights, 2, 0), 0);
	assert_true(health_update(&health, reports));
	assert_int_equal(health.usable_count, 0);
	assert_false(health.panic);
	health_fini(&health);
}

static void test_slow_start(void **state)
{
	static const unsigned weights[] = { 1, 2, 0, 256 };
	struct health_report reports[] = { { HEALTH_READY, 26 }, { HEALTH_READY, 256 },
		{ HEALTH_READY, 128 }, { HEALTH_READY, 128 } };
	struct health health;

	(void)state;
	assert_int_equal(health_init(&health, weights, 4, 50), 0);
	assert_true(health_update(&health, reports));
	assert_int_equal(health.weights[0], 26);
	assert_int_equal(health.weights[1], 512);
	assert_int_equal(health.weights[2], 0);
	assert_int_equal(health.weights[3], 32768);
	for (size_t i = 0; i < 4; i++)
		reports[i].share = HEALTH_FULL_SHARE;
	assert_true(health_update(&health, reports));
	for (size_t i = 0; i < 4; i++)
		assert_int_equal(health.weights[i], weights[i]);
	health_fini(&health);
}

static void assert_weights(const unsigned base[2], unsigned share, unsigned first, unsigned second)
{
	const struct health_report reports[] = { { HEALTH_READY, share },
		{ HEALTH_READY, HEALTH_FULL_SHARE } };
	struct health health;

	assert_int_equal(health_init(&health, base, 2, 50), 0);
	(void)health_update(&health, reports);
	assert_int_equal(health.weights[0], first);
	assert_int_equal(health.weights[1], second);
	health_fini(&health);
}

/* All are multiplied by as much as their sum has room for in 32 bits, up to a whole share; and who
 * may be picked has a weight. */
static void test_weights_are_multiplied_as_far_as_fits(void **state)
{
	static const unsigned one[] = { 1, 1 };
	static const unsigned fits[] = { 1, 16777214 }; /* 256 times 2^24 - 1 */
	static const unsigned half[] = { 1, 16777215 };
	static const unsigned large[] = { 1, 3000000000u };
	static const unsigned two[] = { 1, 2147483646u };

	(void)state;
	assert_weights(one, 1, 1, 256);
	assert_weights(one, 255, 255, 256);
	assert_weights(fits, 128, 128, 16777214u * 256);
	assert_weights(half, 128, 64, 16777215u * 128);
	assert_weights(two, 255, 1, 2147483646u * 2);
	assert_weights(large, 255, 1, 3000000000u);
	assert_weights(large, 1, 1, 3000000000u);
}

/* However many there are, the sum of their weights fits into the 32 bits that pickers have. */
static void test_many_in_slow_start(void **state)
{
	enum { MANY = 100000 };
	unsigned *weights = mem_zalloc(MANY, sizeof *weights);
	struct health_report *reports = mem_zalloc(MANY, sizeof *reports);
	uint64_t total = 0;
	struct health health;

	(void)state;
	assert_true(weights != NULL && reports != NULL);
	for (size_t i = 0; i < MANY; i++) {
		weights[i] = 256;
		reports[i].share = i == 0 ? 1 : HEALTH_FULL_SHARE;
	}
	assert_int_equal(health_init(&health, weights, MANY, 50), 0);
	assert_true(health_update(&health, reports));
	for (size_t i = 0; i < MANY; i++) {
		assert_true(health.weights[i] > 0);
		total += health.weights[i];
	}
	assert_true(total <= UINT32_MAX);
	assert_true(health.weights[1] >= 255 * health.weights[0]);
	health_fini(&health);
	mem_free(weights);
	mem_free(reports);
}

static void test_short_of_memory(void **state)
{
	static const unsigned weights[] = { 1, 2 };
	struct health health;
	int failures = 0;

	(void)state;
	for (long i = 0;; i++) {
		int result;

		mem_fail_after(i);
		result = health_init(&health, weights, 2, 50);
		if (result == 0)
			break;
		assert_int_equal(result, -1);
		assert_true(health.base == NULL && health.weights == NULL && health.usable == NULL);
		failures++;
		health_fini(&health);
	}
	mem_fail_after(-1);
	assert_int_equal(failures, 3);
	health_fini(&health);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_who_is_usable),
		cmocka_unit_test(test_many_words_of_them),
		cmocka_unit_test(test_panic_begins_below_the_percentage),
		cmocka_unit_test(test_panic_can_be_off),
		cmocka_unit_test(test_slow_start),
		cmocka_unit_test(test_weights_are_multiplied_as_far_as_fits),
		cmocka_unit_test(test_many_in_slow_start),
		cmocka_unit_test(test_short_of_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
