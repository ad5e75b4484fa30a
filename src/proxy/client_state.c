/*
 * What a client waits for, and how it ends: nothing of an answer may be lost because the connection
 * ends behind it, and nobody may hold a connection by doing nothing.
 */
#include "config.h"

#include "client.h"
#include "counters.h"
#include "tidy.h"

/* So many may linger at a time: waiting for others to close must not be what fills a worker. */
#define LINGER_COUNT_MAX 1024

/* A lingering client may send this much more, and for so long, before it is cut off. */
#define LINGER_MAX    ((size_t)16 * 1024 * 1024)
#define LINGER_MAX_US UINT64_C(30000000)

static void free_deferred(struct deferred_free *deferred)
{
	struct client *c = LIST_ITEM(deferred, struct client, deferred);

	heap_trim_note(&c->proxy->trim);
	cells_give(&c->proxy->client_cells, c);
}

/* Backlogs are held far below what would not fit here. */
static uint32_t unsent(const struct client *c)
{
	size_t n = connection_unsent(&c->connection);

	return n < UINT32_MAX ? (uint32_t)n : UINT32_MAX;
}

void client_set_state(struct client *c, enum client_state state)
{
	struct proxy *proxy = c->proxy;

	deadline_stop(&c->deadline);
	proxy->linger_count -= c->state == CLIENT_LINGER;
	proxy->linger_count += state == CLIENT_LINGER;
	if (c->state == CLIENT_BUSY)
		connection_watch(&c->connection);
	c->state = state;
	/* Those who have just sent a request go before those who are at it, or at the end. */
	c->connection.low_priority = state != CLIENT_IDLE;
	switch (state) {
	case CLIENT_IDLE:
		c->seen = 0;
		c->since_us = proxy->loop->now_us;
		deadline_start(&c->deadline, &proxy->wait_request, proxy->loop);
		break;
	case CLIENT_HEAD:
		deadline_start(&c->deadline, &proxy->wait_head, proxy->loop);
		break;
	case CLIENT_FLUSH:
		c->seen = 0;
		c->unsent = unsent(c);
		deadline_start(&c->deadline, &proxy->wait_flush, proxy->loop);
		break;
	case CLIENT_LINGER:
		c->seen = 0;
		c->heard = false;
		c->since_us = proxy->loop->now_us;
		deadline_start(&c->deadline, &proxy->wait_close, proxy->loop);
		break;
	case CLIENT_BUSY:
		if (c->connection.resting)
			deadline_start(&c->deadline, &proxy->wait_watch, proxy->loop);
		else
			list_append(&proxy->busy, &c->deadline.link);
		break;
	}
}

/* The answer takes a while: now it is to be seen if the client leaves. */
void client_watch_expired(struct deadline *deadline)
{
	struct client *c = LIST_ITEM(deadline, struct client, deadline);

	list_append(&c->proxy->busy, &deadline->link);
	connection_watch(&c->connection);
}

static void leave(struct client *c)
{
	struct proxy *proxy = c->proxy;

	deadline_stop(&c->deadline);
	proxy->linger_count -= c->state == CLIENT_LINGER;
	proxy->client_count--;
	counters_leave(proxy);
	connections_per_client_leave(&proxy->sources, c->source);
	loop_defer_free(proxy->loop, &c->deferred, free_deferred);
	proxy->left(proxy->context);
}

void client_close(struct client *c)
{
	connection_close(&c->connection);
	leave(c);
}

void client_reset(struct client *c)
{
	connection_reset(&c->connection);
	leave(c);
}

static bool is_flushed(const struct client *c)
{
	return connection_backlog(&c->connection) == 0;
}

static void flush_first(struct client *c, bool last)
{
	c->last = last;
	client_set_state(c, CLIENT_FLUSH);
}

struct client *client_first_lingering(const struct proxy *proxy)
{
	struct deadline *first = deadline_first(&proxy->wait_part);

	if (first == NULL)
		first = deadline_first(&proxy->wait_close);
	return first != NULL ? LIST_ITEM(first, struct client, deadline) : NULL;
}

void client_linger(struct client *c)
{
	struct proxy *proxy = c->proxy;

	connection_finish(&c->connection);
	connection_resume(&c->connection);
	if (!is_flushed(c)) {
		flush_first(c, true);
	} else if (c->connection.ended) {
		client_close(c);
	} else {
		client_set_state(c, CLIENT_LINGER);
		if (proxy->linger_count > LINGER_COUNT_MAX)
			client_close(client_first_lingering(proxy));
	}
}

void client_end(struct client *c)
{
	/* Bytes that came behind the last request would turn the close into a reset. */
	if (is_flushed(c) && !c->connection.delivering && connection_is_quiet(&c->connection))
		client_close(c);
	else
		client_linger(c);
}

void client_next(struct client *c)
{
	struct connection *s = &c->connection;

	if (!is_flushed(c)) {
		flush_first(c, false);
		return;
	}
	client_set_state(c, CLIENT_IDLE);
	if (s->paused)
		connection_resume(s);
	else if (s->delivering || connection_rest(s) > 0)
		connection_again(s);
	else if (s->ended)
		client_linger(c);
}

void client_flushed(struct client *c)
{
	if (!is_flushed(c))
		return;
	if (c->last)
		client_linger(c);
	else
		client_next(c);
}

static uint64_t lingers_for(const struct client *c)
{
	return c->state == CLIENT_LINGER ? c->proxy->loop->now_us - c->since_us : 0;
}

size_t client_hear_out(struct client *c, size_t len)
{
	if (c->state == CLIENT_FLUSH && !c->last) {
		/* Its next request waits. */
		if (len >= loop_share(c->proxy->loop, LOOP_READ_SIZE))
			connection_pause(&c->connection);
		return 0;
	}
	c->seen += (uint32_t)len;
	c->heard = true;
	if (c->seen > LINGER_MAX || lingers_for(c) > LINGER_MAX_US)
		client_reset(c);
	return len;
}

bool client_dismiss(struct client *c)
{
	if (!connection_is_quiet(&c->connection))
		return false;
	client_linger(c);
	/* It owes nothing and need not be waited for as long as one that still reads an answer. */
	if (c->state == CLIENT_LINGER)
		deadline_start(&c->deadline, &c->proxy->wait_part, c->proxy->loop);
	return true;
}

/* A request that arrived at the last moment is read next and sets its own deadline. */
void client_idle_expired(struct deadline *deadline)
{
	struct client *c = LIST_ITEM(deadline, struct client, deadline);

	if (!client_dismiss(c))
		deadline_start(&c->deadline, &c->proxy->wait_request, c->proxy->loop);
}

/* Who still talks is heard for as long again. It is asked for here only, so that the queue stays in
 * the order of those who came: talking does not get one past others. */
void client_linger_expired(struct deadline *deadline)
{
	struct client *c = LIST_ITEM(deadline, struct client, deadline);

	if (!c->heard) {
		client_close(c);
		return;
	}
	c->heard = false;
	deadline_start(&c->deadline, &c->proxy->wait_close, c->proxy->loop);
}

/* As long as it takes something, it may have the rest; where not, it must not take what it has for
 * the whole. */
void client_flush_expired(struct deadline *deadline)
{
	struct client *c = LIST_ITEM(deadline, struct client, deadline);
	uint32_t now = unsent(c);

	if (now >= c->unsent) {
		client_reset(c);
		return;
	}
	c->unsent = now;
	deadline_start(&c->deadline, &c->proxy->wait_flush, c->proxy->loop);
}
