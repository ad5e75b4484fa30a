/* One spelling of hosts and paths: what is the same, what is not, and what can be read in two ways.
 */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "guard.h"
#include "net/canonical.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

struct pair {
	const char *from;
	const char *to;
};

static const struct pair hosts[] = {
	{ "", "" },
	{ "a", "a" },
	{ "Example.COM", "example.com" },
	{ "example.com.", "example.com" },
	{ "example.com:8080", "example.com" },
	{ "example.com.:8080", "example.com" },
	{ "example.com:", "example.com" },
	{ "%65xample.c%4Fm", "example.com" },
	{ "a%2", "a%2" },
	{ "a%zz", "a%zz" },
	{ "127.0.0.1:80", "127.0.0.1" },
	{ "127.1", "127.0.0.1" },
	{ "0x7F.0.0.01.", "127.0.0.1" },
	{ "2130706433:80", "127.0.0.1" },
	{ "%31%32%37.1", "127.0.0.1" },
	{ "1.2.3.4.5", "1.2.3.4.5" },
	{ "256.0.0.1", "256.0.0.1" },
	{ "a.1", "a.1" },
	{ "1.a", "1.a" },
	{ "[::1]", "[::1]" },
	{ "[::1]:8080", "[::1]" },
	{ "[0:0:0:0:0:0:0:1]:80", "[::1]" },
	{ "[2001:DB8::A]", "[2001:db8::a]" },
	{ "[::ffff:102:304]", "[::ffff:1.2.3.4]" },
	{ "[nothing", "[nothing" },
	{ "[]", "[]" },
};

static void test_hosts(void **state)
{
	char out[CANONICAL_HOST_MAX];

	(void)state;
	for (size_t i = 0; i < COUNT(hosts); i++) {
		size_t len = canonical_host(slice_of_string(hosts[i].from), out);

		if (len != strlen(hosts[i].to) || memcmp(out, hosts[i].to, len) != 0)
			fail_msg("%s became %.*s", hosts[i].from, (int)len, out);
	}
}

static void test_long_host_is_cut(void **state)
{
	char host[2 * CANONICAL_HOST_MAX];
	char out[CANONICAL_HOST_MAX];

	(void)state;
	memset(host, 'A', sizeof host);
	assert_int_equal(canonical_host(slice_of(host, sizeof host), out), CANONICAL_HOST_MAX);
	assert_int_equal(out[CANONICAL_HOST_MAX - 1], 'a');
}

/* As a careful server reads it. */
static const struct pair strict[] = {
	{ "", "/" },
	{ "/", "/" },
	{ "/a", "/a" },
	{ "/a/", "/a/" },
	{ "//", "/" },
	{ "///a//b///", "/a/b/" },
	{ "/.", "/" },
	{ "/..", "/" },
	{ "/./admin", "/admin" },
	{ "/../../admin", "/admin" },
	{ "/a/b/../c", "/a/c" },
	{ "/a/b/..", "/a/" },
	{ "/a/b/.", "/a/b/" },
	{ "/a//../b", "/b" },
	{ "/a/../../..", "/" },
	{ "/...", "/..." },
	{ "/..a", "/..a" },
	{ "/.a./", "/.a./" },
	{ "/%61dmin", "/admin" },
	{ "/%61%64%6D%69%6e", "/admin" },
	{ "/%2e/admin", "/admin" },
	{ "/x/%2E%2e/admin", "/admin" },
	{ "/x/.%2e/admin", "/admin" },
	{ "/a%2fb", "/a%2Fb" },
	{ "/%2fadmin", "/%2Fadmin" },
	{ "/x/..%2fadmin", "/x/..%2Fadmin" },
	{ "/a\\b", "/a%5Cb" },
	{ "/a%5cb", "/a%5Cb" },
	{ "/%2561dmin", "/%2561dmin" },
	{ "/%25", "/%25" },
	{ "/%", "/%25" },
	{ "/%6", "/%256" },
	{ "/%zz", "/%25zz" },
	{ "/%00", "/%00" },
	{ "/\"<>^`{|}", "/%22%3C%3E%5E%60%7B%7C%7D" },
	{ "/%3Fa%23", "/%3Fa%23" },
	{ "/a%3bb;c", "/a;b;c" },
	{ "/A%C3%a4", "/A%C3%A4" },
	{ "/\xc3\xa4 b", "/%C3%A4%20b" },
	{ "/-._~!$&'()*+,;=:@", "/-._~!$&'()*+,;=:@" },
};

/* As one does that leaves ".." where it stands. */
static const struct pair unresolved[] = {
	{ "/a/../b", "/a/../b" },
	{ "/a/%2e%2E//./%62", "/a/../b" },
	{ "/..", "/.." },
	{ "/../", "/../" },
	{ "/./", "/" },
	{ "/...", "/..." },
};

static const char *const clear[] = { "", "/", "/a", "/a/", "/a/b%61", "/a%20b", "/%C3%A4",
	"/a.b/c..d", "/.a", "/(a)+b,c=d&e" };

static const char *const unclear[] = { "//", "/a//b", "/..", "/a/../b", "/%2e./", "/a/.", "/a%2fb",
	"/a\\b", "/a%5Cb", "/a;b", "/a%3Bb", "/a%00", "/a%25b", "/a%b", "/%u002e", "/./a", "/a.",
	"/a.b/c..", "/a./b", "/a%20", "/a%20/b" };

static void check_path(const struct pair *pair, enum canonical_dots dots)
{
	size_t from_len = strlen(pair->from);
	struct slice from = slice_of(guard_place(pair->from, from_len), from_len);
	char *out = malloc(canonical_path_room(from.len));
	size_t len = canonical_path(from, dots, out);

	if (len != strlen(pair->to) || memcmp(out, pair->to, len) != 0)
		fail_msg("%s became %.*s", pair->from, (int)len, out);
	free(out);
}

static void test_paths(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(strict); i++) {
		const struct pair again = { strict[i].to, strict[i].to };

		check_path(&strict[i], CANONICAL_RESOLVED);
		check_path(&again, CANONICAL_RESOLVED);
	}
}

static void test_unresolved_paths(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(unresolved); i++)
		check_path(&unresolved[i], CANONICAL_UNRESOLVED);
}

static void test_clear_paths(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(clear); i++)
		if (!canonical_is_clear(slice_of_string(clear[i])))
			fail_msg("%s is not clear", clear[i]);
	for (size_t i = 0; i < COUNT(unclear); i++)
		if (canonical_is_clear(slice_of_string(unclear[i])))
			fail_msg("%s is clear", unclear[i]);
}

/* What is taken for plain must need nothing done. */
static void test_plain_paths(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(strict); i++)
		if (canonical_is_plain(slice_of_string(strict[i].from)))
			assert_string_equal(strict[i].from, strict[i].to);
	for (size_t i = 0; i < COUNT(unclear); i++)
		assert_false(canonical_is_plain(slice_of_string(unclear[i])));
	assert_true(canonical_is_plain(slice_of_string("/")));
	assert_true(canonical_is_plain(slice_of_string("/a/b-c.d/")));
	assert_false(canonical_is_plain(slice_of_string("/./a")));
}

static void test_path_of_target(void **state)
{
	static const struct pair targets[] = { { "/a?b?c", "/a" }, { "?b", "" }, { "/a", "/a" },
		{ "*", "*" } };

	(void)state;
	for (size_t i = 0; i < COUNT(targets); i++)
		assert_true(slice_equals(canonical_path_of(slice_of_string(targets[i].from)),
			slice_of_string(targets[i].to)));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_hosts),
		cmocka_unit_test(test_long_host_is_cut),
		cmocka_unit_test(test_paths),
		cmocka_unit_test(test_unresolved_paths),
		cmocka_unit_test(test_clear_paths),
		cmocka_unit_test(test_plain_paths),
		cmocka_unit_test(test_path_of_target),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
