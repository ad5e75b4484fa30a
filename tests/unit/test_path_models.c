/* Whatever one of the modelled servers makes of a path is among the readings of it, and no route is
 * walked around with any of them. */
#include "config.h"

#include <ctype.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../lib/path_models.h"
#include "exchange/route_table.h"
#include "net/readings.h"

#define PATHS    60000
#define PATH_MAX 128
#define ORDINARY 10000

static char scratch[80 * 1024];

static const struct route_settings list[] = {
	{ .path = (char[]){ "/admin" } },
	{ .path = (char[]){ "/api" } },
	{ .path = (char[]){ "/api/admin" } },
	{ .path = (char[]){ "/x/" } },
	{ .path = (char[]){ "/public/x" } },
};

/* Encodes what a server made of a path so that it is read in one way, but for what is encoded
 * still. */
static struct slice encode(const char *text, long len, char *out)
{
	size_t used = 0;

	for (long i = 0; i < len; i++) {
		if (isalnum((unsigned char)text[i]) || memchr("/.%", text[i], 3) != NULL)
			out[used++] = text[i];
		else
			used += (size_t)sprintf(out + used, "%%%02X", (unsigned char)text[i]);
	}
	return slice_of(out, used);
}

/* The route that is for what a server understood. It may leave ".." and parameters in it. */
static const struct route_settings *route_of(
	const struct route_table *routes, const char *text, long len)
{
	static char encoded[3 * PATH_MAX], spelled[9 * PATH_MAX + 1];
	struct slice path = encode(text, len, encoded);
	bool unclear;

	path.len = canonical_path(path, CANONICAL_UNRESOLVED, spelled);
	for (char *dots; (dots = memmem(spelled, path.len, "..", 2)) != NULL;)
		memcpy(dots, "zz", 2); /* names as any */
	for (char *c; (c = memchr(spelled, '%', path.len)) != NULL;)
		*c = 'z';
	return route_table_find(routes, slice_of_string("h"), slice_of(spelled, path.len), scratch,
		sizeof scratch, &unclear);
}

static void check_path(const struct route_table *routes, struct slice path)
{
	bool unclear;
	const struct route_settings *ours = route_table_find(
		routes, slice_of_string("h"), path, scratch, sizeof scratch, &unclear);
	char out[PATH_MAX + 1];

	if (unclear)
		return;
	for (unsigned m = 0; path_model_name(m) != NULL; m++) {
		long len = path_model_read(m, path.data, path.len, out);

		if (len > 0 && route_of(routes, out, len) != ours)
			fail_msg("%.*s is read as %.*s by %s", SLICE_ARGS(path), (int)len, out,
				path_model_name(m));
	}
}

static void test_no_model_finds_another_route(void **state)
{
	struct route_table *routes = route_table_new(list, sizeof list / sizeof list[0]);
	uint64_t random = 1;

	(void)state;
	assert_non_null(routes);
	for (int i = 0; i < PATHS; i++) {
		char path[PATH_MAX];

		check_path(routes, slice_of(path, path_model_invent(&random, path, sizeof path)));
	}
	route_table_free(routes);
}

/* What people and programs write. Not one of them is refused. */
static size_t invent_ordinary(unsigned *seed, char *out)
{
	static const char *const names[] = { "admin", "api", "public", "x", "a%20b", "%C3%A4rger",
		"a+b", "f(1)", "v1.2.3.tar.gz", ".well-known", "~user", "%7Euser", "a,b", "50%25",
		"What%3F", "%23tag", "a=b&c", "user@example.org", "user%40example.org", "it's",
		"2024-01-01T10:00:00", "%E4%BD%A0%E5%A5%BD", "index.html", "jpg..png", "$metadata",
		"repo", "a%2Fb", "http%3A%2F%2Fexample.org%2Fa", "a;v=1", "y;jsessionid=A1.b2",
		"%5B1%5D", "!", "*", "a:b" };
	unsigned count = 1 + (unsigned)rand_r(seed) % 5;
	size_t len = 0;

	for (unsigned i = 0; i < count; i++) {
		const char *name = names[(unsigned)rand_r(seed) % (sizeof names / sizeof names[0])];

		len += (size_t)sprintf(out + len, "/%s", name);
	}
	if (rand_r(seed) % 3 == 0)
		out[len++] = '/';
	return len;
}

static void test_ordinary_paths_pass(void **state)
{
	struct route_table *routes = route_table_new(list, sizeof list / sizeof list[0]);
	unsigned seed = 1;

	(void)state;
	assert_non_null(routes);
	for (int i = 0; i < ORDINARY; i++) {
		char path[512];
		bool unclear;
		size_t len = invent_ordinary(&seed, path);

		(void)!route_table_find(routes, slice_of_string("h"), slice_of(path, len), scratch,
			sizeof scratch, &unclear);
		if (unclear)
			fail_msg("%.*s is refused", (int)len, path);
		assert_false(readings_climb(slice_of(path, len), scratch, sizeof scratch));
	}
	route_table_free(routes);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_no_model_finds_another_route),
		cmocka_unit_test(test_ordinary_paths_pass),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
