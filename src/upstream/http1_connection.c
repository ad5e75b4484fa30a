/*
 * Keeps connections to backends. The one used last is used first, so that the others grow old and
 * go. An idle one is still read from, so that its end is seen at once.
 */
#include "config.h"

#include "http1_connection.h"

#include <assert.h>
#include <errno.h>

#include "base/log.h"
#include "upstream/capacity.h"
#include "upstream/private_streams.h"

#define SECOND_US UINT64_C(1000000)

/* Before a request that must not be sent twice, a socket that was idle for longer is looked at. */
#define LOOK_US UINT64_C(1000)

static void free_deferred(struct deferred_free *deferred)
{
	struct http1_connection *c = LIST_ITEM(deferred, struct http1_connection, deferred);

	heap_trim_note(c->upstream->trim);
	cells_give(&c->upstream->connections, c);
}

/* How many idle ones the backend has of the kind of this one. */
static unsigned *count_of(const struct http1_connection *c)
{
	struct backend *backend = c->stream.backend;

	return c->stream.private != NULL ? &backend->private_idle_count : &backend->idle_count;
}

static void leave_idle(struct http1_connection *c)
{
	unsigned *count = count_of(c);

	assert(c->stream.owner == NULL && *count > 0);
	deadline_stop(&c->deadline);
	list_remove(&c->link);
	--*count;
}

void http1_connection_settle(struct http1_connection *c)
{
	struct capacity *capacity = &c->stream.backend->capacity;

	assert(!c->pending || capacity->connecting > 0);
	capacity->connecting -= c->pending;
	c->pending = false;
	c->stream.connecting = false;
}

void http1_connection_close(struct http1_connection *c)
{
	if (c->stream.owner == NULL)
		leave_idle(c);
	c->stream.owner = NULL;
	private_streams_remove(&c->stream);
	http1_connection_settle(c);
	body_reader_fini(&c->reader);
	connection_close(&c->connection);
	/* Last: other workers may take its place at once. */
	rows_leave(c->stream.backend->load.connections);
	loop_defer_free(c->upstream->loop, &c->deferred, free_deferred);
}

uint64_t http1_connection_idle_us(const struct http1_connection *c)
{
	return c->upstream->loop->now_us - c->idle_since_us;
}

void http1_connection_learn(const struct http1_connection *c, uint64_t idle_us)
{
	struct keep_alive *limit = &c->stream.backend->keep_alive;
	uint64_t before_us = limit->closed_us;

	keep_alive_closed(limit, idle_us, c->upstream->loop->now_us);
	if (limit->closed_us != before_us)
		log_debug("%.*s closes connections that are idle for %llu ms",
			SLICE_ARGS(c->stream.backend->url),
			(unsigned long long)(limit->closed_us / 1000));
}

/* Closes those that the backend said it would not keep for so long. */
static void close_unwanted(struct backend *backend)
{
	while (!list_is_empty(&backend->idle)) {
		struct http1_connection *c =
			LIST_ITEM(backend->idle.next, struct http1_connection, link);

		if (http1_connection_idle_us(c) < c->idle_most_us)
			return;
		http1_connection_close(c);
	}
}

/* False if the backend's name means other addresses by now: such a connection is not used. */
static bool is_still_meant(struct http1_connection *c)
{
	const struct backend_addresses *addresses = c->stream.backend->addresses;
	uint32_t version = addresses_version(addresses);
	struct address peer;

	if (c->addresses_version == version)
		return true;
	peer.len = sizeof peer.u;
	if (getpeername(c->connection.fd, &peer.u.sa, &peer.len) == -1 ||
		!addresses_have(addresses, &peer))
		return false;
	c->addresses_version = version;
	return true;
}

/* The one that is idle longest shows for how long the backend keeps them. */
static void look_at_oldest(struct backend *backend)
{
	const struct http1_connection *c =
		LIST_ITEM(backend->idle.prev, struct http1_connection, link);

	assert(!list_is_empty(&backend->idle));
	keep_alive_alive(
		&backend->keep_alive, http1_connection_idle_us(c), c->upstream->loop->now_us);
}

/* If the backend has said for how long it keeps a connection, that need not be shown. */
static bool is_old(const struct http1_connection *c, bool once)
{
	const struct keep_alive *limit = &c->stream.backend->keep_alive;
	bool told = c->idle_most_us != UINT64_MAX && limit->closed_us == 0;
	uint64_t once_us = told ? KEEP_ALIVE_ONCE_US : keep_alive_once(limit);

	return http1_connection_idle_us(c) >= (once ? once_us : keep_alive_usual(limit));
}

void http1_connection_complain_unasked(const struct http1_connection *c)
{
	backend_complain(c->stream.backend, c->upstream->loop->now_us, "connection closed",
		"bytes came while it was idle");
}

void http1_connection_close_unasked(struct http1_connection *c)
{
	http1_connection_learn(c, http1_connection_idle_us(c));
	http1_connection_complain_unasked(c);
	http1_connection_close(c);
}

/*
 * Whether the connection is of no use, because its end, or an answer that no request asked for, is
 * in the socket already: no request must get that. The loop's events tell without a system call
 * what came before this turn. What has come since is looked for only if the request may be sent
 * `once`: to look costs a system call, and the same could come just after the look. An end that is
 * still on its way is what is_old is for.
 */
static bool is_spent(struct http1_connection *c, bool once)
{
	if (!connection_has_news(&c->connection) &&
		(!once || http1_connection_idle_us(c) < LOOK_US))
		return false;
	switch (connection_peek(&c->connection)) {
	case CONNECTION_QUIET:
		return false;
	case CONNECTION_BYTES:
		http1_connection_close_unasked(c);
		break;
	case CONNECTION_END:
		http1_connection_learn(c, http1_connection_idle_us(c));
		http1_connection_close(c);
		break;
	}
	return true;
}

/* A connection that is too old for one request is kept: another request may use it. */
static struct http1_connection *find_idle(struct backend *backend, bool once)
{
	while (!list_is_empty(&backend->idle)) {
		struct http1_connection *c =
			LIST_ITEM(backend->idle.next, struct http1_connection, link);

		if (once || backend->keep_alive.closed_us != 0) {
			look_at_oldest(backend);
			if (is_old(c, once))
				return NULL;
		}
		if (!is_spent(c, once))
			return c;
	}
	return NULL;
}

static void use(struct http1_connection *c, void *owner)
{
	assert(owner != NULL);
	leave_idle(c);
	c->idle_us = http1_connection_idle_us(c);
	c->stream.owner = owner;
	c->stream.reused = true;
}

struct backend_stream *http1_connection_take(struct backend *backend, void *owner, bool once)
{
	struct http1_connection *c;

	close_unwanted(backend);
	for (;;) {
		c = find_idle(backend, once);
		if (c == NULL)
			return NULL;
		if (is_still_meant(c))
			break;
		http1_connection_close(c);
	}
	use(c, owner);
	return &c->stream;
}

bool http1_connection_take_private(struct http1_connection *c, void *owner)
{
	if (http1_connection_idle_us(c) >= c->idle_most_us) {
		http1_connection_close(c);
		return false;
	}
	/* On another connection the login would be lost: the age of this one is no reason. */
	if (is_spent(c, true))
		return false;
	use(c, owner);
	return true;
}

static struct http1_connection *find_oldest_private(const struct backend *backend)
{
	struct list *l = backend->pool->upstream->private_idle.prev;

	assert(backend->private_idle_count > 0);
	while (LIST_ITEM(l, struct http1_connection, link)->stream.backend != backend)
		l = l->prev;
	return LIST_ITEM(l, struct http1_connection, link);
}

bool http1_connection_close_oldest(struct backend *backend)
{
	struct http1_connection *c;

	if (!list_is_empty(&backend->idle))
		c = LIST_ITEM(backend->idle.prev, struct http1_connection, link);
	else if (backend->private_idle_count > 0)
		c = find_oldest_private(backend);
	else
		return false;
	http1_connection_close(c);
	return true;
}

/* An idle connection of this worker gives way to one that is needed now. */
static bool may_open(struct backend *backend)
{
	return capacity_open(backend->pool, backend) ||
	       (http1_connection_close_oldest(backend) && capacity_open(backend->pool, backend));
}

struct http1_connection *http1_connection_new(struct backend *backend, void *owner)
{
	struct upstream_context *upstream = backend->pool->upstream;
	struct http1_connection *c = cells_take(&upstream->connections);

	if (c == NULL) {
		errno = ENOMEM;
		return NULL;
	}
	if (!may_open(backend)) {
		cells_give(&upstream->connections, c);
		errno = EUSERS;
		return NULL;
	}
	c->addresses_version = addresses_version(backend->addresses);
	c->upstream = upstream;
	c->stream.backend = backend;
	c->stream.owner = owner;
	c->opened_us = upstream->loop->now_us;
	c->idle_most_us = UINT64_MAX;
	list_init(&c->link);
	deadline_init(&c->deadline);
	return c;
}

void http1_connection_forget(struct http1_connection *c)
{
	assert(!c->pending && !connection_is_open(&c->connection));
	rows_leave(c->stream.backend->load.connections);
	cells_give(&c->upstream->connections, c);
}

void http1_connection_keeps_for(struct http1_connection *c, uint64_t seconds)
{
	uint64_t us = seconds * SECOND_US;

	c->idle_most_us = us >= 2 * SECOND_US ? us - SECOND_US : us / 2;
}
