/*
 * Reads request heads from a connection, one at a time, and begins an exchange for each; refuses
 * what is malformed. The request behind one that is under way waits unread: pipelining is known
 * here only.
 */
#include "config.h"

#include "http1_downstream_read.h"

#include "http1/body_splice.h"
#include "http1_exchange.h"
#include "http1_respond.h"

/* Content of which less comes at a time lets others go first. */
#define LOW_PRIORITY_SIZE 1024

static struct client *client_of(struct connection *connection)
{
	return LIST_ITEM(connection, struct client, connection);
}

static void init_exchange(struct http1_exchange *h, const struct request *request)
{
	body_reader_init(&h->reader, request->body);
	h->out = BODY_NONE;
	h->head_waits = 0;
	h->minor = request->minor;
	h->head = request->method == METHOD_HEAD;
	h->keeps = request->keep_alive;
	h->closing = h->replied = h->tunnel = false;
}

static int begin_exchange(
	struct client *c, const struct request *request, const char *data, bool more)
{
	struct exchange_start start = {
		.downstream = { &http1_respond_ops, c },
		.request = request,
		.head = data,
		.private_streams = &c->private_streams,
		.client_ip = client_ip(c),
		.client_name = client_name(c),
		.start_us = c->since_us,
		.listener = c->listener,
		.trusted = c->trusted,
		.more = more,
	};
	struct exchange *x = exchange_new(c->downstream->exchange);
	struct http1_exchange *h;

	if (x == NULL)
		return -1;
	c->exchange = x;
	h = http1_exchange_of(c);
	init_exchange(h, request);
	body_splice_expect(&c->connection, &h->reader);
	if (body_reader_note_named(&h->reader, &request->fields) == 0 &&
		exchange_begin(x, &start) == 0)
		return 0;
	body_reader_fini(&h->reader);
	exchange_forget(x);
	c->exchange = NULL;
	return -1;
}

/* Content that is not taken now, and the request behind this one, wait unread. So does what is sent
 * behind a request for a tunnel: what it is depends on the response. */
static size_t leave_unread(struct client *c, const struct http1_exchange *h, size_t len)
{
	size_t most = h->reader.done ? LOOP_READ_SIZE : CONTENT_HELD_MAX;

	if (len >= loop_share(c->downstream->loop, most))
		connection_pause(&c->connection);
	return 0;
}

static size_t read_tunnel(struct client *c, const char *data, size_t len)
{
	struct content content;

	if (len == 0)
		return 0;
	content_init(&content);
	content_add(&content, data, len);
	body_splice_look(&c->connection);
	/* A client that ended its sending side before the tunnel began is told of behind this. */
	if (c->connection.ended)
		connection_again(&c->connection);
	exchange_request_content(c->exchange, &content);
	return len;
}

/* Hands on what `data` has of the content, at least once though it be nothing: the head may wait
 * for it. Returns how many bytes are done with: all if the exchange ended before its request was
 * whole. Behind a whole one the next may follow. */
static size_t read_content(struct client *c, struct http1_exchange *h, const char *data, size_t len)
{
	struct content content;
	enum body_read result;
	size_t used = 0;

	do {
		size_t step;

		content_init(&content);
		result = body_reader_feed(&h->reader, data + used, len - used, &step, &content,
			&c->downstream->trailers);
		used += step;
		if (result == BODY_READ_BAD) {
			exchange_request_bad(c->exchange, 400, h->reader.why);
			return len;
		}
		body_splice_look(&c->connection);
		exchange_request_content(c->exchange, &content);
		if (c->exchange == NULL)
			return result == BODY_READ_DONE ? used : len;
	} while (content_is_full(&content) && result == BODY_READ_MORE);
	return used;
}

static size_t read_busy(struct client *c, const char *data, size_t len)
{
	struct http1_exchange *h = http1_exchange_of(c);
	size_t used;

	if (http1_exchange_is_raw(h))
		return read_tunnel(c, data, len);
	c->connection.low_priority = !h->tunnel && len < LOW_PRIORITY_SIZE;
	if (!exchange_takes_content(c->exchange))
		return leave_unread(c, h, len);
	used = read_content(c, h, data, len);
	if (c->exchange != NULL && http1_exchange_is_raw(h))
		used += read_tunnel(c, data + used, len - used);
	return used;
}

static size_t take_request(
	struct client *c, const struct request *request, const char *data, size_t len)
{
	size_t used = request->head_len;

	/* There is more to come of this one. */
	if (request->body.kind != BODY_NONE || request->upgrade)
		connection_watch(&c->connection);
	client_set_state(c, CLIENT_BUSY);
	if (begin_exchange(c, request, data, used < len) == -1) {
		http1_respond_refuse(c, request, 503, REASON_NO_MEMORY, NULL);
		return len;
	}
	/* What follows is content, or the next request. */
	if (c->exchange != NULL && used < len)
		used += read_busy(c, data + used, len - used);
	return used;
}

static size_t read_head(struct client *c, const char *data, size_t len)
{
	struct downstream_context *downstream = c->downstream;
	struct request *request = &downstream->request;

	if (c->state == CLIENT_IDLE)
		c->since_us = downstream->loop->now_us;
	switch (request_parse(request, data, len, c->seen, &downstream->limits)) {
	case PARSE_DONE:
		return take_request(c, request, data, len);
	case PARSE_BAD:
		http1_respond_refuse(c, request, request->status, REASON_BAD_REQUEST, request->why);
		return len;
	case PARSE_PARTIAL:
		break;
	}
	if (c->connection.ended) { /* and this is no whole request any more */
		client_close(c);
		return len;
	}
	/* The deadline runs from the first byte and is not put off by more of them. */
	if (c->state == CLIENT_IDLE)
		client_set_state(c, CLIENT_HEAD);
	c->seen = (uint32_t)len;
	return 0;
}

static size_t received(struct connection *connection, const char *data, size_t len)
{
	struct client *c = client_of(connection);

	switch (c->state) {
	case CLIENT_IDLE:
	case CLIENT_HEAD:
		return read_head(c, data, len);
	case CLIENT_FLUSH:
	case CLIENT_LINGER:
		return client_hear_out(c, len);
	case CLIENT_BUSY:
		break;
	}
	return read_busy(c, data, len);
}

static bool splice(struct connection *connection)
{
	struct client *c = client_of(connection);
	struct http1_exchange *h;
	struct body_reader *reader;
	size_t room;
	ssize_t n;

	if (c->exchange == NULL)
		return false;
	h = http1_exchange_of(c);
	reader = http1_exchange_is_raw(h) ? NULL : &h->reader;
	if (!h->tunnel)
		c->connection.low_priority = false;
	if (!body_splice_is_of_use(reader, &c->connection))
		return false;
	room = exchange_request_splice_room(c->exchange);
	n = room > 0 ? body_splice_in(reader, &c->connection, room) : -1;
	if (n > 0)
		exchange_request_spliced(c->exchange, (size_t)n, reader != NULL && reader->done);
	return n >= 0;
}

static void drained(struct connection *connection)
{
	struct client *c = client_of(connection);

	if (c->exchange != NULL)
		exchange_client_drained(c->exchange);
	else if (c->state == CLIENT_FLUSH)
		client_flushed(c);
}

/* Whether a request goes on though its client sends no more: it may have come whole. Content that
 * arrives while the request waits for a backend is kept unread. */
static bool goes_on(const struct client *c)
{
	const struct http1_exchange *h = http1_exchange_of(c);

	if (!c->downstream->settings->half_close)
		return false;
	return h->reader.done ||
	       (!exchange_takes_content(c->exchange) && connection_rest(&c->connection) > 0);
}

static void ended(struct connection *connection, int error)
{
	struct client *c = client_of(connection);

	if (c->exchange != NULL) {
		if (error != 0 || http1_exchange_of(c)->tunnel || !goes_on(c))
			exchange_client_ended(c->exchange, error);
	} else if (error != 0 || c->state != CLIENT_FLUSH) {
		client_close(c);
	} else if (c->last || connection_rest(connection) == 0) {
		client_linger(c); /* it ended its sending side, and the response is not out yet */
	}
}

const struct connection_events http1_downstream_read_events = {
	.reading = PULSE_REQUEST,
	.received = received,
	.splice = splice,
	.drained = drained,
	.ended = ended,
};
