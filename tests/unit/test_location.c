/* location.c: what names the backend becomes what the user asked for, and nothing else does (RFC
 * 9110 10.2.2, RFC 3986 4.2, RFC 6265 5.2). */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "guard_fields.h"
#include "http/location.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static struct fields fields;
static char room[4096];

static struct location_map map_to(const char *authority, const char *prefix)
{
	return (struct location_map){ .authority = slice_of_string(authority),
		.prefix = slice_of_string(prefix),
		.host = slice_of_string("user.example:8080") };
}

static void parse(const char *name, const char *value)
{
	char head[1024];
	struct text input = text_over(head, sizeof head);

	text_format(&input, "%s: %s\r\n\r\n", name, value);
	guard_parse_fields(&fields, text_string(&input));
	assert_false(input.overflow);
}

/* The field becomes `expected`; NULL: it stays, and is copied through as it stands. */
static void check(
	const struct location_map *map, const char *name, const char *value, const char *expected)
{
	struct text out = text_over(room, sizeof room);
	const struct field *field = &fields.list[0];
	struct slice wanted = slice_of_string(expected != NULL ? expected : value);

	bool plain;

	parse(name, value);
	plain = field->plain;
	assert_true(location_is_in(&fields));
	location_rewrite(&fields, map, &out);
	assert_false(out.overflow);
	if (!slice_equals(field->value, wanted))
		fail_msg("%s: %s became \"%.*s\"", name, value, SLICE_ARGS(field->value));
	assert_true(field->value.len <= strlen(value) + LOCATION_EXTRA + map->host.len);
	assert_int_equal(field->plain, plain && expected == NULL);
	assert_int_equal(out.len, expected == NULL ? 0 : field->value.len);
}

static void test_own_address(void **state)
{
	static const struct {
		const char *value, *expected;
	} cases[] = {
		{ "http://10.0.0.1:8001/login", "http://user.example:8080/login" },
		{ "http://10.0.0.1:8001/a?b=http://10.0.0.1:8001/#c",
			"http://user.example:8080/a?b=http://10.0.0.1:8001/#c" },
		{ "HTTP://10.0.0.1:8001/", "http://user.example:8080/" },
		{ "http://10.0.0.1:8001", "http://user.example:8080/" },
		{ "http://10.0.0.1:8001?q", "http://user.example:8080/?q" },
		{ "http://10.0.0.1:8001#f", "http://user.example:8080/#f" },
		{ "http://10.0.0.1:08001/x", "http://user.example:8080/x" },
		{ "http://10.0.0.1:8001//x", "http://user.example:8080//x" },
		{ "http://10.0.0.1/login", NULL },
		{ "http://10.0.0.1:80/login", NULL },
		{ "http://10.0.0.1:8002/login", NULL },
		{ "http://10.0.0.1:80010/login", NULL },
		{ "http://10.0.0.1:/login", NULL },
		{ "http://10.0.0.1:8001x/login", NULL },
		{ "http://10.0.0.1:18446744073709559617/login", NULL },
		{ "http://10.0.0.11:8001/login", NULL },
		{ "http://10.0.0.1.evil.example:8001/login", NULL },
		{ "https://10.0.0.1:8001/login", NULL },
		{ "ftp://10.0.0.1:8001/login", NULL },
		{ "http:/10.0.0.1:8001/login", NULL },
		{ "http:10.0.0.1:8001/login", NULL },
		{ "http:///login", NULL },
		{ "http://", NULL },
		{ "http://:8001/", NULL },
		{ "http://user@10.0.0.1:8001/", NULL },
		{ "http://user:pw@10.0.0.1:8001/", NULL },
		{ "http://10.0.0.1:8001@evil.example/", NULL },
		{ "http://10.0.0.1:8001\\@evil.example/", NULL },
		{ "//10.0.0.1:8001/login", NULL },
		{ "/login", NULL },
		{ "login", NULL },
		{ "../login?a#b", NULL },
		{ "?a", NULL },
		{ "#b", NULL },
		{ "", NULL },
		{ "http://user.example:8080/login", NULL },
		{ "https://other.example/?to=http://10.0.0.1:8001/", NULL },
	};
	struct location_map map = map_to("10.0.0.1:8001", "");

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		check(&map, "Location", cases[i].value, cases[i].expected);
		check(&map, "content-LOCATION", cases[i].value, cases[i].expected);
	}
}

static void test_default_port_and_case(void **state)
{
	struct location_map map = map_to("App.example", "");

	(void)state;
	check(&map, "Location", "http://app.EXAMPLE/x", "http://user.example:8080/x");
	check(&map, "Location", "http://app.example:80/x", "http://user.example:8080/x");
	check(&map, "Location", "http://app.example:/x", "http://user.example:8080/x");
	check(&map, "Location", "http://app.example:81/x", NULL);
	check(&map, "Location", "http://app.example./x", NULL);
	check(&map, "Location", "http://sub.app.example/x", NULL);
	map.https = true;
	check(&map, "Location", "http://app.example/x", "https://user.example:8080/x");
	map = map_to("[2001:db8::7]", "");
	check(&map, "Location", "http://[2001:DB8::7]:80/x", "http://user.example:8080/x");
	check(&map, "Location", "http://[2001:db8::8]/x", NULL);
	check(&map, "Location", "http://[2001:db8::7/x", NULL);
	check(&map, "Location", "http://[2001:db8::7]x/x", NULL);
	/* unix: the Host is localhost */
	map = map_to("localhost", "");
	check(&map, "Location", "http://localhost/x", "http://user.example:8080/x");
	check(&map, "Location", "http://localhost:3000/x", NULL);
}

static void test_prefix(void **state)
{
	static const struct {
		const char *value, *expected;
	} cases[] = {
		{ "http://b:1/public/login", "http://user.example:8080/login" },
		{ "http://b:1/public", "http://user.example:8080/" },
		{ "http://b:1/public/", "http://user.example:8080/" },
		{ "http://b:1/public?q", "http://user.example:8080/?q" },
		{ "http://b:1/public#f", "http://user.example:8080/#f" },
		{ "http://b:1/publicx", NULL },
		{ "http://b:1/public;x", NULL },
		{ "http://b:1/PUBLIC/", NULL },
		{ "http://b:1/other", NULL },
		{ "http://b:1/", NULL },
		{ "http://b:1", NULL },
		{ "/public/login?a", "/login?a" },
		{ "/public", "/" },
		{ "/public?a", "/?a" },
		{ "/publicx", NULL },
		{ "/login", NULL },
		{ "/", NULL },
		{ "public/login", NULL },
		{ "//public/login", NULL },
		{ "/\\public/login", NULL },
		{ "//b:1/public/login", NULL },
	};
	static const char *const prefixes[] = { "/public", "/public/" };

	(void)state;
	for (size_t i = 0; i < 2 * COUNT(cases); i++) {
		struct location_map map = map_to("b:1", prefixes[i % 2]);

		check(&map, "Location", cases[i / 2].value, cases[i / 2].expected);
	}
}

/* What is left must not become the name of a host. */
static void test_no_host_appears(void **state)
{
	struct location_map map = map_to("b:1", "/public");

	(void)state;
	check(&map, "Location", "/public//evil.example/", "/.//evil.example/");
	check(&map, "Location", "/public/\\evil.example/", "/./\\evil.example/");
	check(&map, "Location", "/public/\t/evil.example/", "/./\t/evil.example/");
	check(&map, "Location", "http://b:1/public//x", "http://user.example:8080//x");
	map.host = slice_of(NULL, 0);
	check(&map, "Location", "http://b:1/public//evil.example/", "/.//evil.example/");
	check(&map, "Location", "http://b:1/public/x", "/x");
	check(&map, "Location", "http://b:1/public?q", "/?q");
	check(&map, "Location", "http://b:1/public", "/");
}

static void test_preserved_host(void **state)
{
	struct location_map map = map_to("b:1", "/public");

	(void)state;
	check(&map, "Location", "http://user.example:8080/public/x", NULL);
	map.preserved = true;
	check(&map, "Location", "http://USER.example:8080/public/x", "http://USER.example:8080/x");
	check(&map, "Location", "https://user.example:8080/public/x",
		"https://user.example:8080/x");
	check(&map, "Location", "http://user.example:8080/other", NULL);
	check(&map, "Location", "http://user.example/public/x", NULL);
	check(&map, "Location", "http://b:1/public/x", "http://user.example:8080/x");
	check(&map, "Location", "/public/x", "/x");
	map.host = slice_of_string("user.example");
	check(&map, "Location", "https://user.example:443/public/", "https://user.example:443/");
	check(&map, "Location", "http://user.example:443/public/", NULL);
	map.host = slice_of(NULL, 0);
	check(&map, "Location", "http:///public/x", NULL);
	map = map_to("b:1", "");
	map.preserved = true;
	check(&map, "Location", "http://user.example:8080/x", NULL);
}

static void test_refresh(void **state)
{
	static const struct {
		const char *value, *expected;
	} cases[] = {
		{ "0; url=http://b:1/x", "0; url=http://user.example:8080/x" },
		{ "5;URL = 'http://b:1/x' ; y", "5;URL = 'http://user.example:8080/x' ; y" },
		{ "0,url=\"http://b:1/x", "0,url=\"http://user.example:8080/x" },
		{ "0; http://b:1/x", "0; http://user.example:8080/x" },
		{ "0; url=http://b:2/x", NULL },
		{ "0; url=/x", NULL },
		{ "0; url", NULL },
		{ "0; url=", NULL },
		{ "0; urlhttp://b:1/x", NULL },
		{ "0;", NULL },
		{ "0", NULL },
		{ "http://b:1/x", NULL },
		{ "", NULL },
	};
	struct location_map map = map_to("b:1", "");

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++)
		check(&map, "Refresh", cases[i].value, cases[i].expected);
}

static void test_cookie_path(void **state)
{
	static const struct {
		const char *value, *expected;
	} cases[] = {
		{ "a=b; Path=/public/x", "a=b; Path=/x" },
		{ "a=b; Path=/public", "a=b; Path=/" },
		{ "a=b; Path=/public/", "a=b; Path=/" },
		{ "a=b;HttpOnly;pATH =  /public/x ;Secure", "a=b;HttpOnly;pATH =  /x ;Secure" },
		{ "a=b; Path=\"/public/x\"; Max-Age=1", "a=b; Path=\"/x\"; Max-Age=1" },
		{ "a=b; Path=/; Path=/public", "a=b; Path=/; Path=/" },
		{ "a=\"x; Path=/public/x", "a=\"x; Path=/x" },
		{ "a=b; Path=/publicx", NULL },
		{ "a=b; Path=/public?x", NULL },
		{ "a=b; Path=/Public", NULL },
		{ "a=b; Path=/", NULL },
		{ "a=b; Path=", NULL },
		{ "a=b; Path", NULL },
		{ "a=b; Path=\"", NULL },
		{ "a=b; XPath=/public", NULL },
		{ "a=b; Domain=/public", NULL },
		{ "Path=/public/x", NULL },
		{ "a=/public", NULL },
		{ "a=b;", NULL },
		{ ";;", NULL },
	};
	struct location_map map = map_to("b:1", "/public");

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++)
		check(&map, "Set-Cookie", cases[i].value, cases[i].expected);
	map.prefix = slice_of(NULL, 0);
	check(&map, "Set-Cookie", "a=b; Path=/public/x", NULL);
}

static void test_other_fields(void **state)
{
	static const char input[] = "Link: <http://b:1/x>\r\nX-Location: http://b:1/x\r\n"
				    "Destination: http://b:1/x\r\nLocations: http://b:1/x\r\n\r\n";
	struct location_map map = map_to("b:1", "");
	struct text out = text_over(room, sizeof room);
	const char *why;
	bool too_many;

	(void)state;
	fields_init(&fields);
	assert_true(
		fields_parse(&fields, input, sizeof input - 1, FIELDS_MAX, &why, &too_many) > 0);
	assert_false(location_is_in(&fields));
	location_rewrite(&fields, &map, &out);
	assert_int_equal(out.len, 0);
}

static void test_no_room(void **state)
{
	struct location_map map = map_to("b:1", "");

	(void)state;
	for (size_t size = 0; size < sizeof "http://user.example:8080/x" - 1; size++) {
		char small[64];
		struct text out = text_over(small, size);

		parse("Location", "http://b:1/x");
		location_rewrite(&fields, &map, &out);
		assert_true(out.overflow && out.len <= size);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_own_address),
		cmocka_unit_test(test_default_port_and_case),
		cmocka_unit_test(test_prefix),
		cmocka_unit_test(test_no_host_appears),
		cmocka_unit_test(test_preserved_host),
		cmocka_unit_test(test_refresh),
		cmocka_unit_test(test_cookie_path),
		cmocka_unit_test(test_other_fields),
		cmocka_unit_test(test_no_room),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
