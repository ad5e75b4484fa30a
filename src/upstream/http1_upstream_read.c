/*
 * Reads heads and content of responses off a connection to a backend, and tells the owner of the
 * stream. What they mean for the request is the owner's business.
 */
#include "config.h"

#include "http1_upstream_read.h"

#include <assert.h>

#include "http1/body_splice.h"
#include "http1_connection.h"
#include "upstream/capacity.h"

static struct http1_connection *connection_of(struct connection *connection)
{
	return LIST_ITEM(connection, struct http1_connection, connection);
}

static const struct upstream_events *events_of(const struct http1_connection *c)
{
	return c->upstream->stream_events;
}

/* What a final head says about its body and about the connection. 0, or -1 when memory is short. */
static int begin_body(struct http1_connection *c, const struct response *response)
{
	uint64_t seconds;

	body_reader_init(&c->reader, response->body);
	if (body_reader_note_named(&c->reader, &response->fields) == -1)
		return -1;
	if (response_keep_alive_timeout(response, &seconds))
		http1_connection_keeps_for(c, seconds);
	body_splice_expect(&c->connection, &c->reader);
	c->state = HTTP1_BODY;
	c->early = !c->request_done || connection_backlog(&c->connection) > 0;
	return 0;
}

/* Reads one head off `data` and tells the owner. *used: bytes of it; 0: it is not whole. False: the
 * owner has let go of the connection. */
static bool read_head(struct http1_connection *c, const char *data, size_t len, size_t *used)
{
	struct upstream_context *upstream = c->upstream;
	struct response *response = &upstream->response;
	void *owner = c->stream.owner;

	*used = 0;
	switch (response_parse(response, data, len, c->seen, c->method, &upstream->limits)) {
	case PARSE_PARTIAL:
		c->seen = (uint32_t)len;
		return true;
	case PARSE_BAD:
		events_of(c)->bad(owner, response->why);
		return false;
	case PARSE_DONE:
		break;
	}
	*used = response->head_len;
	c->seen = 0;
	c->keeps &= response->keep_alive;
	c->stream.backend->wants_length = response->minor == 0;
	if (response->status >= 200 && begin_body(c, response) == -1) {
		events_of(c)->bad(owner, NULL);
		return false;
	}
	if (response->status == 101)
		c->state = HTTP1_TUNNEL;
	return events_of(c)->head(owner, response);
}

static void read_tunnel(struct http1_connection *c, const char *data, size_t len)
{
	struct content content;

	if (len == 0)
		return;
	content_init(&content);
	content_add(&content, data, len);
	body_splice_look(&c->connection);
	(void)events_of(c)->content(c->stream.owner, &content);
}

/* Bytes came behind the response. */
static void note_surplus(struct http1_connection *c)
{
	c->surplus = true;
	backend_complain(c->stream.backend, c->upstream->loop->now_us, "connection closed",
		"bytes came behind a response");
}

/* Hands on what `data` has of the body, at least once though it be nothing. False: as above. */
static bool read_body(struct http1_connection *c, const char *data, size_t len, size_t *used)
{
	struct content content;
	enum body_read result;

	*used = 0;
	do {
		size_t step;

		content_init(&content);
		result = body_reader_feed(&c->reader, data + *used, len - *used, &step, &content,
			&c->upstream->trailers);
		*used += step;
		if (result == BODY_READ_DONE && *used < len)
			note_surplus(c);
		if (result == BODY_READ_MORE)
			body_splice_look(&c->connection);
		if (!events_of(c)->content(c->stream.owner, &content))
			return false;
		if (result == BODY_READ_BAD) {
			events_of(c)->bad(c->stream.owner, c->reader.why);
			return false;
		}
	} while (content_is_full(&content) && result == BODY_READ_MORE);
	if (c->surplus)
		events_of(c)->ended(c->stream.owner, 0);
	return !c->surplus;
}

static size_t received(struct connection *connection, const char *data, size_t len)
{
	struct http1_connection *c = connection_of(connection);
	size_t used = 0, step;

	if (c->stream.owner == NULL) {
		http1_connection_close_unasked(c);
		return len;
	}
	if (c->stream.reused && !c->asked) {
		http1_connection_complain_unasked(c);
		events_of(c)->ended(c->stream.owner, 0);
		return len;
	}
	if (c->state == HTTP1_BODY && c->reader.done) {
		note_surplus(c);
		events_of(c)->ended(c->stream.owner, 0);
		return len;
	}
	events_of(c)->heard(c->stream.owner);
	while (c->state == HTTP1_HEAD && used < len) {
		if (!read_head(c, data + used, len - used, &step))
			return len;
		if (step == 0)
			return used;
		used += step;
	}
	if (c->state == HTTP1_HEAD)
		return used;
	if (c->state == HTTP1_TUNNEL) {
		read_tunnel(c, data + used, len - used);
		return len;
	}
	return read_body(c, data + used, len - used, &step) ? used + step : len;
}

static bool splice(struct connection *connection)
{
	struct http1_connection *c = connection_of(connection);
	struct body_reader *reader = c->state == HTTP1_TUNNEL ? NULL : &c->reader;
	void *owner = c->stream.owner;
	size_t room;
	ssize_t n;

	if (owner == NULL || c->state == HTTP1_HEAD ||
		!body_splice_is_of_use(reader, &c->connection))
		return false;
	room = events_of(c)->splice_room(owner);
	n = room > 0 ? body_splice_in(reader, &c->connection, room) : -1;
	if (n > 0)
		(void)events_of(c)->spliced(owner, (size_t)n, reader != NULL && reader->done);
	return n >= 0;
}

static void drained(struct connection *connection)
{
	struct http1_connection *c = connection_of(connection);

	if (c->stream.owner != NULL)
		events_of(c)->drained(c->stream.owner);
}

static void connected(struct connection *connection)
{
	struct http1_connection *c = connection_of(connection);
	struct backend *backend = c->stream.backend;

	assert(c->stream.owner != NULL && c->stream.connecting);
	http1_connection_settle(c);
	capacity_connected(backend->pool, backend);
	backend->address = c->address;
	events_of(c)->connected(c->stream.owner);
}

/* A body that ends with the connection is whole; any other one is not. */
static bool ends_body(struct http1_connection *c, int error)
{
	return c->state == HTTP1_BODY && error == 0 && !c->reader.done &&
	       body_reader_end(&c->reader) == BODY_READ_DONE;
}

static void ended(struct connection *connection, int error)
{
	struct http1_connection *c = connection_of(connection);
	struct content content;

	if (c->stream.owner == NULL) {
		http1_connection_learn(c, http1_connection_idle_us(c));
		http1_connection_close(c);
		return;
	}
	if (!ends_body(c, error)) {
		events_of(c)->ended(c->stream.owner, error);
		return;
	}
	content_init(&content);
	content.end = true;
	(void)events_of(c)->content(c->stream.owner, &content);
}

const struct connection_events http1_upstream_read_events = {
	.reading = PULSE_RESPONSE,
	.received = received,
	.splice = splice,
	.drained = drained,
	.connected = connected,
	.ended = ended,
};
