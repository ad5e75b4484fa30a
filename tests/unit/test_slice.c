/* slice.c: comparison, trimming, lists, numbers. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/slice.h"
#include "guard.h"

static struct slice guarded(const char *text)
{
	return slice_of(guard_place(text, strlen(text)), strlen(text));
}

static void assert_slice(struct slice s, const char *wanted)
{
	assert_int_equal(s.len, strlen(wanted));
	assert_memory_equal(s.data, wanted, s.len);
}

static void test_equals_nocase(void **state)
{
	(void)state;
	assert_true(
		slice_equals_nocase(guarded("Content-Length"), slice_of_string("cONTENT-lENGTH")));
	assert_true(slice_equals_nocase(slice_of("", 0), slice_of(NULL, 0)));
	assert_false(slice_equals_nocase(guarded("abc"), slice_of_string("abcd")));
	assert_false(slice_equals_nocase(guarded("abd"), slice_of_string("abc")));
	/* octets that differ in the bit that letters differ in, and are none */
	assert_false(slice_equals_nocase(guarded("@["), slice_of_string("`{")));
	assert_false(slice_equals_nocase(guarded("\r"), slice_of_string("-")));
	/* nothing but ASCII has a case */
	assert_false(slice_equals_nocase(guarded("\xc4"), slice_of_string("\xe4")));
}

static void test_trim(void **state)
{
	(void)state;
	assert_slice(slice_trim(guarded("")), "");
	assert_slice(slice_trim(guarded(" \t ")), "");
	assert_slice(slice_trim(guarded("a")), "a");
	assert_slice(slice_trim(guarded("\t a b \t")), "a b");
	assert_slice(slice_trim(guarded("\va\r")), "\va\r");
}

static void test_next_element(void **state)
{
	struct slice rest = guarded(" a,, b c ,\t,d,");
	struct slice element;

	(void)state;
	assert_true(slice_next_element(&rest, &element));
	assert_slice(element, "a");
	assert_true(slice_next_element(&rest, &element));
	assert_slice(element, "b c");
	assert_true(slice_next_element(&rest, &element));
	assert_slice(element, "d");
	assert_false(slice_next_element(&rest, &element));
	assert_false(slice_next_element(&rest, &element));
	rest = guarded(" ,");
	assert_false(slice_next_element(&rest, &element));
}

static void test_parse_decimal(void **state)
{
	static const struct {
		const char *text;
		uint64_t max;
		int result;
		uint64_t value;
	} cases[] = {
		{ "0", 0, 0, 0 },
		{ "000", 0, 0, 0 },
		{ "1", 0, -1, 0 },
		{ "65535", 65535, 0, 65535 },
		{ "65536", 65535, -1, 0 },
		{ "0000000000000000000000007", 9, 0, 7 },
		{ "9223372036854775807", INT64_MAX, 0, INT64_MAX },
		{ "9223372036854775808", INT64_MAX, -1, 0 },
		{ "18446744073709551615", UINT64_MAX, 0, UINT64_MAX },
		{ "18446744073709551616", UINT64_MAX, -1, 0 },
		{ "99999999999999999999999", UINT64_MAX, -1, 0 },
		{ "", 9, -1, 0 },
		{ "+1", 9, -1, 0 },
		{ "-1", 9, -1, 0 },
		{ " 1", 9, -1, 0 },
		{ "1 ", 9, -1, 0 },
		{ "1,1", 99, -1, 0 },
		{ "0x1", 99, -1, 0 },
		{ "1e1", 99, -1, 0 },
		{ "\xb2", 99, -1, 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		uint64_t value = 0;

		assert_int_equal(slice_parse_decimal(guarded(cases[i].text), cases[i].max, &value),
			cases[i].result);
		assert_true(value == cases[i].value);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_equals_nocase),
		cmocka_unit_test(test_trim),
		cmocka_unit_test(test_next_element),
		cmocka_unit_test(test_parse_decimal),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
