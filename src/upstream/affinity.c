/*
 * Looks at a request for what decides which backend gets it. A request without a key goes to any. A
 * session whose backend must not be picked moves to another one and stays there. A session whose
 * backend is full waits for it, where the pool has a queue.
 */
#include "config.h"

#include "upstream/affinity.h"

#include <assert.h>

#include "balance/health.h"
#include "base/memory.h"
#include "http/cookie.h"
#include "upstream/capacity.h"

/* Without a key of the settings and without the board, which has a secret, no sessions are kept. */
static int make_sessions(struct pool *pool)
{
	const struct pool_settings *settings = pool->settings;
	const struct rows *rows = pool->upstream->rows;
	uint8_t key[SIPHASH_KEY_SIZE];
	struct slice *urls;

	if (settings->sticky.key == NULL && rows == NULL)
		return 0;
	if (settings->sticky.key != NULL)
		session_key(slice_of_string(settings->sticky.key), key);
	else
		memcpy(key, rows_secret(rows), sizeof key);
	urls = mem_zalloc(settings->backend_count, sizeof *urls);
	if (urls == NULL)
		return -1;
	for (size_t i = 0; i < settings->backend_count; i++)
		urls[i] = pool->backends[i].url;
	pool->sessions =
		sessions_new(key, slice_of_string(settings->name), urls, settings->backend_count);
	mem_free(urls);
	return pool->sessions != NULL ? 0 : -1;
}

/* Without hash_key anybody can compute which values go to the same backend. Other instances and
 * later versions of the program must come to the same keys. */
static int init_hash(struct pool *pool)
{
	static const uint8_t purpose[SIPHASH_KEY_SIZE] = "tinylb hash";
	const struct pool_settings *settings = pool->settings;
	char ignored[1];
	struct text why = text_over(ignored, sizeof ignored);

	pool->by_request = true;
	memset(pool->hash_key, 0, sizeof pool->hash_key);
	if (settings->hash_key != NULL)
		siphash_key(purpose, slice_of_string(settings->hash_key), pool->hash_key);
	return hash_on_parse(settings->hash_on, &pool->hash_on, &why);
}

int affinity_init(struct pool *pool)
{
	if (pool->settings->balance == BALANCE_HASH)
		return init_hash(pool);
	if (pool->settings->balance != BALANCE_STICKY)
		return 0;
	if (make_sessions(pool) == -1)
		return -1;
	pool->by_request = pool->sessions != NULL;
	return 0;
}

void affinity_fini(struct pool *pool)
{
	sessions_free(pool->sessions);
}

static struct slice path_of(const struct request *request)
{
	struct slice target = request->target;
	const char *query = memchr(target.data, '?', target.len);

	if (query != NULL)
		target.len = (size_t)(query - target.data);
	return slice_is_empty(target) ? slice_of("/", 1) : target;
}

static struct slice find_header(const struct request *request, struct slice name)
{
	const struct fields *fields = &request->fields;

	/* The host of an absolute target counts, not that of the field. */
	if (field_id_of(name) == FIELD_HOST)
		return request->host;
	for (unsigned i = 0; i < fields->count; i++)
		if (slice_equals_nocase(fields->list[i].name, name))
			return fields->list[i].value;
	return slice_of(NULL, 0);
}

static struct slice find_value(const struct selection *s)
{
	const struct hash_on *on = &s->pool->hash_on;
	const struct request *request = s->request;

	switch (on->source) {
	case HASH_CLIENT:
		return s->client_ip;
	case HASH_PATH:
		return path_of(request);
	case HASH_HEADER:
		return find_header(request, on->name);
	case HASH_COOKIE:
		return cookie_find(&request->fields, on->name);
	}
	return slice_of(NULL, 0);
}

static uint64_t find_key(const struct selection *s)
{
	struct slice value = find_value(s);

	return slice_is_empty(value) ? rng_next(&s->pool->upstream->rng)
				     : siphash_64(s->pool->hash_key, value);
}

/* Other sites of the domain may have set cookies of the same name: the first one with a token of
 * this pool counts. */
static size_t find_session(const struct pool *pool, const struct request *request)
{
	struct slice name = slice_of_string(pool->settings->sticky.cookie);
	struct cookies cookies = cookies_of(&request->fields);
	struct cookie cookie;

	while (cookies_next(&cookies, &cookie)) {
		size_t found = SESSION_NONE;

		if (slice_equals(cookie.name, name))
			found = sessions_find(pool->sessions, cookie.value);
		if (found != SESSION_NONE)
			return found;
	}
	return PICKER_NONE;
}

/* A session stays with a backend that gets requests at all, or is well and only drains or waits as
 * a backup. */
static bool may_stay(const struct pool *pool, size_t backend)
{
	const struct picker_view *view = &pool->view;

	assert(backend < pool->settings->backend_count);
	return health_is_usable(view->usable, backend) || pool->backends[backend].is_well;
}

/* The backend that knows the client: by a login, or else by a session. PICKER_NONE: none does. */
static size_t find_home(const struct selection *s)
{
	return s->own != PICKER_NONE ? s->own : s->session;
}

/* A client with a stream of its own needs no further connection. */
static bool is_full(const struct selection *s, size_t home)
{
	const struct pool *pool = s->pool;

	if (s->own != PICKER_NONE)
		return capacity_is_busy(pool, home);
	return pool->view.is_full != NULL && pool->view.is_full(&pool->view, home);
}

bool affinity_must_wait(const struct selection *s)
{
	size_t home = find_home(s);

	return s->bound && may_stay(s->pool, home) && is_full(s, home);
}

/* The backend that knows the client, if it can serve. PICKER_NONE: any other one will do; or, with
 * `bound` set, the request waits for this one. */
static size_t pick_home(struct selection *s)
{
	size_t home = find_home(s);

	s->bound = false;
	if (home == PICKER_NONE || !may_stay(s->pool, home))
		return PICKER_NONE;
	if (!is_full(s, home))
		return home;
	s->bound = s->pool->settings->queue > 0 && !s->unbound;
	return PICKER_NONE;
}

size_t affinity_pick(struct selection *s, struct pick *query)
{
	struct pool *pool = s->pool;

	if (query->tried_count == 0) {
		size_t picked;

		if (pool->sessions != NULL) {
			s->session = find_session(pool, s->request);
			s->secure = s->trusted && request_is_https(s->request);
		}
		picked = pick_home(s);
		if (picked != PICKER_NONE || s->bound)
			return picked;
	}
	if (pool->settings->balance == BALANCE_HASH)
		query->key = find_key(s);
	return pool->kind->pick(pool->picker, query);
}

void affinity_set_cookie(
	const struct selection *s, struct set_cookie *cookie, char token[SESSION_TOKEN_LEN])
{
	assert(s->pool->sessions != NULL && s->backend != PICKER_NONE);
	*cookie = (struct set_cookie){ .name = slice_of_string(s->pool->settings->sticky.cookie) };
	if (s->session == s->backend)
		return;
	sessions_token(s->pool->sessions, s->backend, token);
	cookie->value = slice_of(token, SESSION_TOKEN_LEN);
	cookie->secure = s->secure;
}
