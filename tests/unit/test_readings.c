/* The ways in which servers read a path: which there are, and that there is an end to them. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "guard.h"
#include "net/readings.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define ROOM         ((size_t)40 * 1024)

static char room[ROOM];

static bool has_reading(const char *path, const char *wanted)
{
	size_t len = strlen(path);
	struct readings r;
	struct slice text;
	bool found = false;

	readings_init(&r, slice_of(guard_place(path, len), len), READINGS_OF_TARGET, room, ROOM);
	while (readings_next(&r, &text))
		found |= slice_equals(text, slice_of_string(wanted));
	assert_false(r.cut);
	return found;
}

static const struct {
	const char *path;
	const char *reading;
} cases[] = {
	{ "/a%20b", "/a%20b" },
	{ "/a%20b", "/a b" },
	{ "/a%2Fb%20", "/a%2Fb " },
	{ "/a%2Fb%25", "/a%2Fb%25" },
	{ "/%252e", "/." },
	{ "/%%32%65", "/." },
	{ "/%u002E%u002e/x", "/x" },
	{ "/a/b/../c", "/a/c" },
	{ "/a/b/..", "/a/" },
	{ "/a/b/..", "/a" },
	{ "/a/b/.", "/a/b/" },
	{ "/a/b/.", "/a/b" },
	{ "/a/..", "/" },
	{ "/..", "/" },
	{ "/.", "/" },
	{ "/a/%2e%2E/b%20", "/b%20" },
	{ "/a/.../b", "/a/.../b" },
	{ "/a//../b", "/a/b" },
	{ "/a//../b", "/b" },
	{ "/a/%2f../b", "/a/b" },
	{ "/a/%2f../b", "/b" },
	{ "/a\\..\\b", "/b" },
	{ "/a%5c../b", "/b" },
	{ "/a;/../b", "/b" },
	{ "/a/;/../b", "/b" },
	{ "/a/..;p/b", "/b" },
	{ "/a;p;q/b;r", "/a/b" },
	{ "/a/;%2f../b", "/a/b" },
	{ "/a;b/c", "/a" },
	{ "/a%00b", "/a" },
	{ "/a./b. .", "/a/b" },
	{ "/a%20/b%2e", "/a/b" },
	{ "/a/..%20/b", "/b" },
	{ "/a/%20/b", "/a/b" },
	{ "//h/a", "/a" },
	{ "//h", "/" },
	{ "/\\h\\a/b", "/a/b" },
	{ "///h/a", "/a" },
	{ "//a//b", "/a//b" },
	{ "//\\a", "/\\a" },
};

static void test_readings(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++)
		if (!has_reading(cases[i].path, cases[i].reading))
			fail_msg("%s is not read as %s", cases[i].path, cases[i].reading);
	assert_false(has_reading("/a//h/b", "/b"));
}

static const char *const climbing[] = { "/..", "/../", "/../admin", "/%2e%2e/admin", "/..%2fadmin",
	"/x/../../admin", "/x/%2f../../admin", "/x/;/../../admin", "/x;%2f../../admin",
	"/..\\admin", "/x%5c..%5c..%5cadmin", "/..;/admin", "/..%00", "/%252e%252e/admin", "//../x",
	"/./../x", "/x/..;a/../y", "/../public/x" };

static const char *const staying[] = { "/", "/...", "/..a", "/x/..", "/x/../y", "/x/y/../../z",
	"/a%2F..%2Fb", "//a/b", "//", "/x;v=a/y", "/x%20..", "/.%2fx", "/x%00" };

static void test_climbing(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(climbing); i++)
		if (!readings_climb(slice_of_string(climbing[i]), room, ROOM))
			fail_msg("%s stays", climbing[i]);
	for (size_t i = 0; i < COUNT(staying); i++)
		if (readings_climb(slice_of_string(staying[i]), room, ROOM))
			fail_msg("%s climbs", staying[i]);
}

/* Whatever a path is made of, the work ends, and what was left out is told. */
static void test_bounds(void **state)
{
	static const char *const pieces[] = { "/%2f..", "/..;", "/a%5c%3b..", "/;%00\\..%252f" };
	static char path[8000];
	struct readings r;
	struct slice text;

	(void)state;
	for (size_t i = 0; i < COUNT(pieces); i++) {
		size_t count = 0;

		for (size_t at = 0; at < sizeof path; at++)
			path[at] = pieces[i][at % strlen(pieces[i])];
		readings_init(&r, slice_of(path, sizeof path), READINGS_OF_TARGET, room, ROOM);
		while (readings_next(&r, &text))
			count++;
		assert_in_range(count, 1, READINGS_MAX);
		assert_in_range(r.used, 1, READINGS_BYTES_MAX);
	}
	readings_init(&r, slice_of_string("/a;b"), READINGS_OF_TARGET, room, 3);
	assert_true(r.cut);
	assert_false(readings_next(&r, &text));
	readings_init(&r, slice_of_string("/a;b"), READINGS_OF_TARGET, room, 7);
	while (readings_next(&r, &text))
		;
	assert_true(r.cut);
	readings_init(&r, slice_of_string("//a;b"), READINGS_OF_TARGET, room, 14);
	assert_true(r.cut);
	assert_true(readings_climb(slice_of_string("/a;b"), room, 7));
}

/* Paths that people use, with much in them that can be read in several ways. */
static const char *const honest[] = {
	"/proxy/https%253A%252F%252Fexample.com%252Fa%252Fb%2520c",
	"/web/2020/http://x.y/a%2Fb;c=1/../d",
	"/web/http%3A%2F%2Fa%2F..%2Fb%252F%3Bx%20/..",
	"/s3/bucket/a//b/./c%2F%2Fd%252Fe;v=1",
	"/search/%25E4%25B8%25AD;a=%2F/x//y",
};

/* A short request must not cost a millisecond: what only an attacker writes is given up soon. */
static void test_what_is_worth_it(void **state)
{
	static const char *const hostile[] = { "//%25%2f%3b/..%5c%u003b\\..",
		"/%u002fa//%25%25//b.///%5c%25/.\\%00/..\\;a" };
	struct readings r;
	struct slice text;

	(void)state;
	for (size_t i = 0; i < COUNT(honest) + COUNT(hostile); i++) {
		bool is_honest = i < COUNT(honest);
		const char *path = is_honest ? honest[i] : hostile[i - COUNT(honest)];

		readings_init(&r, slice_of_string(path), READINGS_OF_TARGET, room, ROOM);
		while (readings_next(&r, &text))
			;
		if (r.cut == is_honest)
			fail_msg("%s has %zu readings", path, r.count);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_readings),
		cmocka_unit_test(test_climbing),
		cmocka_unit_test(test_bounds),
		cmocka_unit_test(test_what_is_worth_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
