/*
 * Looks at a request for what decides who gets it. What has no key goes to anybody; a session whose
 * backend must not be picked moves to another one and stays there, but waits for one that is full,
 * where it can.
 */
#include "config.h"

#include "affinity.h"

#include "balance/health.h"
#include "base/memory.h"
#include "context.h"
#include "http/cookie.h"

/* Other instances of the program, and those of tomorrow, must come to the same keys. */
static const uint8_t no_secret[SIPHASH_KEY_SIZE];

/* Where there is neither a key nor a board, whose making takes memory, there are no sessions. */
static int make_sessions(struct pool *pool)
{
	const struct pool_settings *settings = pool->settings;
	const struct rows *rows = pool->proxy->rows;
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

int affinity_init(struct pool *pool)
{
	const struct pool_settings *settings = pool->settings;
	char ignored[1];
	struct text why = text_over(ignored, sizeof ignored);

	if (settings->balance == BALANCE_HASH) {
		pool->by_request = true;
		return hash_on_parse(settings->hash_on, &pool->hash_on, &why);
	}
	if (settings->balance != BALANCE_STICKY)
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

	/* An absolute target has one of its own, which counts. */
	if (field_id_of(name) == FIELD_HOST)
		return request->host;
	for (unsigned i = 0; i < fields->count; i++)
		if (slice_equals_nocase(fields->list[i].name, name))
			return fields->list[i].value;
	return slice_of(NULL, 0);
}

static struct slice find_value(const struct exchange *x, const struct request *request)
{
	const struct hash_on *on = &x->pool->hash_on;

	switch (on->source) {
	case HASH_CLIENT:
		return client_ip(x->client);
	case HASH_PATH:
		return path_of(request);
	case HASH_HEADER:
		return find_header(request, on->name);
	case HASH_COOKIE:
		return cookie_find(&request->fields, on->name);
	}
	return slice_of(NULL, 0);
}

static uint64_t find_key(const struct exchange *x, const struct request *request)
{
	struct slice value = find_value(x, request);

	return slice_is_empty(value) ? rng_next(&x->proxy->rng) : siphash_64(no_secret, value);
}

/* Of several cookies of that name, which other sites of the domain may have set, the first one with
 * a token. */
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

/* The client's side of a chain of proxies comes first. */
static bool is_https(const struct exchange *x, const struct request *request)
{
	static const struct slice https = { "https", 5 };
	const struct field *said = fields_find(&request->fields, FIELD_X_FORWARDED_PROTO);
	struct slice rest, first;

	if (!x->client->trusted || said == NULL)
		return false;
	rest = said->value;
	return slice_next_element(&rest, &first) && slice_equals_nocase(first, https);
}

/* Whoever gets requests at all; and whoever could, but drains or waits for others to fail. */
static bool may_stay(const struct pool *pool, size_t backend)
{
	const struct picker_view *view = &pool->view;

	return health_is_usable(view->usable, backend) || pool->backends[backend].is_well;
}

static bool is_full(const struct pool *pool, size_t backend)
{
	return pool->view.is_full != NULL && pool->view.is_full(&pool->view, backend);
}

bool affinity_is_bound(const struct exchange *x)
{
	return x->bound && may_stay(x->pool, x->session) && is_full(x->pool, x->session);
}

/* Where its session has it go: PICKER_NONE is anywhere, or nowhere yet where it is bound. */
static size_t choose_by_session(struct exchange *x, const struct request *request)
{
	const struct pool *pool = x->pool;

	x->session = find_session(pool, request);
	x->secure = is_https(x, request);
	x->bound = false;
	if (x->session == PICKER_NONE || !may_stay(pool, x->session))
		return PICKER_NONE;
	if (!is_full(pool, x->session))
		return x->session;
	x->bound = pool->settings->queue > 0 && !x->moves;
	return PICKER_NONE;
}

size_t affinity_pick(struct exchange *x, const struct request *request, struct pick *query)
{
	struct pool *pool = x->pool;

	if (pool->sessions == NULL) {
		query->key = find_key(x, request);
	} else if (query->tried_count == 0) {
		size_t picked = choose_by_session(x, request);

		if (picked != PICKER_NONE || x->bound)
			return picked;
	}
	return pool->kind->pick(pool->picker, query);
}

void affinity_set_cookie(
	const struct exchange *x, struct forward_response *how, char token[SESSION_TOKEN_LEN])
{
	how->cookie = slice_of_string(x->pool->settings->sticky.cookie);
	if (x->session == x->backend)
		return;
	sessions_token(x->pool->sessions, x->backend, token);
	how->cookie_value = slice_of(token, SESSION_TOKEN_LEN);
	how->cookie_secure = x->secure;
}
