/* URLs of redirects: which are taken, and what requests can put into them. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "net/redirect.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const char *const good[] = {
	"https://example.org",
	"HTTP://example.org/",
	"https://{host}{path}{query}",
	"https://{host}:8443{path}",
	"https://www.{host}/new{path}",
	"https://example.org/{query}",
	"https://example.org?to={host}{path}{query}",
	"https://example.org/#/a?b=%7B",
	"https://[::1]:80{path}",
	"/",
	"/a",
	"/new{path}",
	"/a//b",
};

static const char *const bad[] = {
	"",
	"a",
	"ftp://a/",
	"https:/a",
	"//a/",
	"/{path}",
	"/{host}",
	"{path}",
	"{host}",
	"https://",
	"https:///a",
	"https://{path}",
	"https://{query}",
	"https://:80",
	"https://?a",
	"https://a{query}",
	"https://{host}{query}",
	"https://a/{x}",
	"https://a/{",
	"https://a/}",
	"https://a/{path",
	"https://a/ b",
	"https://a/\r\nX: y",
	"https://a/\x7f",
	"https://a/\xc3\xa4",
	"https://a/\"",
	"https://a\\b",
	"/\\a",
};

static void test_what_is_taken(void **state)
{
	const char *why;

	(void)state;
	for (size_t i = 0; i < COUNT(good); i++)
		if (redirect_check(good[i], &why) == -1)
			fail_msg("%s: %s", good[i], why);
	for (size_t i = 0; i < COUNT(bad); i++) {
		why = NULL;
		if (redirect_check(bad[i], &why) == 0)
			fail_msg("%s was taken", bad[i]);
		assert_non_null(why);
	}
	assert_true(redirect_nests_path("https://a/b{path}"));
	assert_true(redirect_nests_path("https://{host}/{path}"));
	assert_true(redirect_nests_path("/b{path}{query}"));
	assert_false(redirect_nests_path("https://a{path}"));
	assert_false(redirect_nests_path("https://a/b?c={path}"));
	assert_false(redirect_nests_path("https://a/b#{path}"));
	assert_false(redirect_nests_path("/b"));
	assert_true(redirect_needs_host("https://a/{host}"));
	assert_false(redirect_needs_host("https://a{path}"));
}

static const struct {
	const char *url;
	const char *host;
	const char *target;
	const char *result;
} cases[] = {
	{ "https://{host}{path}{query}", "a.b:8080", "/x/y?z=1&b", "https://a.b/x/y?z=1&b" },
	{ "https://{host}{path}{query}", "a.b", "/", "https://a.b/" },
	{ "https://{host}:8443{path}", "[::1]:80", "/a", "https://[::1]:8443/a" },
	{ "https://{host}{path}", "[::1]", "/", "https://[::1]/" },
	{ "https://{host}{path}{query}", "a", "?q", "https://a/?q" },
	{ "https://{host}{path}", "a", "*", "https://a/" },
	{ "/new{path}{query}", "a", "/x?", "/new/x?" },
	{ "/new", "a", "/x?y", "/new" },
	/* nothing that the request holds ends the line or leads to another host */
	{ "https://a.b{path}", "x", "//evil.example/..", "https://a.b//evil.example/.." },
	{ "https://a.b{path}", "x", "/@evil.example", "https://a.b/@evil.example" },
	{ "/new{path}", "x", "/\\evil", "/new/%5Cevil" },
	{ "https://a.b{path}", "x", "/\"<>^`{|}[]", "https://a.b/%22%3C%3E%5E%60%7B%7C%7D%5B%5D" },
	{ "https://a.b{path}", "x", "/%0d%0aX:%20y", "https://a.b/%0d%0aX:%20y" },
	{ "https://a.b{path}", "x", "/{host}", "https://a.b/%7Bhost%7D" },
	/* behind a question mark a part is one value */
	{ "https://a.b/to?u={path}{query}&v=1", "x", "/p/q?r=1&s=%20+",
		"https://a.b/to?u=/p/q%3Fr%3D1%26s%3D%2520%2B&v=1" },
	{ "https://a.b/?h={host}", "[::1]:1", "/", "https://a.b/?h=%5B%3A%3A1%5D" },
	{ "https://a.b/#{path}", "x", "/p#", "https://a.b/#/p%23" },
};

static void test_what_is_written(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		char bytes[256];
		const char *why;
		struct text out = text_over(bytes, sizeof bytes);
		struct redirect_parts parts = redirect_split(
			slice_of_string(cases[i].host), slice_of_string(cases[i].target));

		assert_int_equal(redirect_check(cases[i].url, &why), 0);
		redirect_write(&out, cases[i].url, &parts);
		assert_string_equal(text_string(&out), cases[i].result);
	}
}

static void test_no_room(void **state)
{
	char bytes[16];
	struct text out = text_over(bytes, sizeof bytes);
	struct redirect_parts parts = redirect_split(slice_of(NULL, 0), slice_of_string("/abc"));

	(void)state;
	assert_true(slice_is_empty(parts.host));
	redirect_write(&out, "/0123456789{path}{path}", &parts);
	assert_true(out.overflow);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_is_taken),
		cmocka_unit_test(test_what_is_written),
		cmocka_unit_test(test_no_room),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
