/* The restart policy: how long a slot whose workers keep dying waits. */
#include "config.h"

#include "master/children/backoff.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

/* The bits that make no jitter for any pause of the policy: the middle of its range. */
static uint64_t next_plain(struct backoff *b, uint64_t lived)
{
	struct backoff copy = *b;
	uint64_t shortest = backoff_next(&copy, lived, 0);

	/* The shortest is three quarters of the plain one. */
	return backoff_next(b, lived, shortest / 3);
}

static void test_sequence(void **state)
{
	static const uint64_t want[] = { 0, 100, 200, 400, 800, 1600, 3200, 5000, 5000, 5000 };
	struct backoff b = { 0 };

	(void)state;
	for (size_t i = 0; i < sizeof want / sizeof *want; i++)
		assert_int_equal(next_plain(&b, 10), want[i]);
}

static void test_never_beyond_the_last_step(void **state)
{
	struct backoff b = { 0 };

	(void)state;
	for (int i = 0; i < 100000; i++)
		(void)backoff_next(&b, 0, 0);
	assert_int_equal(next_plain(&b, 0), BACKOFF_MAX_MS);
}

static void test_long_life_starts_afresh(void **state)
{
	struct backoff b = { 0 };

	(void)state;
	for (int i = 0; i < 20; i++)
		(void)backoff_next(&b, 100, 1);
	assert_int_equal(next_plain(&b, BACKOFF_RESET_MS - 1), BACKOFF_MAX_MS);
	assert_int_equal(next_plain(&b, BACKOFF_RESET_MS), 0);
	assert_int_equal(next_plain(&b, 1), BACKOFF_FIRST_MS);
}

/* Every value from three to five quarters comes, and no other. */
static void test_jitter(void **state)
{
	unsigned seen[51] = { 0 };

	(void)state;
	for (uint64_t random = 0; random < 51 * 4; random++) {
		struct backoff b = { .deaths = 1 };
		uint64_t pause = backoff_next(&b, 0, random * 0x10001);
		assert_in_range(pause, 75, 125);
		seen[pause - 75]++;
	}
	for (int i = 0; i < 51; i++)
		assert_true(seen[i] > 0);
}

/* A worker that dies at once for an hour: the policy bounds how many are started. */
static void test_crash_loop_for_an_hour(void **state)
{
	struct backoff b = { 0 };
	uint64_t now = 0;
	unsigned starts = 0;

	(void)state;
	while (now < 3600000) {
		now += 20 + backoff_next(&b, 20, now * 2654435761u);
		starts++;
	}
	assert_in_range(starts, 600, 900);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sequence),
		cmocka_unit_test(test_never_beyond_the_last_step),
		cmocka_unit_test(test_long_life_starts_afresh),
		cmocka_unit_test(test_jitter),
		cmocka_unit_test(test_crash_loop_for_an_hour),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
