/* Addresses and URLs: what is taken, what is refused, and how both are written again. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "net/address.h"
#include "net/url.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* 107 bytes, the longest path that fits, and one more. */
#define PATH_10  "/234567890"
#define PATH_50  PATH_10 PATH_10 PATH_10 PATH_10 PATH_10
#define PATH_107 PATH_50 PATH_50 "/234567"

static const char *const good_listen[][2] = {
	{ "*:8080", "[::]:8080" },
	{ ":8080", "[::]:8080" },
	{ "*:0", "[::]:0" },
	{ "127.0.0.1:8080", "127.0.0.1:8080" },
	{ "0.0.0.0:65535", "0.0.0.0:65535" },
	{ "[::1]:80", "[::1]:80" },
	{ "[::]:80", "[::]:80" },
	{ "[2001:DB8::1]:80", "[2001:db8::1]:80" },
	{ "[::ffff:10.0.0.1]:80", "10.0.0.1:80" },
	{ "unix:/run/tinylb.sock", "unix:/run/tinylb.sock" },
	{ "unix:" PATH_107, "unix:" PATH_107 },
};

static const char *const bad_listen[] = {
	"",
	":",
	"*",
	"8080",
	"*:",
	"*:65536",
	"*:-1",
	"*:+80",
	"*: 80",
	"*:80 ",
	"*:0x50",
	"*:99999999999999999999",
	"127.0.0.1",
	"127.0.0.1:",
	"localhost:8080",
	"127.1:8080",
	"010.0.0.1:80",
	"256.0.0.1:80",
	"::1:8080",
	"[::1]",
	"[::1:8080",
	"::1]:8080",
	"[]:8080",
	"[:8080",
	"[127.0.0.1]:8080",
	"[fe80::1%lo]:8080",
	"http://127.0.0.1:80",
	"unix:",
	"unix:run/sock",
	"unix:" PATH_107 "x",
};

static void test_listen_good(void **state)
{
	struct address a;
	const char *why;
	char text[ADDRESS_TEXT_SIZE];

	(void)state;
	for (size_t i = 0; i < COUNT(good_listen); i++) {
		if (address_parse_listen(good_listen[i][0], &a, &why) == -1)
			fail_msg("%s: %s", good_listen[i][0], why);
		assert_string_equal(address_format(&a, text), good_listen[i][1]);
	}
}

static void test_listen_bad(void **state)
{
	struct address a;

	(void)state;
	for (size_t i = 0; i < COUNT(bad_listen); i++) {
		const char *why = NULL;

		if (address_parse_listen(bad_listen[i], &a, &why) == 0)
			fail_msg("%s was taken", bad_listen[i]);
		assert_non_null(why);
	}
}

struct good_url {
	const char *text;
	const char *host;
	int port;
	const char *path;
	const char *authority;
	const char *address; /* known without a look-up, or NULL */
};

static const struct good_url good_urls[] = {
	{ "http://localhost:8001", "localhost", 8001, "", "localhost:8001", NULL },
	{ "http://localhost", "localhost", 80, "", "localhost", NULL },
	{ "http://localhost:80/", "localhost", 80, "", "localhost", NULL },
	{ "HTTP://a/b/c", "a", 80, "/b/c", "a", NULL },
	{ "http://a:1/b/", "a", 1, "/b/", "a:1", NULL },
	{ "http://a//", "a", 80, "//", "a", NULL },
	{ "http://a/%41?", NULL, 0, NULL, NULL, NULL },
	{ "http://a-b.c_d.example.", "a-b.c_d.example.", 80, "", "a-b.c_d.example.", NULL },
	{ "http://1a.2b", "1a.2b", 80, "", "1a.2b", NULL },
	{ "http://127.0.0.1:8001/x", "127.0.0.1", 8001, "/x", "127.0.0.1:8001", "127.0.0.1:8001" },
	{ "http://[::1]:8001", "::1", 8001, "", "[::1]:8001", "[::1]:8001" },
	{ "http://[2001:db8::1]/", "2001:db8::1", 80, "", "[2001:db8::1]", "[2001:db8::1]:80" },
	{ "http://a:65535", "a", 65535, "", "a:65535", NULL },
	{ "unix:/run/a.sock", "", 0, "", "localhost", "unix:/run/a.sock" },
	{ "http://unix:/run/a.sock", "", 0, "", "localhost", "unix:/run/a.sock" },
};

static void check_url(const struct good_url *expected)
{
	struct backend_url url;
	struct address a;
	const char *why = NULL;
	char text[ADDRESS_TEXT_SIZE];
	int rc = url_parse(expected->text, &url, &why);

	if (expected->host == NULL) {
		assert_int_equal(rc, -1);
		return;
	}
	if (rc == -1)
		fail_msg("%s: %s", expected->text, why);
	assert_string_equal(url.host, expected->host);
	assert_string_equal(url.path, expected->path);
	assert_string_equal(url.authority, expected->authority);
	assert_int_equal(url.port, expected->port);
	if (expected->address == NULL) {
		assert_int_equal(url_address(&url, &a), -1);
	} else {
		assert_int_equal(url_address(&url, &a), 0);
		assert_string_equal(address_format(&a, text), expected->address);
	}
	url_free(&url);
	assert_null(url.host);
	url_free(&url);
}

static void test_url_good(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(good_urls); i++)
		check_url(&good_urls[i]);
}

static const char *const bad_urls[] = {
	"",
	"http://",
	"http:///path",
	"http://:80",
	"localhost:8001",
	"ftp://a",
	"https://a",
	"http:/a",
	"http://a:",
	"http://a:0",
	"http://a:65536",
	"http://a:8 0",
	"http://a:80:80",
	"http://::1",
	"http://::1:80",
	"http://[::1",
	"http://[::1]x",
	"http://[]",
	"http://[127.0.0.1]",
	"http://[localhost]",
	"http://1.2.3",
	"http://1",
	"http://0x7f000001.1",
	"http://256.1.1.1",
	"http://1.2.3.4.",
	"http://010.1.1.1",
	"http://a..b",
	"http://.a",
	"http://.",
	"http://a%20b",
	"http://a,b",
	"http://a b",
	"http://a/b c",
	"http://a/\"",
	"http://a/\r\nX: y",
	"http://a/\xc3\xa4",
	"http://a?b",
	"http://a/b?c",
	"http://a/b#c",
	"http://u@a",
	"http://u:p@a/",
	"unix:",
	"unix:a",
	"http://unix:a",
	"unix:" PATH_107 "x",
};

static void test_url_bad(void **state)
{
	struct backend_url url;

	(void)state;
	for (size_t i = 0; i < COUNT(bad_urls); i++) {
		const char *why = NULL;

		if (url_parse(bad_urls[i], &url, &why) == 0)
			fail_msg("%s was taken", bad_urls[i]);
		assert_non_null(why);
		assert_null(url.host);
	}
}

/* A URL whose host or path has this many bytes. 0 where it is taken. */
static int parse_long(size_t host_len, size_t label_len, size_t path_len)
{
	char text[2048] = "http://";
	size_t at = strlen(text);
	struct backend_url url;
	const char *why;
	int rc;

	for (size_t i = 0; i < host_len; i++)
		text[at++] = i % (label_len + 1) == label_len ? '.' : 'a';
	memset(text + at, '/', path_len);
	text[at + path_len] = '\0';
	rc = url_parse(text, &url, &why);
	url_free(&url);
	return rc;
}

static void test_url_lengths(void **state)
{
	(void)state;
	assert_int_equal(parse_long(63, 63, 0), 0);
	assert_int_equal(parse_long(64, 64, 0), -1);
	assert_int_equal(parse_long(253, 49, 0), 0);
	assert_int_equal(parse_long(254, 49, 0), -1);
	assert_int_equal(parse_long(1, 1, 511), 0);
	assert_int_equal(parse_long(1, 1, 512), -1);
}

static void test_ip(void **state)
{
	struct address a;

	(void)state;
	assert_int_equal(address_parse_ip("10.0.0.1", &a), 0);
	assert_int_equal(a.u.sa.sa_family, AF_INET);
	assert_int_equal(address_parse_ip("::1", &a), 0);
	assert_int_equal(a.u.sa.sa_family, AF_INET6);
	assert_int_equal(address_parse_ip("[::1]", &a), -1);
	assert_int_equal(address_parse_ip("10.0.0.1:80", &a), -1);
	assert_int_equal(address_parse_ip("", &a), -1);
	assert_int_equal(a.len, 0);
}

static void test_equals(void **state)
{
	static const char *const texts[] = {
		"10.0.0.1:1",
		"10.0.0.1:2",
		"10.0.0.2:1",
		"[::1]:1",
		"[::1]:2",
		"[::2]:1",
		"unix:/a",
		"unix:/b",
		"unix:/ab",
	};
	struct address list[COUNT(texts)];
	const char *why;

	(void)state;
	for (size_t i = 0; i < COUNT(texts); i++)
		assert_int_equal(address_parse_listen(texts[i], &list[i], &why), 0);
	for (size_t i = 0; i < COUNT(texts); i++)
		for (size_t j = 0; j < COUNT(texts); j++)
			assert_int_equal(address_equals(&list[i], &list[j]), i == j);
}

/* What accept(2) gives for a client over a unix socket: a family and nothing else. */
static void test_format_unnamed(void **state)
{
	struct address a = { .len = sizeof(sa_family_t) };
	struct address none = { .len = 0 };
	char text[ADDRESS_TEXT_SIZE];

	(void)state;
	a.u.sa.sa_family = AF_UNIX;
	assert_string_equal(address_format(&a, text), "unix:");
	assert_string_equal(address_format_host(&a, text), "unix:");
	assert_string_equal(address_format_host(&none, text), "");
	assert_string_equal(address_format(&none, text), "");
}

static void test_format_host(void **state)
{
	static const char *const cases[][2] = {
		{ "10.0.0.1:80", "10.0.0.1" },
		{ "[::ffff:10.0.0.1]:80", "10.0.0.1" },
		{ "[::1]:80", "::1" },
		{ "unix:/a", "unix:" },
	};
	struct address a;
	const char *why;
	char text[ADDRESS_TEXT_SIZE];

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		assert_int_equal(address_parse_listen(cases[i][0], &a, &why), 0);
		assert_string_equal(address_format_host(&a, text), cases[i][1]);
	}
}

static void test_loopback(void **state)
{
	static const char *const within[] = { "127.0.0.1:1", "127.9.8.7:1", "[::1]:1",
		"[::ffff:127.0.0.1]:1" };
	static const char *const without[] = { "*:1", "0.0.0.0:1", "128.0.0.1:1", "1.0.0.127:1",
		"[::2]:1", "[7f00::1]:1", "[::ffff:10.0.0.1]:1", "unix:/a" };
	struct address a;
	const char *why;

	(void)state;
	for (size_t i = 0; i < COUNT(within); i++) {
		assert_int_equal(address_parse_listen(within[i], &a, &why), 0);
		assert_true(address_is_loopback(&a));
	}
	for (size_t i = 0; i < COUNT(without); i++) {
		assert_int_equal(address_parse_listen(without[i], &a, &why), 0);
		assert_false(address_is_loopback(&a));
	}
}

static void test_resolve(void **state)
{
	struct address found[8];
	const char *why = NULL;
	char text[ADDRESS_TEXT_SIZE];
	int count = address_resolve("localhost", 8001, found, 8, &why);

	(void)state;
	assert_true(count >= 1 && count <= 2);
	for (int i = 0; i < count; i++) {
		(void)address_format(&found[i], text);
		assert_true(strcmp(text, "127.0.0.1:8001") == 0 || strcmp(text, "[::1]:8001") == 0);
	}
	assert_int_equal(address_resolve("127.0.0.1", 1, found, 1, &why), 1);
	/* Never asked of a server: no name has a label of 64 bytes. */
	assert_int_equal(address_resolve("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
					 "aaaaaaaaaaaaaaaa.invalid",
				 1, found, 8, &why),
		-1);
	assert_non_null(why);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_listen_good),
		cmocka_unit_test(test_listen_bad),
		cmocka_unit_test(test_url_good),
		cmocka_unit_test(test_url_bad),
		cmocka_unit_test(test_url_lengths),
		cmocka_unit_test(test_ip),
		cmocka_unit_test(test_equals),
		cmocka_unit_test(test_format_unnamed),
		cmocka_unit_test(test_format_host),
		cmocka_unit_test(test_loopback),
		cmocka_unit_test(test_resolve),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
