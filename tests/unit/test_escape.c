/* escape.c: whatever stands in a log changes nothing but itself. */
#include "config.h"

#include "base/escape.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "guard.h"

typedef void escape_function(struct text *out, struct slice s);

static void field(struct text *out, struct slice s)
{
	struct escaped added = escape_field(out, s);

	assert_ptr_equal(added.text.data + added.text.len, out->data + out->len);
}

static const char *escaped(escape_function *escape, const char *data, size_t len)
{
	static char room[512];
	struct text t = text_over(room, sizeof room);

	escape(&t, slice_of(guard_place(data, len), len));
	assert_false(t.overflow);
	return text_string(&t);
}

static void assert_message(const char *message, const char *expected)
{
	assert_string_equal(escaped(escape_message, message, strlen(message)), expected);
}

static void test_quoted_and_field(void **state)
{
	(void)state;
	assert_string_equal(escaped(escape_quoted, "a \"b\"\\\r\n\0\x7f\xff~", 12),
		"a \\x22b\\x22\\x5c\\x0d\\x0a\\x00\\x7f\\xff~");
	assert_string_equal(escaped(field, "a \"b\"\\\r\n\0\x7f\xff~", 12),
		"a\\x20\\x22b\\x22\\x5c\\x0d\\x0a\\x00\\x7f\\xff~");
	assert_string_equal(escaped(field, "", 0), "");
}

/* Each byte, wherever it stands among such as need no escape, in texts of each length. */
static void test_each_byte_everywhere(void **state)
{
	static const char letters[] = "abcdefghijklmnopqrs";
	char in[32], expected[64];

	(void)state;
	for (int c = 0; c < 256; c++) {
		bool plain = c >= 0x20 && c < 0x7f && c != '"' && c != '\\';

		for (size_t len = 1; len < sizeof letters; len++) {
			for (size_t at = 0; at < len; at++) {
				memcpy(in, letters, len);
				in[at] = (char)c;
				snprintf(expected, sizeof expected,
					plain ? "%.*s%c%.*s" : "%.*s\\x%02x%.*s", (int)at, in, c,
					(int)(len - at - 1), letters + at + 1);
				assert_string_equal(escaped(escape_quoted, in, len), expected);
				if (c == ' ')
					snprintf(expected, sizeof expected, "%.*s\\x20%.*s",
						(int)at, in, (int)(len - at - 1), letters + at + 1);
				assert_string_equal(escaped(field, in, len), expected);
			}
		}
	}
}

/* A byte that is no character alone: controls, and all above ASCII. */
static void test_each_byte_of_a_message(void **state)
{
	char in[4] = "a.b", expected[8];

	(void)state;
	for (int c = 1; c < 256; c++) {
		in[1] = (char)c;
		snprintf(
			expected, sizeof expected, c >= 0x20 && c < 0x7f ? "a%cb" : "a\\x%02xb", c);
		assert_message(in, expected);
	}
	assert_string_equal(escaped(escape_message, "\0\0", 2), "\\x00\\x00");
}

static void test_names_stay_readable(void **state)
{
	static const char *const names[] = { "", "/srv/größe/Ωμέγα",
		"\u00a0\u07ff\u0800\xed\x9f\xbf\ue000", "日本語 العربية עברית",
		"\U00010000\U0010ffff", "a \"b\" \\x0a" };

	(void)state;
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		assert_message(names[i], names[i]);
}

static void test_no_utf8(void **state)
{
	(void)state;
	/* Longer than need be, halves of pairs, beyond the end, and cut. */
	assert_message("\xc0\x8a", "\\xc0\\x8a");
	assert_message("\xc1\xbf", "\\xc1\\xbf");
	assert_message("\xe0\x9f\xbf", "\\xe0\\x9f\\xbf");
	assert_message("\xf0\x8f\xbf\xbf", "\\xf0\\x8f\\xbf\\xbf");
	assert_message("\xed\xa0\x80", "\\xed\\xa0\\x80");
	assert_message("\xed\xbf\xbf", "\\xed\\xbf\\xbf");
	assert_message("\xf4\x90\x80\x80", "\\xf4\\x90\\x80\\x80");
	assert_message("\xf8\x88\x80\x80\x80", "\\xf8\\x88\\x80\\x80\\x80");
	assert_message("\xe2\x82", "\\xe2\\x82");
	assert_message("\xe2\x82z\xc3\xb6\xc3", "\\xe2\\x82z\xc3\xb6\\xc3");
	assert_message("\xc3\n", "\\xc3\\x0a");
}

/* Characters that say where the text around them stands. */
static void test_characters_that_move_others(void **state)
{
	(void)state;
	assert_message("a\xc2\x80\xc2\x9b\xc2\x9f", "a\\xc2\\x80\\xc2\\x9b\\xc2\\x9f");
	assert_message("\u2027\u2028\u2029", "\u2027\\xe2\\x80\\xa8\\xe2\\x80\\xa9");
	assert_message("\u202a\u202e\u202f", "\\xe2\\x80\\xaa\\xe2\\x80\\xae\u202f");
	assert_message("\u2065\u2066\u2069\u206a", "\u2065\\xe2\\x81\\xa6\\xe2\\x81\\xa9\u206a");
	assert_message(
		"\u200d\u200e\u200f\u061c", "\u200d\\xe2\\x80\\x8e\\xe2\\x80\\x8f\\xd8\\x9c");
}

static void test_what_does_not_fit(void **state)
{
	char room[] = "........";
	struct text t = text_over(room, 6);

	(void)state;
	escape_message(&t, slice_of_string("abcdö"));
	assert_false(t.overflow);
	assert_memory_equal(room, "abcdö..", 8);
	t = text_over(room, 6);
	escape_message(&t, slice_of_string("abcdeöf"));
	assert_true(t.overflow);
	assert_string_equal(text_string(&t), "abcde");
	t = text_over(room, 6);
	escape_field(&t, slice_of_string("abc d"));
	assert_true(t.overflow);
	assert_string_equal(text_string(&t), "abc");
	t = text_over(room, 6);
	escape_field(&t, slice_of_string("abcdefghij"));
	assert_true(t.overflow);
	assert_int_equal(t.len, 6);
	assert_memory_equal(room + 6, "..", 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_quoted_and_field),
		cmocka_unit_test(test_each_byte_everywhere),
		cmocka_unit_test(test_each_byte_of_a_message),
		cmocka_unit_test(test_names_stay_readable),
		cmocka_unit_test(test_no_utf8),
		cmocka_unit_test(test_characters_that_move_others),
		cmocka_unit_test(test_what_does_not_fit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
