/* session.c: each backend has a token, only those are tokens, and nobody without the key makes one.
 */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "balance/session.h"
#include "base/memory.h"
#include "guard.h"

#define MANY ((size_t)10000)

static const uint8_t key[SIPHASH_KEY_SIZE] = { 1, 2, 3 };
static char names[MANY][32];
static struct slice urls[MANY];

static void name_all(void)
{
	for (size_t i = 0; i < MANY; i++) {
		(void)snprintf(names[i], sizeof names[i], "http://b%zu:80", i);
		urls[i] = slice_of_string(names[i]);
	}
}

static struct sessions *make(const char *pool, size_t count)
{
	struct sessions *s = sessions_new(key, slice_of_string(pool), urls, count);

	assert_non_null(s);
	return s;
}

static size_t find(const struct sessions *s, const char *text, size_t len)
{
	return sessions_find(s, slice_of(guard_place(text, len), len));
}

static void test_each_has_its_own(void **state)
{
	struct sessions *s;
	char token[SESSION_TOKEN_LEN];

	(void)state;
	name_all();
	s = make("app", MANY);
	for (size_t i = 0; i < MANY; i++) {
		sessions_token(s, i, token);
		assert_true(find(s, token, sizeof token) == i);
	}
	sessions_free(s);
}

/* The place of a backend in the list says nothing, what it is called does. */
static void test_order_does_not_matter(void **state)
{
	struct sessions *s, *turned;
	struct slice other[3];
	char token[SESSION_TOKEN_LEN];

	(void)state;
	name_all();
	s = make("app", 3);
	for (size_t i = 0; i < 3; i++)
		other[2 - i] = urls[i];
	turned = sessions_new(key, slice_of_string("app"), other, 3);
	assert_non_null(turned);
	for (size_t i = 0; i < 3; i++) {
		sessions_token(s, i, token);
		assert_true(find(turned, token, sizeof token) == 2 - i);
	}
	sessions_free(s);
	sessions_free(turned);
}

/* The addresses of one name have one URL: the first is called as it would be alone. */
static void test_same_url(void **state)
{
	const struct slice same[] = { { "a", 1 }, { "b", 1 }, { "a", 1 }, { "a", 1 } };
	struct sessions *s = sessions_new(key, slice_of_string("app"), same, 4);
	struct sessions *alone = sessions_new(key, slice_of_string("app"), same, 2);
	char token[SESSION_TOKEN_LEN];

	(void)state;
	assert_non_null(s);
	assert_non_null(alone);
	for (size_t i = 0; i < 4; i++) {
		sessions_token(s, i, token);
		assert_true(find(s, token, sizeof token) == i);
		assert_true(find(alone, token, sizeof token) == (i < 2 ? i : SESSION_NONE));
	}
	sessions_free(s);
	sessions_free(alone);
}

/* Cookies that users have must be those of their backends after an upgrade, and in another balancer
 * with the same secret. */
static void test_tokens_stay_what_they_are(void **state)
{
	static const struct slice backends[] = { { "http://a:80", 11 }, { "http://b:80", 11 },
		{ "http://a:80", 11 }, { "http://a:80", 11 }, { "http://b:80", 11 } };
	static const char *const tokens[] = { "442b1e5ab623b9e0c81b01b1b41a4f26",
		"f09779fc5224ad5390b3c79d88385a4a", "ef4c3493f04ed479a02fb6242deb1c8a",
		"0621f3ae1781faaf0cfeadfcfe63dcb8", "98de5b9285af0f27f2a8341e3b30edd2" };
	uint8_t of_text[SIPHASH_KEY_SIZE];
	struct sessions *s;

	(void)state;
	session_key(slice_of_string("a secret of the settings"), of_text);
	s = sessions_new(of_text, slice_of_string("app"), backends, 5);
	assert_non_null(s);
	for (size_t i = 0; i < 5; i++) {
		char token[SESSION_TOKEN_LEN + 1] = "";

		sessions_token(s, i, token);
		assert_true(find(s, token, SESSION_TOKEN_LEN) == i);
		assert_string_equal(token, tokens[i]);
	}
	sessions_free(s);
}

/* Of another pool, another key, or another backend. */
static void test_strangers(void **state)
{
	uint8_t other_key[SIPHASH_KEY_SIZE];
	struct sessions *s, *other;
	char token[SESSION_TOKEN_LEN];

	(void)state;
	name_all();
	s = make("app", 100);
	other = make("shop", 100);
	for (size_t i = 0; i < 100; i++) {
		sessions_token(other, i, token);
		assert_true(find(s, token, sizeof token) == SESSION_NONE);
	}
	sessions_free(other);
	session_key(slice_of_string("0123456789abcdef"), other_key);
	assert_memory_not_equal(other_key, key, sizeof key);
	other = sessions_new(other_key, slice_of_string("app"), urls, 101);
	assert_non_null(other);
	for (size_t i = 0; i <= 100; i++) {
		sessions_token(other, i, token);
		assert_true(find(s, token, sizeof token) == SESSION_NONE);
	}
	sessions_free(other);
	sessions_free(s);
}

static void test_no_tokens(void **state)
{
	struct sessions *s, *none;
	char token[SESSION_TOKEN_LEN + 1];

	(void)state;
	name_all();
	s = make("app", 100);
	none = make("app", 0);
	sessions_token(s, 50, token);
	token[SESSION_TOKEN_LEN] = 'a';
	assert_true(find(s, token, 0) == SESSION_NONE);
	assert_true(find(s, token, SESSION_TOKEN_LEN - 1) == SESSION_NONE);
	assert_true(find(s, token, SESSION_TOKEN_LEN + 1) == SESSION_NONE);
	assert_true(find(none, token, SESSION_TOKEN_LEN) == SESSION_NONE);
	for (size_t i = 0; i < SESSION_TOKEN_LEN; i++) {
		char right = token[i];

		/* every other character at any place */
		for (int c = 0; c < 256; c++) {
			token[i] = (char)c;
			assert_true(
				(find(s, token, SESSION_TOKEN_LEN) == 50) == (token[i] == right));
		}
		token[i] = right;
	}
	sessions_free(s);
	sessions_free(none);
}

static void test_no_memory(void **state)
{
	struct sessions *s = NULL;

	(void)state;
	name_all();
	for (long i = 0; s == NULL; i++) {
		assert_in_range(i, 0, 10);
		mem_fail_after(i);
		s = sessions_new(key, slice_of_string("app"), urls, 10);
	}
	mem_fail_after(-1);
	sessions_free(s);
	sessions_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each_has_its_own),
		cmocka_unit_test(test_order_does_not_matter),
		cmocka_unit_test(test_same_url),
		cmocka_unit_test(test_tokens_stay_what_they_are),
		cmocka_unit_test(test_strangers),
		cmocka_unit_test(test_no_tokens),
		cmocka_unit_test(test_no_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
