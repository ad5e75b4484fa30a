/* Keeps connections to backends: the one used last is used first, so that the others grow old and
 * go. An idle one is still read from, so that its end is seen at once. */
#include "config.h"

#include "http1_upstream.h"

#include <errno.h>

#include "base/log.h"
#include "exchange.h"

#define SECOND_US UINT64_C(1000000)

/* Before a request that must not be sent again, a socket that was idle for longer is looked at. */
#define LOOK_US UINT64_C(1000)

static struct http1_upstream *upstream_of(struct connection *connection)
{
	return LIST_ITEM(connection, struct http1_upstream, connection);
}

static void free_deferred(struct deferred_free *deferred)
{
	struct http1_upstream *u = LIST_ITEM(deferred, struct http1_upstream, deferred);

	heap_trim_note(u->upstream->trim);
	cells_give(&u->upstream->connections, u);
}

static void leave_idle(struct http1_upstream *u)
{
	deadline_stop(&u->deadline);
	list_remove(&u->link);
	u->backend->idle_count--;
}

/* It is not in the making any more. */
static void settle(struct http1_upstream *u)
{
	u->backend->capacity.connecting -= u->pending;
	u->pending = false;
}

void http1_upstream_close(struct http1_upstream *u)
{
	if (u->exchange == NULL)
		leave_idle(u);
	u->exchange = NULL;
	settle(u);
	connection_close(&u->connection);
	/* Only now: others may take its place at once. */
	rows_leave(u->backend->load.connections);
	loop_defer_free(u->upstream->loop, &u->deferred, free_deferred);
}

static uint64_t idle_for(const struct http1_upstream *u)
{
	return u->upstream->loop->now_us - u->idle_since_us;
}

static void learn(const struct http1_upstream *u, uint64_t idle_us)
{
	struct keep_alive *limit = &u->backend->keep_alive;
	uint64_t before_us = limit->closed_us;

	keep_alive_closed(limit, idle_us, u->upstream->loop->now_us);
	if (limit->closed_us != before_us)
		log_debug("%.*s closes connections that are idle for %llu ms",
			SLICE_ARGS(u->backend->url), (unsigned long long)(limit->closed_us / 1000));
}

/* The backend has closed it while it was idle. */
static void note_closed(const struct http1_upstream *u)
{
	learn(u, idle_for(u));
}

void http1_upstream_was_stale(const struct http1_upstream *u, uint64_t taken_us)
{
	learn(u, taken_us - u->idle_since_us);
}

static size_t received(struct connection *connection, const char *data, size_t len)
{
	struct http1_upstream *u = upstream_of(connection);

	if (u->exchange != NULL)
		return exchange_response(u->exchange, data, len);
	/* Nobody asked: what was sent here can be meant for nobody. Some say so that they close. */
	note_closed(u);
	backend_complain(u->backend, u->upstream->loop->now_us, "connection closed",
		"bytes came while it was idle");
	http1_upstream_close(u);
	return len;
}

static bool splice(struct connection *connection)
{
	struct http1_upstream *u = upstream_of(connection);

	return u->exchange != NULL && exchange_flow_response(u->exchange);
}

static void drained(struct connection *connection)
{
	struct http1_upstream *u = upstream_of(connection);

	if (u->exchange != NULL)
		exchange_upstream_drained(u->exchange);
}

static void connected(struct connection *connection)
{
	struct http1_upstream *u = upstream_of(connection);

	settle(u);
	capacity_connected(u->exchange->selection.pool, u->backend);
	u->backend->address = u->address;
	exchange_connected(u->exchange);
}

static void ended(struct connection *connection, int error)
{
	struct http1_upstream *u = upstream_of(connection);

	if (u->exchange != NULL) {
		exchange_upstream_ended(u->exchange, error);
		return;
	}
	note_closed(u);
	http1_upstream_close(u);
}

static const struct connection_events events = {
	.reading = PULSE_ANSWER,
	.received = received,
	.splice = splice,
	.drained = drained,
	.connected = connected,
	.ended = ended,
};

/* Closes those that the backend said it would not keep for so long. */
static void close_unwanted(struct backend *backend)
{
	while (!list_is_empty(&backend->idle)) {
		struct http1_upstream *u =
			LIST_ITEM(backend->idle.next, struct http1_upstream, link);

		if (idle_for(u) < u->idle_most_us)
			return;
		http1_upstream_close(u);
	}
}

/* False if the backend's name means other addresses by now: such a connection is not used. */
static bool is_still_meant(struct http1_upstream *u)
{
	uint32_t version = addresses_version(u->backend->addresses);
	struct address peer = { .len = sizeof peer.u };

	if (u->addresses_version == version)
		return true;
	if (getpeername(u->connection.fd, &peer.u.sa, &peer.len) == -1 ||
		!addresses_have(u->backend->addresses, &peer))
		return false;
	u->addresses_version = version;
	return true;
}

static void look_at_oldest(struct backend *backend)
{
	const struct http1_upstream *u = LIST_ITEM(backend->idle.prev, struct http1_upstream, link);

	keep_alive_alive(&backend->keep_alive, idle_for(u), u->upstream->loop->now_us);
}

/* Where the backend has said for how long it keeps it, nothing needs to be shown. */
static bool is_old(const struct http1_upstream *u, bool once)
{
	const struct keep_alive *limit = &u->backend->keep_alive;
	bool told = u->idle_most_us != UINT64_MAX && limit->closed_us == 0;
	uint64_t once_us = told ? KEEP_ALIVE_ONCE_US : keep_alive_once(limit);

	return idle_for(u) >= (once ? once_us : keep_alive_usual(limit));
}

/* Whether its end is here already, and has not been seen in this turn of the loop. Another one may
 * be on its way: that is why it must not be old besides. */
static bool has_ended(struct http1_upstream *u)
{
	if (idle_for(u) < LOOK_US || connection_is_quiet(&u->connection))
		return false;
	note_closed(u);
	http1_upstream_close(u);
	return true;
}

/* A connection that is too old for one request is kept: another request may use it. */
static struct http1_upstream *find_idle(struct backend *backend, bool once)
{
	while (!list_is_empty(&backend->idle)) {
		struct http1_upstream *u =
			LIST_ITEM(backend->idle.next, struct http1_upstream, link);

		if (!once && backend->keep_alive.closed_us == 0)
			return u;
		look_at_oldest(backend);
		if (is_old(u, once))
			return NULL;
		if (!once || !has_ended(u))
			return u;
	}
	return NULL;
}

struct http1_upstream *http1_upstream_take(
	struct backend *backend, struct exchange *exchange, bool once)
{
	struct http1_upstream *u;

	close_unwanted(backend);
	for (;;) {
		u = find_idle(backend, once);
		if (u == NULL)
			return NULL;
		if (is_still_meant(u))
			break;
		http1_upstream_close(u);
	}
	leave_idle(u);
	u->exchange = exchange;
	u->reused = true;
	return u;
}

/* An idle one of one's own gives way to one that is wanted more. */
static bool may_open(const struct pool *pool, struct backend *backend)
{
	if (capacity_open(pool, backend))
		return true;
	if (list_is_empty(&backend->idle))
		return false;
	http1_upstream_close(LIST_ITEM(backend->idle.prev, struct http1_upstream, link));
	return capacity_open(pool, backend);
}

struct http1_upstream *http1_upstream_connect(
	struct backend *backend, struct exchange *exchange, int address)
{
	struct pool *pool = exchange->selection.pool;
	struct upstream_context *upstream = pool->upstream;
	struct http1_upstream *u;
	struct address to;
	int error;

	/* It may have vanished a moment ago. */
	if (!addresses_get(backend->addresses, (uint32_t)address, &to)) {
		errno = EADDRNOTAVAIL;
		return NULL;
	}
	u = cells_take(&upstream->connections);
	if (u == NULL) {
		errno = ENOMEM;
		return NULL;
	}
	if (!may_open(pool, backend)) {
		cells_give(&upstream->connections, u);
		errno = EUSERS;
		return NULL;
	}
	u->addresses_version = addresses_version(backend->addresses);
	u->upstream = upstream;
	u->backend = backend;
	u->exchange = exchange;
	u->address = (uint8_t)address;
	u->opened_us = upstream->loop->now_us;
	u->idle_most_us = UINT64_MAX;
	list_init(&u->link);
	deadline_init(&u->deadline);
	if (connection_connect(&u->connection, upstream->loop, &events, &to) == 0) {
		u->pending = true;
		backend->capacity.connecting++;
		return u;
	}
	error = errno;
	rows_leave(backend->load.connections);
	cells_give(&upstream->connections, u);
	errno = error;
	return NULL;
}

void http1_upstream_keeps_for(struct http1_upstream *u, uint64_t seconds)
{
	uint64_t us = seconds * SECOND_US;

	u->idle_most_us = us >= 2 * SECOND_US ? us - SECOND_US : us / 2;
}

static bool is_worth_keeping(const struct http1_upstream *u)
{
	const struct upstream_context *upstream = u->upstream;
	uint64_t most_us = upstream->settings->timeouts.lifetime_backend * 1000;

	return !upstream->draining && u->backend->idle_count < u->backend->capacity.idle &&
	       u->idle_most_us > 0 && upstream->loop->now_us - u->opened_us < most_us;
}

void http1_upstream_keep(struct http1_upstream *u)
{
	struct backend *backend = u->backend;

	if (!is_worth_keeping(u)) {
		http1_upstream_close(u);
		return;
	}
	u->exchange = NULL;
	u->seen = 0;
	u->idle_since_us = u->upstream->loop->now_us;
	list_prepend(&backend->idle, &u->link);
	backend->idle_count++;
	deadline_start(&u->deadline, &u->upstream->wait_reuse, u->upstream->loop);
}

bool http1_upstream_make_room(struct upstream_context *upstream)
{
	/* They wait in the order in which they became idle. */
	struct deadline *first = deadline_first(&upstream->wait_reuse);

	if (first == NULL)
		return false;
	http1_upstream_close(LIST_ITEM(first, struct http1_upstream, deadline));
	return true;
}

void http1_upstream_close_idle(struct pool *pool)
{
	for (size_t i = 0; i < pool->settings->backend_count; i++) {
		struct list *idle = &pool->backends[i].idle;

		while (!list_is_empty(idle))
			http1_upstream_close(LIST_ITEM(idle->next, struct http1_upstream, link));
	}
}

void http1_upstream_expired(struct deadline *deadline)
{
	http1_upstream_close(LIST_ITEM(deadline, struct http1_upstream, deadline));
}
