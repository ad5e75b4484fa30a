/* The option table itself, values on their way in and out of it, and suggestions. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/log.h"
#include "settings/number.h"
#include "settings/settings.h"
#include "settings/suggest.h"
#include "settings/value.h"
#include "settings/value_life.h"
#include "settings/value_text.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* What a store said, for the checks below. */
static char why_bytes[1024];

static int store(enum option_scope scope, const char *name, struct value value, void *base)
{
	const struct option *option = option_find(scope, name);
	struct text why = text_over(why_bytes, sizeof why_bytes);
	struct value_reader reader = { "/folder", &why };
	int rc;

	assert_non_null(option);
	rc = value_store(option, &value, base, &reader);
	(void)text_string(&why);
	return rc;
}

static int store_text(enum option_scope scope, const char *name, const char *text, void *base)
{
	return store(scope, name, (struct value){ .kind = VALUE_STRING, .string = text }, base);
}

static int store_integer(enum option_scope scope, const char *name, int64_t value, void *base)
{
	return store(scope, name, (struct value){ .kind = VALUE_INTEGER, .integer = value }, base);
}

static void test_names_are_unique(void **state)
{
	(void)state;
	for (size_t i = 0; i < option_count; i++) {
		assert_ptr_equal(
			option_find(option_table[i].scope, option_table[i].name), &option_table[i]);
		assert_non_null(option_table[i].help);
		assert_true(option_table[i].min <= option_table[i].max);
	}
	assert_null(option_find(OPTION_TOP, "connect"));
	assert_null(option_find(OPTION_TOP, ""));
}

/* Every option has a default, is required, or says in words what holds without it. */
static void test_defaults_are_told(void **state)
{
	(void)state;
	for (size_t i = 0; i < option_count; i++) {
		const struct option *o = &option_table[i];

		if (o->type == OPTION_SECTION)
			continue;
		assert_true((o->def != NULL) + o->required + (o->def_text != NULL) == 1);
	}
}

static void test_default_values(void **state)
{
	struct settings s = { 0 };

	(void)state;
	assert_int_equal(value_life_set_defaults(OPTION_TOP, &s), 0);
	assert_int_equal(s.workers, 0);
	assert_int_equal(s.seed, 0);
	assert_null(s.user);
	assert_null(s.group);
	assert_int_equal(s.host, HOST_BACKEND);
	assert_false(s.half_close);
	assert_string_equal(s.log, "stderr");
	assert_int_equal(s.log_level, LOG_LEVEL_INFO);
	assert_null(s.access_log);
	assert_null(s.pid_file);
	assert_int_equal(s.timeouts.connect, 5000);
	assert_int_equal(s.timeouts.request_header, 10000);
	assert_int_equal(s.timeouts.response, 60000);
	assert_int_equal(s.timeouts.idle_client, 60000);
	assert_int_equal(s.timeouts.idle_backend, 30000);
	assert_int_equal(s.timeouts.tunnel, 3600000);
	assert_int_equal(s.timeouts.drain, 30000);
	assert_int_equal(s.timeouts.lame_duck, 0);
	assert_int_equal(s.limits.header_size, 32768);
	assert_int_equal(s.limits.header_count, 100);
	assert_int_equal(s.limits.connections, 0);
	value_life_free(OPTION_TOP, &s);
}

/* A default is written as the dump writes it, so that both show the same. */
static void test_defaults_are_canonical(void **state)
{
	struct settings s = { 0 };
	void *bases[OPTION_SCOPES] = {
		[OPTION_TOP] = &s, [OPTION_TIMEOUTS] = &s.timeouts, [OPTION_LIMITS] = &s.limits
	};

	(void)state;
	for (size_t i = 0; i < option_count; i++) {
		const struct option *o = &option_table[i];
		char bytes[64];
		char quoted[64];
		struct text text = text_over(bytes, sizeof bytes);

		if (o->def == NULL || bases[o->scope] == NULL)
			continue;
		value_life_free(o->scope, bases[o->scope]);
		assert_int_equal(value_life_set_defaults(o->scope, bases[o->scope]), 0);
		assert_true(value_text_add_member(&text, o, bases[o->scope]));
		(void)snprintf(quoted, sizeof quoted, bytes[0] == '"' ? "\"%s\"" : "%s", o->def);
		assert_string_equal(text_string(&text), quoted);
	}
	value_life_free(OPTION_TOP, &s);
}

static void test_integer(void **state)
{
	struct settings s = { .workers = 7 };

	(void)state;
	assert_int_equal(store_integer(OPTION_TOP, "workers", 256, &s), 0);
	assert_int_equal(s.workers, 256);
	assert_int_equal(store_integer(OPTION_TOP, "workers", 257, &s), -1);
	assert_string_equal(why_bytes, "must be 0 to 256");
	assert_int_equal(store_integer(OPTION_TOP, "workers", -1, &s), -1);
	assert_int_equal(store_integer(OPTION_TOP, "workers", INT64_C(1) << 32, &s), -1);
	assert_int_equal(store_text(OPTION_TOP, "workers", "4", &s), -1);
	assert_non_null(strstr(why_bytes, "without quotes: 4"));
	assert_int_equal(store_text(OPTION_TOP, "workers", "four", &s), -1);
	assert_int_equal(s.workers, 256);
	assert_int_equal(store_integer(OPTION_TOP, "seed", INT64_MAX, &s), 0);
	assert_true(s.seed == INT64_MAX);
	assert_int_equal(store_integer(OPTION_TOP, "seed", -1, &s), -1);
}

static void test_boolean(void **state)
{
	struct settings s = { 0 };

	(void)state;
	assert_int_equal(store(OPTION_TOP, "half_close",
				 (struct value){ .kind = VALUE_BOOLEAN, .boolean = true }, &s),
		0);
	assert_true(s.half_close);
	assert_int_equal(store_integer(OPTION_TOP, "half_close", 1, &s), -1);
	assert_int_equal(store_text(OPTION_TOP, "half_close", "true", &s), -1);
}

static void test_choice(void **state)
{
	struct settings s = { 0 };
	struct pool_settings pool = { 0 };

	(void)state;
	assert_int_equal(store_text(OPTION_TOP, "host", "preserve", &s), 0);
	assert_int_equal(s.host, HOST_PRESERVE);
	assert_int_equal(store_text(OPTION_TOP, "host", "presrve", &s), -1);
	assert_non_null(strstr(why_bytes, "did you mean \"preserve\"?"));
	assert_int_equal(store_text(OPTION_TOP, "log_level", "debug", &s), 0);
	assert_int_equal(s.log_level, LOG_LEVEL_DEBUG);
	assert_int_equal(store_integer(OPTION_TOP, "host", 1, &s), -1);
	assert_int_equal(store_text(OPTION_POOL, "balance", "random", &pool), 0);
	assert_int_equal(store_text(OPTION_POOL, "balance", "", &pool), -1);
}

static void test_hash_on(void **state)
{
	static const char *const good[] = { "client", "path", "header:X-User", "header:x",
		"cookie:__Host-id", "cookie:a.b" };
	static const struct {
		const char *text;
		const char *why;
	} bad[] = {
		{ "header", "header:NAME or cookie:NAME; did you mean \"header:NAME\"?" },
		{ "heder:X-User", "; did you mean \"header:X-User\"?" },
		{ "Cookie:id", "; did you mean \"cookie:id\"?" },
		{ "cookie-id", "must be client, path, header:NAME or cookie:NAME" },
		{ "clinet", "; did you mean \"client\"?" },
		{ "path:/", "; did you mean \"path\"?" },
		{ "header:", "the name of a header field has 1 to 64 letters" },
		{ "header: X", "no blanks and no colon" },
		{ "header:X-User:", "no blanks and no colon" },
		{ "header:X\r\nY", "no blanks" },
		{ "cookie:a=b", "the name of a cookie has" },
		{ "cookie:\xc3\xa4", "the name of a cookie has" },
		{ "header:0123456789012345678901234567890123456789012345678901234567890123x",
			"1 to 64" },
		{ "heder:\"\x1b", "; did you mean \"header:NAME\"?" },
	};
	struct pool_settings pool = { 0 };

	(void)state;
	for (size_t i = 0; i < COUNT(good); i++) {
		assert_int_equal(store_text(OPTION_POOL, "hash_on", good[i], &pool), 0);
		assert_string_equal(pool.hash_on, good[i]);
	}
	for (size_t i = 0; i < COUNT(bad); i++) {
		if (store_text(OPTION_POOL, "hash_on", bad[i].text, &pool) == 0)
			fail_msg("%s was taken", bad[i].text);
		if (strstr(why_bytes, bad[i].why) == NULL)
			fail_msg("%s: %s", bad[i].text, why_bytes);
	}
	assert_int_equal(store_integer(OPTION_POOL, "hash_on", 1, &pool), -1);
	assert_string_equal(pool.hash_on, "cookie:a.b");
	value_life_free(OPTION_POOL, &pool);
}

static void test_sticky(void **state)
{
	static const char *const bad_names[] = { "", "a b", "a;b", "a=b", "\xe9", "a,b", "(" };
	struct sticky_settings sticky = { 0 };
	char key[300];

	(void)state;
	assert_int_equal(store_text(OPTION_STICKY, "cookie", "__Secure-s", &sticky), 0);
	for (size_t i = 0; i < COUNT(bad_names); i++)
		assert_int_equal(store_text(OPTION_STICKY, "cookie", bad_names[i], &sticky), -1);
	assert_string_equal(sticky.cookie, "__Secure-s");
	memset(key, 'k', sizeof key);
	key[16] = '\0';
	assert_int_equal(store_text(OPTION_STICKY, "key", key, &sticky), 0);
	key[15] = '\0';
	assert_int_equal(store_text(OPTION_STICKY, "key", key, &sticky), -1);
	assert_non_null(strstr(why_bytes, "must have 16 to 256 characters"));
	key[15] = key[16] = 'k';
	key[257] = '\0';
	assert_int_equal(store_text(OPTION_STICKY, "key", key, &sticky), -1);
	value_life_free(OPTION_STICKY, &sticky);
}

static void test_duration(void **state)
{
	static const char *const bad[] = { "", "5", "s", "5 s", " 5s", "5s ", "-5s", "+5s", "1.5s",
		"5d", "5sec", "0x5s", "0ms", "61m", "99999999999999999999h",
		"9223372036854775807h" };
	struct timeout_settings t = { 0 };

	(void)state;
	assert_int_equal(store_text(OPTION_TIMEOUTS, "connect", "250ms", &t), 0);
	assert_int_equal(t.connect, 250);
	assert_int_equal(store_text(OPTION_TIMEOUTS, "connect", "2m", &t), 0);
	assert_int_equal(t.connect, 120000);
	assert_int_equal(store_text(OPTION_TIMEOUTS, "connect", "1H", &t), 0);
	assert_int_equal(t.connect, 3600000);
	for (size_t i = 0; i < COUNT(bad); i++)
		if (store_text(OPTION_TIMEOUTS, "connect", bad[i], &t) == 0)
			fail_msg("%s was taken", bad[i]);
	assert_int_equal(store_integer(OPTION_TIMEOUTS, "connect", 5, &t), -1);
	assert_string_equal(why_bytes, "a duration needs a unit (ms, s, m, h): \"5s\"");
	assert_int_equal(store_text(OPTION_TIMEOUTS, "drain", "0s", &t), 0);
	assert_int_equal(t.drain, 0);
	assert_int_equal(t.connect, 3600000);
}

static void test_size(void **state)
{
	static const char *const bad[] = { "", "k", "64kb", "64 k", "1.5k", "1023", "65k", "1M",
		"99999999999999999999", "99999999999999999G" };
	struct limit_settings l = { 0 };

	(void)state;
	assert_int_equal(store_text(OPTION_LIMITS, "header_size", "64k", &l), 0);
	assert_int_equal(l.header_size, 65536);
	assert_int_equal(store_text(OPTION_LIMITS, "header_size", "8K", &l), 0);
	assert_int_equal(store_text(OPTION_LIMITS, "header_size", "1024", &l), 0);
	assert_int_equal(store_integer(OPTION_LIMITS, "header_size", 4096, &l), 0);
	assert_int_equal(l.header_size, 4096);
	for (size_t i = 0; i < COUNT(bad); i++)
		if (store_text(OPTION_LIMITS, "header_size", bad[i], &l) == 0)
			fail_msg("%s was taken", bad[i]);
	assert_int_equal(store_integer(OPTION_LIMITS, "header_size", -1, &l), -1);
	assert_int_equal(l.header_size, 4096);
}

static void test_path(void **state)
{
	struct settings s = { 0 };

	(void)state;
	assert_int_equal(store_text(OPTION_TOP, "log", "syslog", &s), 0);
	assert_string_equal(s.log, "syslog");
	assert_int_equal(store_text(OPTION_TOP, "log", "/var/log/x", &s), 0);
	assert_string_equal(s.log, "/var/log/x");
	assert_int_equal(store_text(OPTION_TOP, "log", "./x", &s), 0);
	assert_string_equal(s.log, "/folder/x");
	assert_int_equal(store_text(OPTION_TOP, "log", "sub/x.log", &s), 0);
	assert_string_equal(s.log, "/folder/sub/x.log");
	assert_int_equal(store_text(OPTION_TOP, "log", "stdrr", &s), -1);
	assert_non_null(strstr(why_bytes, "\"stderr\"? A file of that name would be \"./stdrr\""));
	assert_int_equal(store_text(OPTION_TOP, "log", "", &s), -1);
	assert_int_equal(store_integer(OPTION_TOP, "log", 1, &s), -1);
	assert_int_equal(store_text(OPTION_TOP, "access_log", "/a", &s), 0);
	assert_int_equal(store_text(OPTION_TOP, "access_log", "off", &s), 0);
	assert_null(s.access_log);
	value_life_free(OPTION_TOP, &s);
}

static void test_user(void **state)
{
	struct settings s = { 0 };

	(void)state;
	assert_int_equal(store_text(OPTION_TOP, "user", "root", &s), 0);
	assert_int_equal(store_text(OPTION_TOP, "group", "root", &s), 0);
	assert_int_equal(store_text(OPTION_TOP, "user", "no such user", &s), -1);
	assert_string_equal(why_bytes, "this system has no such user");
	assert_int_equal(store_text(OPTION_TOP, "group", "no such group", &s), -1);
	assert_string_equal(s.user, "root");
	value_life_free(OPTION_TOP, &s);
}

static void test_url(void **state)
{
	struct backend_settings b = { 0 };

	(void)state;
	assert_int_equal(store_text(OPTION_BACKEND, "url", "http://a/b/", &b), 0);
	assert_string_equal(b.url_text, "http://a/b");
	assert_int_equal(store_text(OPTION_BACKEND, "url", "http://a/b//", &b), 0);
	assert_string_equal(b.url_text, "http://a/b//");
	assert_int_equal(store_text(OPTION_BACKEND, "url", "https://a", &b), -1);
	assert_non_null(strstr(why_bytes, "this version speaks only http to backends"));
	assert_string_equal(b.url.path, "/b//");
	value_life_free(OPTION_BACKEND, &b);
}

static void check_number(void (*add)(struct text *, int64_t), int64_t value, const char *expected)
{
	char bytes[64];
	struct text text = text_over(bytes, sizeof bytes);

	add(&text, value);
	assert_string_equal(text_string(&text), expected);
}

static void test_numbers_written(void **state)
{
	(void)state;
	check_number(number_add_duration, 0, "0s");
	check_number(number_add_duration, 1, "1ms");
	check_number(number_add_duration, 1500, "1500ms");
	check_number(number_add_duration, 90000, "90s");
	check_number(number_add_duration, 120000, "2m");
	check_number(number_add_duration, 7200000, "2h");
	check_number(number_add_size, 0, "0");
	check_number(number_add_size, 1000, "1000");
	check_number(number_add_size, 32768, "32k");
	check_number(number_add_size, 3 << 20, "3M");
}

static const char *nearest(const char *word, const char *const *names)
{
	struct suggest suggest = suggest_begin(word);

	for (; *names != NULL; names++)
		suggest_offer(&suggest, *names);
	return suggest.best;
}

static void test_near(void **state)
{
	static const char *const names[] = { "workers", "seed", "log", "log_level", "access_log",
		"pool", NULL };
	static const char long_word[] =
		"wwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwww";

	(void)state;
	assert_string_equal(nearest("worker", names), "workers");
	assert_string_equal(nearest("wrokers", names), "workers");
	assert_string_equal(nearest("Access-Log", names), "access_log");
	assert_string_equal(nearest("lgo", names), "log");
	assert_string_equal(nearest("poll", names), "pool");
	assert_string_equal(nearest("workers", names), "workers");
	assert_null(nearest("", names));
	assert_null(nearest("x", names));
	assert_null(nearest("backends", names));
	assert_null(nearest(long_word, names));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names_are_unique),
		cmocka_unit_test(test_defaults_are_told),
		cmocka_unit_test(test_default_values),
		cmocka_unit_test(test_defaults_are_canonical),
		cmocka_unit_test(test_integer),
		cmocka_unit_test(test_boolean),
		cmocka_unit_test(test_choice),
		cmocka_unit_test(test_hash_on),
		cmocka_unit_test(test_sticky),
		cmocka_unit_test(test_duration),
		cmocka_unit_test(test_size),
		cmocka_unit_test(test_path),
		cmocka_unit_test(test_user),
		cmocka_unit_test(test_url),
		cmocka_unit_test(test_numbers_written),
		cmocka_unit_test(test_near),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
