/*
 * Which connections to backends are kept when their response is whole, and when idle ones go. Those
 * that serve any client wait for timeouts.idle_backend. A private one waits for as long as its
 * client is connected, whatever its age: without it the user has to log in again.
 */
#include "config.h"

#include <assert.h>

#include "http1_connection.h"

/* With a limit of connections the private ones take room from the others. */
static bool has_room_for_idle(const struct backend *backend)
{
	unsigned count = backend->idle_count;

	if (backend->capacity.connections > 0)
		count += backend->private_idle_count;
	return count < backend->capacity.idle;
}

static bool is_worth_keeping(const struct http1_connection *c)
{
	const struct upstream_context *upstream = c->upstream;
	uint64_t most_us = upstream->settings->timeouts.lifetime_backend * 1000;

	return !upstream->draining && has_room_for_idle(c->stream.backend) && c->idle_most_us > 0 &&
	       upstream->loop->now_us - c->opened_us < most_us;
}

static void become_idle(struct http1_connection *c, struct list *list, unsigned *count)
{
	body_reader_fini(&c->reader);
	/* The last bytes of the response may have filled the client, which paused it. */
	connection_resume(&c->connection);
	c->stream.owner = NULL;
	c->seen = 0;
	c->idle_since_us = c->upstream->loop->now_us;
	list_prepend(list, &c->link);
	++*count;
}

/* A backend with a limit may have to give up another idle connection for it. */
static void keep_private(struct http1_connection *c)
{
	struct backend *backend = c->stream.backend;

	if (backend->capacity.connections > 0 && !has_room_for_idle(backend))
		(void)http1_connection_close_oldest(backend);
	become_idle(c, &c->upstream->private_idle, &backend->private_idle_count);
}

void http1_connection_keep(struct http1_connection *c)
{
	struct backend *backend = c->stream.backend;

	assert(c->stream.owner != NULL && !c->pending);
	if (c->stream.private != NULL) {
		keep_private(c);
	} else if (is_worth_keeping(c)) {
		become_idle(c, &backend->idle, &backend->idle_count);
		deadline_start(&c->deadline, &c->upstream->wait_reuse, c->upstream->loop);
	} else {
		http1_connection_close(c);
	}
}

bool http1_connection_make_room(struct upstream_context *upstream)
{
	/* They wait in the order in which they became idle. */
	struct deadline *first = deadline_first(&upstream->wait_reuse);
	struct http1_connection *c;

	if (first != NULL)
		c = LIST_ITEM(first, struct http1_connection, deadline);
	else if (!list_is_empty(&upstream->private_idle))
		c = LIST_ITEM(upstream->private_idle.prev, struct http1_connection, link);
	else
		return false;
	http1_connection_close(c);
	return true;
}

void http1_connection_close_idle(struct pool *pool)
{
	for (size_t i = 0; i < pool->settings->backend_count; i++) {
		struct list *idle = &pool->backends[i].idle;

		while (!list_is_empty(idle))
			http1_connection_close(
				LIST_ITEM(idle->next, struct http1_connection, link));
		assert(pool->backends[i].idle_count == 0);
	}
}

void http1_connection_expired(struct deadline *deadline)
{
	struct http1_connection *c = LIST_ITEM(deadline, struct http1_connection, deadline);

	assert(c->stream.owner == NULL);
	http1_connection_close(c);
}
