/* text.c: numbers, printf, and that nothing is ever written past the end. */
#include "config.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/text.h"

static void test_numbers(void **state)
{
	char room[128];
	struct text t = text_over(room, sizeof room);

	(void)state;
	text_add_decimal(&t, 0);
	text_add_char(&t, ' ');
	text_add_decimal(&t, UINT64_MAX);
	assert_false(t.overflow);
	assert_string_equal(text_string(&t), "0 18446744073709551615");
}

/* Both ways of writing a number: at each power of ten, and beside it. */
static void test_decimal_of_any_length(void **state)
{
	char room[32], expected[32];

	(void)state;
	for (uint64_t power = 1;; power *= 10) {
		for (uint64_t value = power - 1; value <= power + 1; value++) {
			struct text t = text_over(room, sizeof room);

			text_add_decimal(&t, value);
			snprintf(expected, sizeof expected, "%" PRIu64, value);
			assert_string_equal(text_string(&t), expected);
		}
		if (power > UINT64_MAX / 10)
			return;
	}
}

static void test_overflow_keeps_whole_pieces(void **state)
{
	char room[8] = "........";
	struct text t = text_over(room, 6);

	(void)state;
	text_add_string(&t, "abcd");
	assert_false(t.overflow);
	text_add_decimal(&t, 123);
	assert_true(t.overflow);
	assert_int_equal(t.len, 4);
	text_add_string(&t, "ef");
	assert_int_equal(t.len, 6);
	text_add_char(&t, 'g');
	text_format(&t, "%d", 1);
	assert_int_equal(t.len, 6);
	assert_memory_equal(room, "abcdef..", 8);
	assert_string_equal(text_string(&t), "abcde");
}

static void test_format(void **state)
{
	char room[8];
	struct text t = text_over(room, sizeof room);

	(void)state;
	text_format(&t, "%s-%d", "ab", 12);
	assert_string_equal(text_string(&t), "ab-12");
	text_format(&t, "%s", "xyz");
	assert_true(t.overflow);
	assert_string_equal(text_string(&t), "ab-12");
	t = text_over(room, sizeof room);
	text_format(&t, "%s", "1234567");
	assert_false(t.overflow);
	assert_int_equal(t.len, 7);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_numbers),
		cmocka_unit_test(test_decimal_of_any_length),
		cmocka_unit_test(test_overflow_keeps_whole_pieces),
		cmocka_unit_test(test_format),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
