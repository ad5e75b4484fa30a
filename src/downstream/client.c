/*
 * What a client waits for, and how it ends. Nothing of a response may be lost because the
 * connection ends behind it, and no client may hold a connection by doing nothing.
 */
#include "config.h"

#include "client.h"

#include <assert.h>

#include "base/log.h"
#include "connections_per_client.h"
#include "exchange/counters.h"

/* So many may linger at a time: waiting for clients to close must not fill a worker. */
#define LINGER_COUNT_MAX 1024

/* A lingering client may send at any rate for half a minute. After that it has to send so many
 * bytes a second, as one does that uploads in earnest, and is cut off in any case in the end. */
#define LINGER_ANY_RATE_US UINT64_C(30000000)
#define LINGER_RATE        UINT64_C(65536)
#define LINGER_MAX_US      UINT64_C(600000000)

static void set_name(struct client *c, const struct address *peer)
{
	char text[ADDRESS_TEXT_SIZE];
	struct text name = text_over(c->name, sizeof c->name);

	if (address_is_unix(peer)) {
		/* Any byte may be in the path of a unix socket, and the client chose it. */
		(void)escape_field(&name, slice_of_string(address_format(peer, text)));
	} else {
		c->ip_len = (uint8_t)strlen(address_format_host(peer, text));
		text_add_string(&name, address_format(peer, text));
	}
	c->name_len = (uint8_t)name.len;
}

struct client *client_open(struct downstream_context *downstream,
	const struct connection_events *events, int fd, const struct address *peer,
	uint32_t listener)
{
	struct client *c = cells_take(&downstream->clients);

	if (c == NULL)
		return NULL;
	c->downstream = downstream;
	c->listener = listener;
	c->trusted = network_set_has(&downstream->settings->trusted, peer);
	set_name(c, peer);
	deadline_init(&c->deadline);
	connection_open(&c->connection, downstream->loop, events, fd);
	downstream->client_count++;
	counters_accept(downstream->place, downstream->client_count);
	client_set_state(c, CLIENT_IDLE);
	return c;
}

static void free_deferred(struct deferred_free *deferred)
{
	struct client *c = LIST_ITEM(deferred, struct client, deferred);

	heap_trim_note(c->downstream->trim);
	cells_give(&c->downstream->clients, c);
}

/* Backlogs are held far below what would not fit here. */
static uint32_t unsent(const struct client *c)
{
	size_t n = connection_unsent(&c->connection);

	return n < UINT32_MAX ? (uint32_t)n : UINT32_MAX;
}

static const char *name_of(enum client_state state)
{
	static const char *const names[] = { [CLIENT_IDLE] = "idle",
		[CLIENT_HEAD] = "head",
		[CLIENT_BUSY] = "busy",
		[CLIENT_FLUSH] = "flush",
		[CLIENT_LINGER] = "linger" };

	return names[state];
}

/* Which states may follow, a bit for each: a head comes first, then an exchange, and behind
 * CLIENT_LINGER there is only the end. */
static const uint8_t next_states[] = {
	[CLIENT_IDLE] = 1 << CLIENT_IDLE | 1 << CLIENT_HEAD | 1 << CLIENT_BUSY | 1 << CLIENT_FLUSH |
			1 << CLIENT_LINGER,
	[CLIENT_HEAD] = 1 << CLIENT_BUSY | 1 << CLIENT_FLUSH | 1 << CLIENT_LINGER,
	[CLIENT_BUSY] = 1 << CLIENT_IDLE | 1 << CLIENT_FLUSH | 1 << CLIENT_LINGER,
	[CLIENT_FLUSH] = 1 << CLIENT_IDLE | 1 << CLIENT_FLUSH | 1 << CLIENT_LINGER,
	[CLIENT_LINGER] = 0,
};

void client_set_state(struct client *c, enum client_state state)
{
	struct downstream_context *downstream = c->downstream;
	struct loop *loop = downstream->loop;

	assert((next_states[c->state] >> state & 1) != 0);
	if (log_wants(LOG_LEVEL_DEBUG))
		log_debug("client %.*s: %s -> %s", SLICE_ARGS(client_name(c).text),
			name_of(c->state), name_of(state));
	deadline_stop(&c->deadline);
	if (c->state == CLIENT_BUSY)
		connection_watch(&c->connection);
	c->state = state;
	/* Clients that have just sent a request go before those that are at it, or at the end. */
	c->connection.low_priority = state != CLIENT_IDLE;
	switch (state) {
	case CLIENT_IDLE:
		c->seen = 0;
		c->since_us = loop->now_us;
		deadline_start(&c->deadline, &downstream->wait_request, loop);
		break;
	case CLIENT_HEAD:
		deadline_start(&c->deadline, &downstream->wait_head, loop);
		break;
	case CLIENT_FLUSH:
		c->seen = 0;
		c->unsent = unsent(c);
		deadline_start(&c->deadline, &downstream->wait_flush, loop);
		break;
	case CLIENT_LINGER:
		downstream->linger_count++;
		c->seen = 0;
		c->since_us = loop->now_us;
		deadline_start(&c->deadline, &downstream->wait_close, loop);
		break;
	case CLIENT_BUSY:
		if (c->connection.resting)
			deadline_start(&c->deadline, &downstream->wait_watch, loop);
		else
			list_append(&downstream->busy, &c->deadline.link);
		break;
	}
}

/* The response takes a while: from now on it is seen if the client leaves. */
void client_watch_expired(struct deadline *deadline)
{
	struct client *c = LIST_ITEM(deadline, struct client, deadline);

	assert(c->state == CLIENT_BUSY && c->exchange != NULL);
	list_append(&c->downstream->busy, &deadline->link);
	connection_watch(&c->connection);
}

static void leave(struct client *c)
{
	struct downstream_context *downstream = c->downstream;

	assert(c->exchange == NULL && downstream->client_count > 0);
	private_streams_close(&c->private_streams);
	deadline_stop(&c->deadline);
	assert(c->state != CLIENT_LINGER || downstream->linger_count > 0);
	downstream->linger_count -= c->state == CLIENT_LINGER;
	downstream->client_count--;
	counters_leave(downstream->place, downstream->client_count);
	connections_per_client_leave(&downstream->sources, c->source);
	loop_defer_free(downstream->loop, &c->deferred, free_deferred);
	downstream->left(downstream->left_context);
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

struct client *client_first_lingering(const struct downstream_context *downstream)
{
	struct deadline *first = deadline_first(&downstream->wait_part);

	if (first == NULL)
		first = deadline_first(&downstream->wait_close);
	return first != NULL ? LIST_ITEM(first, struct client, deadline) : NULL;
}

void client_linger(struct client *c)
{
	struct downstream_context *downstream = c->downstream;

	/* No further request comes that could need them. */
	private_streams_close(&c->private_streams);
	connection_finish(&c->connection);
	connection_resume(&c->connection);
	if (!is_flushed(c)) {
		flush_first(c, true);
	} else if (c->connection.ended) {
		client_close(c);
	} else {
		client_set_state(c, CLIENT_LINGER);
		if (downstream->linger_count > LINGER_COUNT_MAX)
			client_close(client_first_lingering(downstream));
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
	assert(c->state == CLIENT_FLUSH);
	if (!is_flushed(c))
		return;
	if (c->last)
		client_linger(c);
	else
		client_next(c);
}

size_t client_hear_out(struct client *c, size_t len)
{
	if (c->state == CLIENT_FLUSH && !c->last) {
		/* Its next request waits. */
		if (len >= loop_share(c->downstream->loop, LOOP_READ_SIZE))
			connection_pause(&c->connection);
		return 0;
	}
	c->seen = len < UINT32_MAX - c->seen ? c->seen + (uint32_t)len : UINT32_MAX;
	return len;
}

bool client_dismiss(struct client *c)
{
	struct downstream_context *downstream = c->downstream;

	if (!connection_is_quiet(&c->connection))
		return false;
	client_linger(c);
	/* It reads no response any more, so it need not be waited for as long as one that does. */
	if (c->state == CLIENT_LINGER)
		deadline_start(&c->deadline, &downstream->wait_part, downstream->loop);
	return true;
}

/* A request that arrived at the last moment is read next and sets its own deadline. */
void client_idle_expired(struct deadline *deadline)
{
	struct client *c = LIST_ITEM(deadline, struct client, deadline);

	if (!client_dismiss(c))
		deadline_start(&c->deadline, &c->downstream->wait_request, c->downstream->loop);
}

/* Whether a lingering client has sent enough since its deadline began. How much it sends in all
 * does not matter: many clients read nothing before they have sent a whole request. */
static bool may_linger_on(const struct client *c)
{
	const struct downstream_context *downstream = c->downstream;
	uint64_t lingers_us = downstream->loop->now_us - c->since_us;
	uint64_t least = LINGER_RATE * downstream->wait_close.duration_us / 1000000;

	if (lingers_us > LINGER_MAX_US)
		return false;
	return c->seen >= (lingers_us > LINGER_ANY_RATE_US ? least : 1);
}

/* Enough bytes came: extend lingering by the same time. They are looked for here only, so that the
 * queue stays in the order in which its clients began to linger. */
void client_linger_expired(struct deadline *deadline)
{
	struct client *c = LIST_ITEM(deadline, struct client, deadline);

	if (!may_linger_on(c)) {
		client_close(c);
		return;
	}
	c->seen = 0;
	deadline_start(&c->deadline, &c->downstream->wait_close, c->downstream->loop);
}

/* As long as the client takes something, it may have the rest. If not, it must not take what it has
 * for the whole. */
void client_flush_expired(struct deadline *deadline)
{
	struct client *c = LIST_ITEM(deadline, struct client, deadline);
	uint32_t now = unsent(c);

	if (now >= c->unsent) {
		client_reset(c);
		return;
	}
	c->unsent = now;
	deadline_start(&c->deadline, &c->downstream->wait_flush, c->downstream->loop);
}
