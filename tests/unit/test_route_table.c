/* The route for a request: the most specific host, then the longest path, however they are spelled.
 */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/memory.h"
#include "exchange/route_table.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define MAX          24
#define UNCLEAR      (-2)

static char scratch[3 * 8000 + 1];

/* The number of the route, as it stands in the list; -1: none. */
static int find(const struct route_table *routes, const struct route_settings *list,
	const char *host, const char *target)
{
	bool unclear;
	const struct route_settings *route = route_table_find(routes, slice_of_string(host),
		slice_of_string(target), scratch, sizeof scratch, &unclear);

	if (unclear)
		return UNCLEAR;
	return route != NULL ? (int)(route - list) : -1;
}

struct asked {
	const char *host;
	const char *target;
	int route;
};

static void check(const struct route_settings *list, size_t count, const struct asked *asked,
	size_t asked_count)
{
	struct route_table *routes = route_table_new(list, count);

	assert_non_null(routes);
	for (size_t i = 0; i < asked_count; i++) {
		int found = find(routes, list, asked[i].host, asked[i].target);

		if (found != asked[i].route)
			fail_msg("%s%s has route %d, not %d", asked[i].host, asked[i].target, found,
				asked[i].route);
	}
	route_table_free(routes);
}

static void test_hosts(void **state)
{
	const struct route_settings list[] = {
		{ .host = (char[]){ "example.com" } },
		{ .host = (char[]){ "*.example.com" } },
		{ .host = (char[]){ "*.b.example.com" } },
		{ .host = (char[]){ "a.b.example.com" } },
		{ .host = (char[]){ "[::1]" } },
		{ .host = (char[]){ "127.0.0.1" } },
		{ .host = (char[]){ "com" } },
	};
	static const struct asked asked[] = {
		{ "example.com", "/", 0 },
		{ "Example.COM:8080", "/", 0 },
		{ "example.com.", "/", 0 },
		{ "ex%61mple.com", "/", 0 },
		{ "example%2Ecom%2e", "/", 0 },
		{ "EXAMPLE.COM.:", "/", 0 },
		{ "127.1", "/", 5 },
		/* beyond ASCII: a soft hyphen, an e of full width */
		{ "ex%C2%ADample.com", "/", UNCLEAR },
		{ "%EF%BD%85xample.com", "/", UNCLEAR },
		{ "a.example.com", "/", 1 },
		{ "x.y.example.com", "/", 1 },
		{ "b.example.com", "/", 1 },
		{ "x.b.example.com", "/", 2 },
		{ "x.y.b.example.com", "/", 2 },
		{ "a.b.example.com", "/", 3 },
		{ "x.a.b.example.com", "/", 2 },
		{ "[0::1]:80", "/", 4 },
		{ "127.0.0.1:80", "/", 5 },
		{ "com", "/", 6 },
		{ "a.com", "/", -1 },
		{ "aexample.com", "/", -1 },
		{ ".example.com", "/", -1 },
		{ "example.com.evil", "/", -1 },
		{ "", "/", -1 },
		{ "[::2]", "/", -1 },
		{ "*.example.com", "*", 1 },
	};

	(void)state;
	check(list, COUNT(list), asked, COUNT(asked));
}

static void test_paths(void **state)
{
	const struct route_settings list[] = {
		{ .path = (char[]){ "/api" } },
		{ .path = (char[]){ "/api/v1" } },
		{ .path = (char[]){ "/dir/" } },
		{ .path = (char[]){ "/api-x" } },
		{ .path = (char[]){ "/a%20b" } },
		{ .path = (char[]){ "/admin" } },
	};
	static const struct asked asked[] = {
		{ "h", "/api", 0 },
		{ "h", "/api?q=/admin", 0 },
		{ "h", "/api/", 0 },
		{ "h", "/api/z", 0 },
		{ "h", "/apix", -1 },
		{ "h", "/ap", -1 },
		{ "h", "/API", -1 },
		{ "h", "/api/v1", 1 },
		{ "h", "/api/v1/x", 1 },
		{ "h", "/api/v10", 0 },
		{ "h", "/api-x", 3 },
		{ "h", "/api-y", -1 },
		{ "h", "/dir", -1 },
		{ "h", "/dir/", 2 },
		{ "h", "/dir/x", 2 },
		{ "h", "/a%20b/c", 4 },
		{ "h", "/", -1 },
		{ "h", "*", -1 },
		{ "h", "?/api", -1 },
		/* nobody gets past a rule by another spelling */
		{ "h", "/./admin", 5 },
		{ "h", "/admin//x", 5 },
		{ "h", "/%61dmin", 5 },
		{ "h", "/admin/./%2e%2fx", 5 },
		{ "h", "/admin;v=1", 5 },
		{ "h", "/admin;v=1/x", 5 },
		/* what could be both is for none */
		{ "h", "/%2fadmin", UNCLEAR },
		{ "h", "/x/..%2fadmin", UNCLEAR },
		{ "h", "/x%5c../admin", UNCLEAR },
		{ "h", "/x\\..\\admin", UNCLEAR },
		{ "h", "/x/..;/admin", UNCLEAR },
		{ "h", "/;/admin", UNCLEAR },
		{ "h", "/admin%00x", UNCLEAR },
		{ "h", "/x%00/../admin", UNCLEAR },
		{ "h", "/admin//../x", UNCLEAR },
		{ "h", "/admin/..%2fx", UNCLEAR },
		{ "h", "/admin/%2e%2e%5cx", UNCLEAR },
		{ "h", "/dir/x/..", UNCLEAR },
		{ "h", "/dir/.", UNCLEAR },
		/* slashes made one before ".." is resolved */
		{ "h", "/x/%2f../admin", UNCLEAR },
		{ "h", "/x/%2f/../admin", UNCLEAR },
		{ "h", "/x/%2f%2e%2e/admin", UNCLEAR },
		{ "h", "/x/y/%2f../%2f../admin", UNCLEAR },
		/* parameters with separators in them */
		{ "h", "/x/;/../admin", UNCLEAR },
		{ "h", "/x/;%2f../admin", UNCLEAR },
		{ "h", "/x;%2f..%2f../admin", UNCLEAR },
		{ "h", "/x/%3b/../admin", UNCLEAR },
		{ "h", "/admin;/../x", UNCLEAR },
		/* ".." left alone */
		{ "h", "/x/../admin", UNCLEAR },
		{ "h", "/x/%2e%2E/admin/y", UNCLEAR },
		{ "h", "/admin/../x", UNCLEAR },
		{ "h", "/../admin", UNCLEAR },
		/* a host between slashes */
		{ "h", "//admin", UNCLEAR },
		{ "h", "//x/admin", UNCLEAR },
		{ "h", "/\\x/admin", UNCLEAR },
		{ "h", "///x/admin", UNCLEAR },
		/* decoded twice; as IIS does */
		{ "h", "/%2561dmin", UNCLEAR },
		{ "h", "/%%361dmin", UNCLEAR },
		{ "h", "/%u0061dmin", UNCLEAR },
		/* what is the same either way is fine */
		{ "h", "/api/a%2Fb", 0 },
		{ "h", "/api/a%2F..%2Fb", 0 },
		{ "h", "/api/a/../b", 0 },
		{ "h", "/x%2fy", -1 },
		{ "h", "/x/../y", -1 },
		{ "h", "//x//y", -1 },
		{ "h", "/x/50%25", -1 },
		{ "h", "/api/x;v=1/y", 0 },
		{ "h", "/api/x;v=a%2Fb/y%25", 0 },
	};

	(void)state;
	check(list, COUNT(list), asked, COUNT(asked));
}

/* A host's own routes go first; where none of them is for the path, those of wider hosts do. */
static void test_both(void **state)
{
	const struct route_settings list[] = {
		{ .host = (char[]){ "a.b" }, .path = (char[]){ "/x" } },
		{ .host = (char[]){ "*.b" }, .path = (char[]){ "/x/y" } },
		{ .path = (char[]){ "/x/y/z" } },
		{ .host = (char[]){ "*.b" } },
		{ .host = (char[]){ "c" } },
		{ .host = NULL },
	};
	static const struct asked asked[] = {
		{ "a.b", "/x/y/z", 0 },
		{ "a.b", "/y", 3 },
		{ "d.b", "/x/y/z", 1 },
		{ "d.b", "/x", 3 },
		{ "c", "/x/y/z", 4 },
		{ "e", "/x/y/z", 2 },
		{ "e", "/x/y", 5 },
		{ "", "/x/y", 5 },
		{ "", "*", 5 },
		{ "a.b", "*", 3 },
	};

	(void)state;
	check(list, COUNT(list), asked, COUNT(asked));
}

static bool fits(const char *key, const char *path)
{
	size_t len = strlen(key);

	return strncmp(path, key, len) == 0 &&
	       (len == 0 || key[len - 1] == '/' || path[len] == '\0' || path[len] == '/');
}

/* Against the obvious way, with few letters, so that keys begin with each other. */
static void test_as_a_scan(void **state)
{
	static char paths[MAX][12];
	struct route_settings list[MAX];
	unsigned seed = 1;

	(void)state;
	for (int round = 0; round < 2000; round++) {
		size_t count = 0;
		struct route_table *routes;
		char path[12];

		for (size_t i = 0; i < MAX; i++) {
			size_t len = 1 + (size_t)rand_r(&seed) % 9;
			bool is_new = true;

			paths[count][0] = '/';
			for (size_t j = 1; j < len; j++)
				paths[count][j] = paths[count][j - 1] != '/'
							  ? "/ab-"[rand_r(&seed) % 4]
							  : "ab-"[rand_r(&seed) % 3];
			paths[count][len] = '\0';
			for (size_t j = 0; j < count; j++)
				is_new &= strcmp(paths[j], paths[count]) != 0;
			if (is_new) {
				list[count] = (struct route_settings){ .path = paths[count] };
				count++;
			}
		}
		memcpy(path, paths[--count], sizeof path); /* the last one is what is asked for */
		routes = route_table_new(list, count);
		assert_non_null(routes);
		for (int cut = (int)strlen(path); cut > 0; cut--) {
			int best = -1;

			path[cut] = '\0';
			for (size_t i = 0; i < count; i++)
				if (fits(paths[i], path) &&
					(best == -1 || strlen(paths[i]) > strlen(paths[best])))
					best = (int)i;
			assert_int_equal(find(routes, list, "h", path), best);
		}
		route_table_free(routes);
	}
}

static void test_without_memory(void **state)
{
	const struct route_settings list[] = { { .path = (char[]){ "/a" } } };

	(void)state;
	for (long allowed = 0; allowed < 5; allowed++) {
		mem_fail_after(allowed);
		assert_null(route_table_new(list, 1));
		mem_fail_after(-1);
	}
	route_table_free(NULL);
}

/* A path that does not fit the scratch has no route. The parser may pass a longer target on. */
static void test_a_target_that_does_not_fit(void **state)
{
	static char admin[] = "/admin";
	const struct route_settings list[] = { { .path = admin } };
	struct route_table *routes = route_table_new(list, 1);
	char room[3 * 4 + 1];
	bool unclear;

	(void)state;
	assert_non_null(routes);
	assert_null(route_table_find(
		routes, slice_of(NULL, 0), slice_of_string("/%61"), room, sizeof room, &unclear));
	assert_false(unclear);
	assert_null(route_table_find(
		routes, slice_of(NULL, 0), slice_of_string("/%61b"), room, sizeof room, &unclear));
	assert_true(unclear);
	route_table_free(routes);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_hosts),
		cmocka_unit_test(test_paths),
		cmocka_unit_test(test_both),
		cmocka_unit_test(test_as_a_scan),
		cmocka_unit_test(test_without_memory),
		cmocka_unit_test(test_a_target_that_does_not_fit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
