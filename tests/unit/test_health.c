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
	assert_usable("fefe", "-e-e", true);
	assert_usable("ffff", "ffff", true);
	assert_usable("fffc", "fff-", true);
	assert_usable("cccc", "----", false);
	assert_usable("rcce", "r---", false); /* closed ones are not of those that are lost */
	assert_usable("r0e0", "r0-0", false);
	assert_usable("0000", "0000", false);
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
		mem_fail_after(i);
		if (health_init(&health, weights, 2, 50) == 0)
			break;
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
		cmocka_unit_test(test_panic_can_be_off),
		cmocka_unit_test(test_slow_start),
		cmocka_unit_test(test_many_in_slow_start),
		cmocka_unit_test(test_short_of_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
