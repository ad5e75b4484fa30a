/* What of a request decides which backend gets it: the keys of `hash`, the sessions of `sticky`. */
#include "config.h"

#include "upstream/affinity.h"

#include <stdio.h>

#include "pools.h"
#include "upstream/availability.h"

static struct pool *const pool = &w.pools[0];
static char token[SESSION_TOKEN_LEN];

static const struct head_limits limits = { .size = 4096, .count = 32 };

/* Reads a request, whose head need not be whole. */
static void read_request(struct selection *s, const char *line, const char *fields)
{
	static char head[1024];
	int len = snprintf(head, sizeof head, "%s HTTP/1.1\r\n%sHost: h\r\n\r\n", line, fields);

	assert_int_equal(request_parse(&w.request, head, (size_t)len, 0, &limits), PARSE_DONE);
	pools_select(s);
}

/* Picks for the selection; what was looked for stands in `query`. */
static size_t pick(struct selection *s, struct pick *query)
{
	*query = (struct pick){ .rng = &w.upstream.rng,
		.tried = s->tried,
		.tried_count = s->tried_count,
		.view = &pool->view };
	availability_refresh(pool);
	return affinity_pick(s, query);
}

static size_t pick_for(struct selection *s)
{
	struct pick query;

	return pick(s, &query);
}

/* --- hash --- */

static void start_hash(const char *on)
{
	w.app.balance = BALANCE_HASH;
	w.app.hash_on = strcpy(calloc(1, 64), on);
	pools_start();
	assert_true(pool->by_request);
	assert_null(pool->sessions);
}

static int end(void **state)
{
	int result = pools_end(state);

	if (w.app.balance == BALANCE_HASH)
		free(w.app.hash_on);
	return result;
}

/* The key is that of `text`. */
static void expect_key(struct selection *s, const char *text)
{
	static const uint8_t no_secret[SIPHASH_KEY_SIZE];
	struct pick query;

	assert_in_range(pick(s, &query), 0, POOLS_BACKENDS - 1);
	assert_true(query.key == siphash_64(no_secret, slice_of_string(text)));
}

/* Each pick has another key. */
static void expect_no_key(struct selection *s)
{
	struct pick first, second;

	assert_in_range(pick(s, &first), 0, POOLS_BACKENDS - 1);
	assert_in_range(pick(s, &second), 0, POOLS_BACKENDS - 1);
	assert_true(first.key != second.key);
}

static void test_hash_of_the_client(void **state)
{
	struct selection s;

	(void)state;
	start_hash("client");
	read_request(&s, "GET /", "");
	expect_no_key(&s);
	s.client_ip = slice_of_string("10.0.0.1");
	expect_key(&s, "10.0.0.1");
}

/* With a secret the keys are others, and the same for all who have it. */
static void test_hash_with_a_secret(void **state)
{
	static const uint8_t purpose[SIPHASH_KEY_SIZE] = "tinylb hash";
	static char secret[] = "a secret of the settings";
	uint8_t key[SIPHASH_KEY_SIZE];
	struct selection s;
	struct pick query;

	(void)state;
	w.app.hash_key = secret;
	start_hash("client");
	read_request(&s, "GET /", "");
	expect_no_key(&s);
	s.client_ip = slice_of_string("10.0.0.1");
	siphash_key(purpose, slice_of_string(secret), key);
	assert_in_range(pick(&s, &query), 0, POOLS_BACKENDS - 1);
	assert_true(query.key == siphash_64(key, slice_of_string("10.0.0.1")));
}

static void test_hash_of_the_path(void **state)
{
	struct selection s;

	(void)state;
	start_hash("path");
	read_request(&s, "GET /a/b?c=/d?e", "");
	expect_key(&s, "/a/b");
	read_request(&s, "GET /a/b", "");
	expect_key(&s, "/a/b");
	read_request(&s, "GET /", "");
	expect_key(&s, "/");
	/* An absolute target may have no path, but a query. */
	read_request(&s, "GET http://h?q", "");
	expect_key(&s, "/");
	read_request(&s, "GET http://h", "");
	expect_key(&s, "/");
}

static void test_hash_of_a_header(void **state)
{
	struct selection s;

	(void)state;
	start_hash("header:X-User");
	read_request(&s, "GET /", "X-Other: a\r\nx-uSER: ben\r\nX-User: tom\r\n");
	expect_key(&s, "ben");
	read_request(&s, "GET /", "X-User: tom\r\n");
	expect_key(&s, "tom");
	read_request(&s, "GET /", "X-Use: a\r\n");
	expect_no_key(&s);
	read_request(&s, "GET /", "X-User:\r\n");
	expect_no_key(&s);
	/* What stands behind the last field is of another request. */
	read_request(&s, "GET /", "");
	w.request.fields.list[w.request.fields.count] =
		(struct field){ .name = slice_of_string("X-User"),
			.value = slice_of_string("tom") };
	expect_no_key(&s);
}

/* The host of an absolute target counts. */
static void test_hash_of_the_host(void **state)
{
	struct selection s;

	(void)state;
	start_hash("header:host");
	read_request(&s, "GET /", "");
	expect_key(&s, "h");
	read_request(&s, "GET http://other/", "");
	expect_key(&s, "other");
}

static void test_hash_of_a_cookie(void **state)
{
	struct selection s;

	(void)state;
	start_hash("cookie:user");
	read_request(&s, "GET /", "Cookie: User=no; user=ben\r\nCookie: user=tom\r\n");
	expect_key(&s, "ben");
	read_request(&s, "GET /", "Cookie: User=no\r\n");
	expect_no_key(&s);
}

static void test_equal_keys_meet(void **state)
{
	unsigned met = 0;
	struct selection s;
	char ip[16];

	(void)state;
	start_hash("client");
	read_request(&s, "GET /", "");
	s.client_ip = slice_of(ip, 3);
	for (int i = 0; i < 100; i++) {
		size_t first;

		snprintf(ip, sizeof ip, "%03d", i);
		first = pick_for(&s);
		assert_int_equal(pick_for(&s), first);
		met |= 1u << first;
		/* One that was tried is not picked again. */
		s.tried[s.tried_count++] = first;
		assert_int_not_equal(pick_for(&s), first);
		s.tried_count = 0;
	}
	assert_int_equal(met, 15);
	assert_false(s.bound);
	assert_true(s.session == PICKER_NONE);
}

static void test_an_unknown_key_of_hash_is_refused(void **state)
{
	char wrong[] = "moon";

	(void)state;
	w.app.balance = BALANCE_RANDOM;
	w.app.hash_on = wrong;
	pools_start();
	assert_false(pool->by_request);
	pool_setup_fini_one(pool);
	w.pools[0] = (struct pool){ 0 };
	w.app.balance = BALANCE_HASH;
	assert_int_equal(pool_setup_init_one(pool, &w.upstream, &w.app), -1);
	w.app.balance = BALANCE_RANDOM;
}

/* --- sticky --- */

static void start_sticky(void)
{
	w.app.balance = BALANCE_STICKY;
	pools_start();
	assert_true(pool->by_request);
	assert_non_null(pool->sessions);
}

/* A request with the token of a backend, behind what else the Cookie field has. */
static void show_token(struct selection *s, const char *before, size_t backend)
{
	char field[256];

	sessions_token(pool->sessions, backend, token);
	snprintf(field, sizeof field, "Cookie: %ssid=%.*s\r\n", before, SESSION_TOKEN_LEN, token);
	read_request(s, "GET /", field);
}

/* Which backends get the requests with this selection, a bit for each. */
static unsigned picks(struct selection *s)
{
	unsigned set = 0;

	for (int i = 0; i < 200; i++) {
		size_t picked = pick_for(s);

		if (picked != PICKER_NONE)
			set |= 1u << picked;
	}
	return set;
}

static void test_a_session_comes_back(void **state)
{
	struct selection s;

	(void)state;
	start_sticky();
	for (size_t i = 0; i < POOLS_BACKENDS; i++) {
		show_token(&s, "", i);
		assert_int_equal(picks(&s), 1u << i);
		assert_int_equal(s.session, i);
		assert_false(s.bound);
	}
}

static void test_without_a_token_any_will_do(void **state)
{
	struct selection s;

	(void)state;
	start_sticky();
	read_request(&s, "GET /", "");
	assert_int_equal(picks(&s), 15);
	assert_true(s.session == PICKER_NONE);
	read_request(&s, "GET /", "Cookie: sid=00000000000000000000000000000000\r\n");
	assert_int_equal(picks(&s), 15);
	assert_true(s.session == PICKER_NONE);
	assert_false(s.bound);
}

/* Cookies of another name do not count, and of several the first with a token of this pool does. */
static void test_the_token_is_found_among_cookies(void **state)
{
	char other[SESSION_TOKEN_LEN], before[128];
	struct selection s;

	(void)state;
	start_sticky();
	sessions_token(pool->sessions, 3, other);
	snprintf(before, sizeof before, "sid=nonsense; id=%.*s; ", SESSION_TOKEN_LEN, other);
	show_token(&s, before, 1);
	assert_int_equal(picks(&s), 2);
	snprintf(before, sizeof before, "sid=%.*s; ", SESSION_TOKEN_LEN, other);
	show_token(&s, before, 1);
	assert_int_equal(picks(&s), 8);
}

/* A session is looked for once: what was tried has failed. */
static void test_a_session_moves_from_a_backend_that_was_tried(void **state)
{
	struct selection s;

	(void)state;
	start_sticky();
	show_token(&s, "", 2);
	assert_int_equal(pick_for(&s), 2);
	s.tried[s.tried_count++] = 2;
	assert_int_equal(picks(&s), 11);
	assert_int_equal(s.session, 2);
}

static void test_a_session_moves_from_a_backend_that_is_down(void **state)
{
	struct selection s;

	(void)state;
	start_sticky();
	show_token(&s, "", 2);
	pools_tell(2, ROWS_DOWN, ROWS_FULL_SHARE);
	assert_int_equal(picks(&s), 11);
	assert_int_equal(s.session, 2);
	assert_false(s.bound);
	pools_tell(2, ROWS_READY, ROWS_FULL_SHARE);
	assert_int_equal(picks(&s), 4);
}

/* In a panic a backend that is not well is picked all the same, and by its sessions. */
static void test_a_session_stays_in_a_panic(void **state)
{
	struct selection s;

	(void)state;
	w.app.panic = 100;
	start_sticky();
	show_token(&s, "", 2);
	pools_tell(2, ROWS_DOWN, ROWS_FULL_SHARE);
	assert_int_equal(picks(&s), 4);
}

static void test_a_session_stays_with_one_that_drains_or_waits(void **state)
{
	struct selection s;

	(void)state;
	w.backends[1].drain = true;
	w.backends[2].backup = true;
	w.backends[3].weight = 0;
	start_sticky();
	show_token(&s, "", 1);
	assert_int_equal(picks(&s), 2);
	show_token(&s, "", 2);
	assert_int_equal(picks(&s), 4);
	show_token(&s, "", 3);
	assert_int_equal(picks(&s), 1);
	/* But only as long as it is well. */
	show_token(&s, "", 1);
	pools_tell(1, ROWS_EJECTED, ROWS_FULL_SHARE);
	assert_int_equal(picks(&s), 1);
}

/* --- sessions whose backend is full --- */

static void start_full(int queue)
{
	w.app.queue = queue;
	w.backends[2].max_requests = 1;
	start_sticky();
	pools_set_other(ROWS_IN_FLIGHT, 2, 1);
}

static void test_a_session_waits_for_its_backend(void **state)
{
	struct selection s;

	(void)state;
	start_full(1);
	show_token(&s, "", 2);
	assert_true(pick_for(&s) == PICKER_NONE);
	assert_true(s.bound);
	assert_int_equal(s.session, 2);
	assert_true(affinity_must_wait(&s));
	/* There is room. */
	pools_set_other(ROWS_IN_FLIGHT, 2, 0);
	assert_false(affinity_must_wait(&s));
	assert_int_equal(pick_for(&s), 2);
	assert_false(s.bound);
	assert_false(affinity_must_wait(&s));
}

static void test_a_session_waits_no_more_for_a_backend_that_is_down(void **state)
{
	struct selection s;

	(void)state;
	start_full(1);
	show_token(&s, "", 2);
	assert_true(pick_for(&s) == PICKER_NONE);
	pools_tell(2, ROWS_DOWN, ROWS_FULL_SHARE);
	availability_refresh(pool);
	assert_false(affinity_must_wait(&s));
	assert_int_equal(picks(&s), 11);
	assert_false(s.bound);
}

static void test_without_a_queue_a_session_moves(void **state)
{
	struct selection s;

	(void)state;
	start_full(0);
	show_token(&s, "", 2);
	assert_int_equal(picks(&s), 11);
	assert_false(s.bound);
	assert_false(affinity_must_wait(&s));
}

static void test_a_session_that_may_not_wait_moves(void **state)
{
	struct selection s;

	(void)state;
	start_full(1);
	show_token(&s, "", 2);
	s.unbound = true;
	assert_int_equal(picks(&s), 11);
	assert_false(s.bound);
}

/* Other requests pass by what is full, and wait for nobody in particular. */
static void test_others_are_not_bound(void **state)
{
	struct selection s;

	(void)state;
	start_full(1);
	read_request(&s, "GET /", "");
	assert_int_equal(picks(&s), 11);
	assert_false(s.bound);
	show_token(&s, "", 1);
	assert_int_equal(picks(&s), 2);
	assert_false(affinity_must_wait(&s));
}

/* --- the cookie of the response --- */

static void test_the_cookie(void **state)
{
	struct set_cookie how;
	char out[SESSION_TOKEN_LEN];
	struct selection s;

	(void)state;
	start_sticky();
	show_token(&s, "", 2);
	s.backend = pick_for(&s);
	affinity_set_cookie(&s, &how, out);
	assert_true(slice_equals(how.name, slice_of_string("sid")));
	assert_true(slice_is_empty(how.value));
	/* It moves. */
	s.backend = 1;
	affinity_set_cookie(&s, &how, out);
	sessions_token(pool->sessions, 1, token);
	assert_true(slice_equals(how.value, slice_of(token, SESSION_TOKEN_LEN)));
	assert_ptr_equal(how.value.data, out);
	assert_false(how.secure);
	s.secure = true;
	affinity_set_cookie(&s, &how, out);
	assert_true(how.secure);
}

static bool is_secure(const char *fields, bool trusted)
{
	struct selection s;

	read_request(&s, "GET /", fields);
	s.trusted = trusted;
	(void)pick_for(&s);
	return s.secure;
}

/* Only a trusted proxy is believed that its client spoke TLS. */
static void test_the_cookie_is_secure_where_the_client_spoke_tls(void **state)
{
	(void)state;
	start_sticky();
	assert_true(is_secure("X-Forwarded-Proto: https\r\n", true));
	assert_true(is_secure("x-forwarded-proto: HTTPS , http\r\n", true));
	assert_false(is_secure("X-Forwarded-Proto: https\r\n", false));
	assert_true(is_secure("X-Forwarded-Proto: ,\r\nX-Forwarded-Proto: https\r\n", true));
	assert_false(is_secure("X-Forwarded-Proto: http, https\r\n", true));
	assert_false(is_secure("X-Forwarded-Proto: httpss\r\n", true));
	assert_false(is_secure("X-Forwarded-Proto:\r\n", true));
	assert_false(is_secure("X-Forwarded-Protocol: https\r\n", true));
	assert_false(is_secure("", true));
}

/* --- keys of the tokens --- */

static void tokens_of(const char *key, char out[POOLS_BACKENDS][SESSION_TOKEN_LEN])
{
	char copy[64];

	w.app.sticky.key = key != NULL ? strcpy(copy, key) : NULL;
	start_sticky();
	for (size_t i = 0; i < POOLS_BACKENDS; i++)
		sessions_token(pool->sessions, i, out[i]);
	pool_setup_fini_one(pool);
	w.pools[0] = (struct pool){ 0 };
}

/* The key of the settings, without one the secret of the board. */
static void test_the_key_of_tokens(void **state)
{
	char of_key[POOLS_BACKENDS][SESSION_TOKEN_LEN], others[POOLS_BACKENDS][SESSION_TOKEN_LEN];
	struct sessions *sessions;
	struct slice urls[POOLS_BACKENDS];
	uint8_t key[SIPHASH_KEY_SIZE];

	(void)state;
	for (int i = 0; i < POOLS_BACKENDS; i++)
		urls[i] = slice_of_string(w.backends[i].url_text);
	session_key(slice_of_string("secret"), key);
	for (int i = 0; i < 2; i++) {
		tokens_of(i == 0 ? "secret" : NULL, of_key);
		if (i == 1)
			memcpy(key, rows_secret(w.rows), sizeof key);
		sessions = sessions_new(key, slice_of_string("app"), urls, POOLS_BACKENDS);
		assert_non_null(sessions);
		for (size_t n = 0; n < POOLS_BACKENDS; n++)
			sessions_token(sessions, n, others[n]);
		sessions_free(sessions);
		assert_memory_equal(of_key, others, sizeof others);
	}
	/* A key needs no board. */
	tokens_of("secret", of_key);
	w.upstream.rows = NULL;
	tokens_of("secret", others);
	assert_memory_equal(of_key, others, sizeof others);
}

/* Nobody else could tell what the tokens mean: the pool goes on without sessions. */
static void test_without_any_key_no_sessions_are_kept(void **state)
{
	(void)state;
	w.app.balance = BALANCE_STICKY;
	w.upstream.rows = NULL;
	pools_start();
	assert_false(pool->by_request);
	assert_null(pool->sessions);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_hash_of_the_client, pools_begin, end),
		cmocka_unit_test_setup_teardown(test_hash_with_a_secret, pools_begin, end),
		cmocka_unit_test_setup_teardown(test_hash_of_the_path, pools_begin, end),
		cmocka_unit_test_setup_teardown(test_hash_of_a_header, pools_begin, end),
		cmocka_unit_test_setup_teardown(test_hash_of_the_host, pools_begin, end),
		cmocka_unit_test_setup_teardown(test_hash_of_a_cookie, pools_begin, end),
		cmocka_unit_test_setup_teardown(test_equal_keys_meet, pools_begin, end),
		cmocka_unit_test_setup_teardown(
			test_an_unknown_key_of_hash_is_refused, pools_begin, end),
		cmocka_unit_test_setup_teardown(test_a_session_comes_back, pools_begin, end),
		cmocka_unit_test_setup_teardown(test_without_a_token_any_will_do, pools_begin, end),
		cmocka_unit_test_setup_teardown(
			test_the_token_is_found_among_cookies, pools_begin, end),
		cmocka_unit_test_setup_teardown(
			test_a_session_moves_from_a_backend_that_was_tried, pools_begin, end),
		cmocka_unit_test_setup_teardown(
			test_a_session_moves_from_a_backend_that_is_down, pools_begin, end),
		cmocka_unit_test_setup_teardown(test_a_session_stays_in_a_panic, pools_begin, end),
		cmocka_unit_test_setup_teardown(
			test_a_session_stays_with_one_that_drains_or_waits, pools_begin, end),
		cmocka_unit_test_setup_teardown(
			test_a_session_waits_for_its_backend, pools_begin, end),
		cmocka_unit_test_setup_teardown(
			test_a_session_waits_no_more_for_a_backend_that_is_down, pools_begin, end),
		cmocka_unit_test_setup_teardown(
			test_without_a_queue_a_session_moves, pools_begin, end),
		cmocka_unit_test_setup_teardown(
			test_a_session_that_may_not_wait_moves, pools_begin, end),
		cmocka_unit_test_setup_teardown(test_others_are_not_bound, pools_begin, end),
		cmocka_unit_test_setup_teardown(test_the_cookie, pools_begin, end),
		cmocka_unit_test_setup_teardown(
			test_the_cookie_is_secure_where_the_client_spoke_tls, pools_begin, end),
		cmocka_unit_test_setup_teardown(test_the_key_of_tokens, pools_begin, end),
		cmocka_unit_test_setup_teardown(
			test_without_any_key_no_sessions_are_kept, pools_begin, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
