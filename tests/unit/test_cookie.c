/* cookie.c: cookies as they should be, and as anybody may write them (RFC 6265 4.1, 4.2, 5.4). */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "guard_fields.h"
#include "http/cookie.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static struct fields fields;
static char room[8192];

/* All cookies as "name=value|name=value|". */
static const char *all(const char *input)
{
	struct text out = text_over(room, sizeof room);
	struct cookies cookies;
	struct cookie c;

	guard_parse_fields(&fields, input);
	cookies = cookies_of(&fields);
	while (cookies_next(&cookies, &c)) {
		text_add_slice(&out, c.name);
		text_add_char(&out, '=');
		text_add_slice(&out, c.value);
		text_add_char(&out, '|');
	}
	return text_string(&out);
}

static void test_walk(void **state)
{
	static const char *const cases[][2] = {
		{ "\r\n", "" },
		{ "Cookie2: a=1\r\nX: a=1\r\n\r\n", "" },
		{ "Cookie: a=1\r\n\r\n", "a=1|" },
		{ "cookie:a=1; b=2;c=3\r\n\r\n", "a=1|b=2|c=3|" },
		{ "COOKIE: a=1\r\nX: y\r\nCookie: b=2\r\n\r\n", "a=1|b=2|" },
		{ "Cookie:\r\nCookie: ;;\r\nCookie: a=1;\r\n\r\n", "=|=|a=1|" },
		{ "Cookie: a==1=; b = 2 ;c\t=\t3\r\n\r\n", "a==1=|b=2|c=3|" },
		{ "Cookie: alone; =nameless; a=\r\n\r\n", "=alone|=nameless|a=|" },
		/* quotes protect nothing, and a comma parts nothing */
		{ "Cookie: a=\"x; b=y\"; c=1, d=2\r\n\r\n", "a=\"x|b=y\"|c=1, d=2|" },
		{ "Cookie: $Version=1; a=1; $Path=/\r\n\r\n", "$Version=1|a=1|$Path=/|" },
		{ "Cookie: \x80\xff=\xfe\r\n\r\n", "\x80\xff=\xfe|" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++)
		assert_string_equal(all(cases[i][0]), cases[i][1]);
}

static bool finds(const char *input, const char *name, const char *value)
{
	guard_parse_fields(&fields, input);
	return slice_equals(cookie_find(&fields, slice_of_string(name)), slice_of_string(value));
}

static void test_find(void **state)
{
	(void)state;
	assert_true(finds("Cookie: a=1; b=2\r\n\r\n", "b", "2"));
	assert_true(finds("Cookie: a=1\r\nCookie: b=2\r\n\r\n", "b", "2"));
	assert_true(finds("Cookie: a=1; a=2\r\n\r\n", "a", "1"));
	assert_true(finds("Cookie: aa=1; A=2; xa=3\r\n\r\n", "a", ""));
	assert_true(finds("Cookie: a=; a=2\r\n\r\n", "a", ""));
	assert_true(finds("\r\n", "a", ""));
}

static const char *without(const char *input, const char *name)
{
	struct text out = text_over(room, sizeof room);

	guard_parse_fields(&fields, input);
	fields_drop_hop_by_hop(&fields);
	cookie_write_without(&out, &fields, slice_of_string(name));
	return text_string(&out);
}

static void test_without(void **state)
{
	static const char *const cases[][2] = {
		{ "X: s=1\r\n\r\n", "" },
		{ "Cookie: s=1\r\n\r\n", "" },
		{ "Cookie: s=1; s=2 ;s\r\n\r\n", "Cookie: s\r\n" },
		{ "Cookie: s=1;; ;\r\n\r\n", "" },
		{ "Cookie: s=1; a=1; b=2\r\n\r\n", "Cookie: a=1; b=2\r\n" },
		/* without one of that name it goes on whole */
		{ "Cookie: ;; a=1 ; ;\r\n\r\n", "Cookie: ;; a=1 ; ;\r\n" },
		{ "Cookie:\r\n\r\n", "Cookie: \r\n" },
		{ "Cookie: a=1; s=1; b=2\r\n\r\n", "Cookie: a=1; b=2\r\n" },
		{ "cookie: a=1;b=2;s=1\r\n\r\n", "cookie: a=1;b=2\r\n" },
		/* what is odd stays so */
		{ "Cookie:  a=1 ;;b ; s = 1;\tc=\r\n\r\n", "Cookie: a=1;;b ;\tc=\r\n" },
		{ "Cookie:a=1;b\r\n\r\n", "Cookie: a=1;b\r\n" },
		{ "Cookie: ss=1; S=2; as=3\r\n\r\n", "Cookie: ss=1; S=2; as=3\r\n" },
		{ "Cookie: a=1\r\nCookie: s=1\r\nX: s=1\r\nCookie: s=2; b=2\r\n\r\n",
			"Cookie: a=1\r\nCookie: b=2\r\n" },
		{ "Connection: cookie\r\nCookie: a=1; s=2\r\n\r\n", "" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++)
		assert_string_equal(without(cases[i][0], "s"), cases[i][1]);
}

/* The cookies of a request that are not called s, and say anything. */
static void list_others(const char *input, struct text *out)
{
	struct cookies cookies;
	struct cookie c;

	guard_parse_fields(&fields, input);
	cookies = cookies_of(&fields);
	while (cookies_next(&cookies, &c)) {
		if (slice_equals(c.name, slice_of("s", 1)) || c.name.len + c.value.len == 0)
			continue;
		text_format(out, "%.*s=%.*s|", SLICE_ARGS(c.name), SLICE_ARGS(c.value));
	}
}

/* Whatever it is: none of the others is lost, and nothing grows. */
static void test_without_anything(void **state)
{
	static const char pieces[] = "s=1;; a b\t\"";
	unsigned seed = 5;

	(void)state;
	for (int i = 0; i < 100000; i++) {
		char input[64] = "Cookie: ", output[64], lists[2][128] = { "" };
		struct text before = text_over(lists[0], sizeof lists[0] - 1);
		struct text after = text_over(lists[1], sizeof lists[1] - 1);
		size_t len = 8;

		for (int n = rand_r(&seed) % 24; n > 0; n--)
			input[len++] = pieces[(size_t)rand_r(&seed) % (sizeof pieces - 1)];
		memcpy(input + len, "\r\n\r\n", 5);
		(void)snprintf(output, sizeof output, "%s\r\n", without(input, "s"));
		assert_true(strlen(output) <= len + 4);
		list_others(input, &before);
		list_others(output, &after);
		assert_string_equal(text_string(&before), text_string(&after));
		assert_null(strstr(all(output), "|s="));
		assert_int_not_equal(strncmp(room, "s=", 2), 0);
	}
}

/* With as many fields as there may be nothing is looked at behind the last one. */
static void test_a_full_section_has_no_more(void **state)
{
	struct fields *full = (struct fields *)(void *)guard_room(sizeof *full);
	char many[FIELDS_MAX * 13 + 2];
	struct text t = text_over(many, sizeof many);
	struct text out = text_over(room, sizeof room);
	const char *why;
	bool too_many;

	(void)state;
	for (int i = 0; i < FIELDS_MAX; i++)
		text_add_string(&t, "Cookie: a=1\r\n");
	text_add_string(&t, "\r\n");
	fields_init(full);
	assert_int_equal(fields_parse(full, many, t.len, FIELDS_MAX, &why, &too_many), (long)t.len);
	assert_true(slice_is_empty(cookie_find(full, slice_of_string("b"))));
	cookie_drop_set(full, slice_of_string("a"));
	cookie_write_without(&out, full, slice_of_string("b"));
	assert_int_equal(out.len, FIELDS_MAX * 13);
}

static void test_drop_set(void **state)
{
	static const struct {
		const char *field;
		bool dropped;
	} cases[] = {
		{ "Set-Cookie: s=1; Path=/\r\n\r\n", true },
		{ "set-cookie:s = 1\r\n\r\n", true },
		{ "Set-Cookie: s=\r\n\r\n", true },
		{ "Set-Cookie: S=1\r\n\r\n", false },
		{ "Set-Cookie: a=1; s=1\r\n\r\n", false },
		{ "Set-Cookie: s\r\n\r\n", false },
		{ "Set-Cookie:\r\n\r\n", false },
		{ "Set-Cookie2: s=1\r\n\r\n", false },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		guard_parse_fields(&fields, cases[i].field);
		cookie_drop_set(&fields, slice_of_string("s"));
		assert_int_equal(fields.list[0].dropped, cases[i].dropped);
	}
}

static void test_write_set(void **state)
{
	struct text out = text_over(room, sizeof room);

	(void)state;
	cookie_write_set(&out, slice_of_string("s"), slice_of_string("0af3"), false);
	assert_string_equal(text_string(&out),
		"Set-Cookie: s=0af3; Path=/; HttpOnly; SameSite=Lax\r\nCache-Control: private\r\n");
	out.len = 0;
	cookie_write_set(&out, slice_of_string("s"), slice_of_string("0af3"), true);
	assert_non_null(strstr(text_string(&out), "; Secure\r\n"));
	assert_true(out.len <= COOKIE_SET_EXTRA + 5);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_walk),
		cmocka_unit_test(test_find),
		cmocka_unit_test(test_without),
		cmocka_unit_test(test_without_anything),
		cmocka_unit_test(test_a_full_section_has_no_more),
		cmocka_unit_test(test_drop_set),
		cmocka_unit_test(test_write_set),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
