/*
 * HTTP/1 towards backends: writes the head of a request as RFC 9112 has it and frames its content.
 * It decides whether a connection can be used again.
 */
#include "config.h"

#include "upstream/http1_upstream.h"

#include <assert.h>
#include <errno.h>

#include "http/forward.h"
#include "http1/body_writer.h"
#include "http1_connection.h"
#include "http1_upstream_read.h"
#include "net/connection_splice.h"

static void begin_request(struct http1_connection *c)
{
	c->asked = c->request_done = false;
	c->keeps = true;
	c->surplus = c->early = false;
	c->state = HTTP1_HEAD;
	c->head_waits = 0;
}

static struct backend_stream *take_idle(struct backend *backend, void *owner, bool once)
{
	struct backend_stream *stream = http1_connection_take(backend, owner, once);

	if (stream != NULL)
		begin_request(http1_connection_of(stream));
	return stream;
}

static bool take_private(struct backend_stream *stream, void *owner)
{
	struct http1_connection *c = http1_connection_of(stream);

	if (!http1_connection_take_private(c, owner))
		return false;
	begin_request(c);
	return true;
}

static void discard(struct backend_stream *stream)
{
	assert(stream->owner == NULL);
	http1_connection_close(http1_connection_of(stream));
}

static struct backend_stream *connect_to(struct backend *backend, void *owner, int address)
{
	struct upstream_context *upstream = backend->pool->upstream;
	struct http1_connection *c;
	struct address to;
	int error;

	/* The address may have vanished a moment ago. */
	if (!addresses_get(backend->addresses, (uint32_t)address, &to)) {
		errno = EADDRNOTAVAIL;
		return NULL;
	}
	c = http1_connection_new(backend, owner);
	if (c == NULL)
		return NULL;
	c->stream.ops = &http1_upstream_ops;
	c->address = (uint8_t)address;
	if (connection_connect(&c->connection, upstream->loop, &http1_upstream_read_events, &to) ==
		0) {
		begin_request(c);
		c->stream.connecting = true;
		c->pending = true;
		backend->capacity.connecting++;
		return &c->stream;
	}
	error = errno;
	http1_connection_forget(c);
	errno = error;
	return NULL;
}

/* The client's Host goes on if this is empty; an HTTP/1.0 client may have sent none. */
static struct slice host_to_send(const struct backend *backend, const struct request *head)
{
	if (backend->pool->settings->host == HOST_PRESERVE && !slice_is_empty(head->host))
		return slice_of(NULL, 0);
	return backend->authority;
}

static void write_head(
	struct text *out, const struct backend *backend, const struct upstream_request *request)
{
	static const struct slice http = { "http", 4 };
	const struct pool *pool = backend->pool;
	int forwarded = pool->upstream->settings->forwarded;
	struct forward_request how = {
		.host = host_to_send(backend, request->head),
		.path = backend->path,
		.peer = request->client_ip,
		.scheme = http,
		.upgrade = slice_of_string(pool->settings->upgrade),
		.request_id = request->request_id,
		.x_forwarded = (forwarded & FORWARDED_X) != 0,
		.rfc7239 = (forwarded & FORWARDED_RFC7239) != 0,
		.trusted = request->trusted,
		.token = request->loop_token,
		.via = pool->settings->via == VIA_ON,
		.cdn_loop = pool->settings->via == VIA_RESPONSE,
	};

	if (pool->sessions != NULL)
		how.cookie = slice_of_string(pool->settings->sticky.cookie);
	forward_request(out, request->head, &how);
}

static int send_head(struct backend_stream *stream, const struct upstream_request *request)
{
	struct http1_connection *c = http1_connection_of(stream);
	struct text head = text_over(c->upstream->head_out, HEAD_OUT_SIZE);
	struct iovec piece = { .iov_base = head.data };
	const struct body *body = &request->head->body;

	write_head(&head, stream->backend, request);
	if (head.overflow)
		return -1;
	c->asked = true;
	c->method = request->head->method;
	/* Some servers take the content of a request that offers another protocol for bytes of
	 * that, and what comes behind it for a request of its own, if they do not switch. */
	c->keeps = !request->head->upgrade || body_is_empty(*body);
	c->out = body->kind;
	c->request_done = body_is_empty(*body);
	if (request->more) {
		c->head_waits = head.len;
		return 0;
	}
	piece.iov_len = head.len;
	return connection_write(&c->connection, &piece, 1);
}

/* Behind the request's content bytes go as they are: those of a tunnel. */
static enum body_kind framing(const struct http1_connection *c)
{
	return c->request_done ? BODY_NONE : c->out;
}

static int send_content(struct backend_stream *stream, const struct content *content)
{
	struct http1_connection *c = http1_connection_of(stream);
	struct slice head = slice_of(c->upstream->head_out, c->head_waits);
	enum body_kind out = framing(c);

	assert(!c->request_done || c->state == HTTP1_TUNNEL);
	c->head_waits = 0;
	c->request_done |= content->end;
	return body_writer_write(&c->connection, out, head, content);
}

static size_t splice_room(const struct backend_stream *stream)
{
	const struct http1_connection *c = http1_connection_of(stream);

	return connection_splice_room(&c->connection);
}

static int send_spliced(struct backend_stream *stream, size_t len, bool end)
{
	struct http1_connection *c = http1_connection_of(stream);
	enum body_kind out = framing(c);

	assert(c->head_waits == 0);
	assert(!c->request_done || c->state == HTTP1_TUNNEL);
	c->request_done |= end;
	return body_writer_splice(&c->connection, out, len);
}

static void finish(struct backend_stream *stream)
{
	connection_finish(&http1_connection_of(stream)->connection);
}

/* Whether another request may follow on the connection: nothing is owed on it either way. Behind an
 * early response none may, though the rest was sent since: a backend that has not read that as
 * content takes it for the next request. */
static bool is_reusable(const struct http1_connection *c)
{
	const struct connection *s = &c->connection;

	return c->state == HTTP1_BODY && c->reader.done && c->request_done && c->keeps &&
	       !c->early && !c->surplus && c->reader.in.kind != BODY_UNTIL_CLOSE && !s->ended &&
	       !s->broken && connection_backlog(s) == 0 && !connection_has_more(s);
}

static void end(struct backend_stream *stream, enum upstream_end how)
{
	struct http1_connection *c = http1_connection_of(stream);

	assert(stream->owner != NULL);
	if (how == UPSTREAM_DONE && is_reusable(c)) {
		http1_connection_keep(c);
		return;
	}
	if (how == UPSTREAM_STALE)
		http1_connection_learn(c, c->idle_us);
	else if (how == UPSTREAM_RESET)
		connection_reset(&c->connection);
	http1_connection_close(c);
}

static void pause_reading(struct backend_stream *stream)
{
	connection_pause(&http1_connection_of(stream)->connection);
}

static void resume_reading(struct backend_stream *stream)
{
	connection_resume(&http1_connection_of(stream)->connection);
}

static bool is_full(const struct backend_stream *stream)
{
	const struct connection *s = &http1_connection_of(stream)->connection;

	return connection_is_full(s) ||
	       (stream->connecting && connection_backlog(s) > CONTENT_HELD_MAX);
}

static bool is_open(const struct backend_stream *stream)
{
	return !http1_connection_of(stream)->connection.broken;
}

static size_t unsent(const struct backend_stream *stream)
{
	return connection_unsent(&http1_connection_of(stream)->connection);
}

const struct upstream_ops http1_upstream_ops = {
	.take = take_idle,
	.take_private = take_private,
	.discard = discard,
	.connect = connect_to,
	.send_head = send_head,
	.send_content = send_content,
	.splice_room = splice_room,
	.send_spliced = send_spliced,
	.finish = finish,
	.end = end,
	.pause = pause_reading,
	.resume = resume_reading,
	.is_full = is_full,
	.is_open = is_open,
	.unsent = unsent,
	.make_room = http1_connection_make_room,
};

void http1_upstream_init(struct upstream_context *upstream)
{
	list_init(&upstream->private_idle);
	cells_init(&upstream->connections, sizeof(struct http1_connection));
	deadline_queue_init(&upstream->wait_reuse, upstream->loop,
		upstream->settings->timeouts.idle_backend, http1_connection_expired);
}

void http1_upstream_close_idle(struct upstream_context *upstream)
{
	for (size_t i = 0; upstream->pools != NULL && i < upstream->settings->pool_count; i++)
		http1_connection_close_idle(&upstream->pools[i]);
}

void http1_upstream_fini(struct upstream_context *upstream)
{
	cells_fini(&upstream->connections);
	deadline_queue_fini(&upstream->wait_reuse);
}
