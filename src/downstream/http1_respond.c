/*
 * Responses as HTTP/1 (RFC 9112): heads written anew, content framed for the version of the client,
 * and what becomes of the connection behind them.
 */
#include "config.h"

#include "http1_respond.h"

#include <assert.h>

#include "base/clock.h"
#include "exchange/counters.h"
#include "http/forward.h"
#include "http1/body_writer.h"
#include "http1_exchange.h"
#include "net/connection_splice.h"

static struct slice date_now(void)
{
	return slice_of(clock_http_date(), CLOCK_HTTP_DATE_LEN);
}

/* Writes a head to head_out. False: it does not fit. */
static bool write_head(struct client *c, struct response *response, const struct set_cookie *cookie,
	struct text *head)
{
	const struct http1_exchange *h = http1_exchange_of(c);
	struct forward_response how = {
		.client_minor = h->minor,
		.close = h->closing,
		.keep_alive_10 = !h->closing && h->minor == 0,
		.date = date_now(),
	};

	if (cookie != NULL) {
		how.cookie = cookie->name;
		how.cookie_value = cookie->value;
		how.cookie_secure = cookie->secure;
	}
	*head = text_over(c->downstream->head_out, HEAD_OUT_SIZE);
	forward_response(head, response, &how);
	return !head->overflow;
}

/* Clients of HTTP/1.0 do not know interim responses (RFC 9110 15.2). */
static enum downstream_result send_interim(
	void *d, struct response *response, const struct set_cookie *cookie)
{
	struct client *c = d;
	struct http1_exchange *h = http1_exchange_of(c);
	struct iovec piece;
	struct text head;

	if (h->minor == 0)
		return DOWNSTREAM_SENT;
	if (!write_head(c, response, cookie, &head))
		return DOWNSTREAM_TOO_LONG;
	if (response->status == 101) {
		h->tunnel = true;
		/* Small messages are what a tunnel is for. */
		c->connection.low_priority = false;
	}
	piece = (struct iovec){ .iov_base = head.data, .iov_len = head.len };
	return connection_write(&c->connection, &piece, 1) == 0 ? DOWNSTREAM_SENT
								: DOWNSTREAM_NO_MEMORY;
}

/* A login goes on with the next request on this connection (http/login.h): a worker that drains
 * waits for that one, too. */
static bool is_logging_in(const struct client *c, int status)
{
	return status == 401 && c->private_streams.first != NULL;
}

/* The connection also ends if the request is not here whole: where the next one begins is not known
 * then. A client that only ended its sending side may have sent more requests before. */
static bool must_close(const struct client *c, const struct http1_exchange *h, int status)
{
	return !h->keeps || !h->reader.done || h->out == BODY_UNTIL_CLOSE ||
	       (c->downstream->close_after_response && !is_logging_in(c, status));
}

static enum downstream_result send_head(
	void *d, struct response *response, const struct set_cookie *cookie)
{
	struct client *c = d;
	struct http1_exchange *h = http1_exchange_of(c);
	struct text head;

	assert(h->head_waits == 0);
	h->out = forward_response_body(response, h->minor).kind;
	h->closing = must_close(c, h, response->status);
	if (!write_head(c, response, cookie, &head))
		return DOWNSTREAM_TOO_LONG;
	h->head_waits = head.len;
	return DOWNSTREAM_SENT;
}

/* Neither side has anything more to say on the connection once the response is whole. */
static bool is_last(const struct http1_exchange *h)
{
	return h->closing && h->reader.done && !h->keeps;
}

static int send_content(void *d, const struct content *content)
{
	struct client *c = d;
	struct http1_exchange *h = http1_exchange_of(c);
	struct slice head = slice_of(c->downstream->head_out, h->head_waits);

	h->head_waits = 0;
	c->connection.cork = content->end && is_last(h);
	return body_writer_write(&c->connection, h->out, head, content);
}

static size_t splice_room(const void *d)
{
	const struct client *c = d;

	return connection_splice_room(&c->connection);
}

static int send_spliced(void *d, size_t len, bool end)
{
	struct client *c = d;
	const struct http1_exchange *h = http1_exchange_of(c);

	assert(h->head_waits == 0);
	assert(!end || h->out != BODY_CHUNKED);
	return body_writer_splice(&c->connection, h->out, len);
}

static int write_reply(struct client *c, const struct reply *reply)
{
	struct text out = text_over(c->downstream->head_out, HEAD_OUT_SIZE);
	struct iovec piece = { .iov_base = out.data };

	reply_write(&out, reply);
	assert(!out.overflow);
	piece.iov_len = out.len;
	return connection_write(&c->connection, &piece, 1);
}

static int send_reply(void *d, struct reply *reply)
{
	struct client *c = d;
	struct http1_exchange *h = http1_exchange_of(c);
	bool keep = h->keeps && h->reader.done && !c->downstream->close_after_response;

	h->closing = !keep;
	h->replied = true;
	reply->close = !keep;
	reply->keep_alive_10 = keep && h->minor == 0;
	reply->head = h->head;
	reply->date = date_now();
	return write_reply(c, reply);
}

static void finish(void *d)
{
	struct client *c = d;
	const struct http1_exchange *h = http1_exchange_of(c);

	if (h->tunnel || h->out == BODY_UNTIL_CLOSE || is_last(h))
		connection_finish(&c->connection);
}

/* How the connection goes on behind a whole response. */
static void go_on(struct client *c, const struct http1_exchange *h)
{
	if (h->tunnel || (is_last(h) && !h->replied))
		client_end(c);
	else if (h->closing)
		client_linger(c);
	else
		client_next(c);
}

static void end(void *d, enum downstream_end how)
{
	struct client *c = d;
	struct http1_exchange *h = http1_exchange_of(c);

	assert(c->exchange != NULL && c->state == CLIENT_BUSY);
	body_reader_fini(&h->reader);
	c->exchange = NULL;
	/* A client that hears nothing any more gets nothing more. */
	if (c->connection.broken)
		how = DOWNSTREAM_ABORT;
	switch (how) {
	case DOWNSTREAM_DONE:
		go_on(c, h);
		break;
	case DOWNSTREAM_GONE:
		client_end(c);
		break;
	case DOWNSTREAM_TRUNCATED:
		/* If its framing shows that a part is missing, the client may have what there is.
		 */
		if (h->out != BODY_UNTIL_CLOSE)
			client_linger(c);
		else
			client_reset(c);
		break;
	case DOWNSTREAM_ABORT:
		client_reset(c);
		break;
	}
}

static void pause_reading(void *d)
{
	struct client *c = d;

	connection_pause(&c->connection);
}

static void resume_reading(void *d)
{
	struct client *c = d;
	struct connection *s = &c->connection;

	if (s->paused)
		connection_resume(s);
	else if (connection_rest(s) > 0 || (s->ended && http1_exchange_of(c)->tunnel))
		connection_again(s);
}

static void watch(void *d)
{
	struct client *c = d;

	connection_watch(&c->connection);
}

static bool is_full(const void *d)
{
	const struct client *c = d;

	return connection_is_full(&c->connection);
}

static bool is_open(const void *d)
{
	const struct client *c = d;

	return !c->connection.broken;
}

static size_t unsent(const void *d)
{
	const struct client *c = d;

	return connection_unsent(&c->connection);
}

const struct downstream_ops http1_respond_ops = {
	.send_interim = send_interim,
	.send_head = send_head,
	.send_content = send_content,
	.splice_room = splice_room,
	.send_spliced = send_spliced,
	.send_reply = send_reply,
	.finish = finish,
	.end = end,
	.pause = pause_reading,
	.resume = resume_reading,
	.watch = watch,
	.is_full = is_full,
	.is_open = is_open,
	.unsent = unsent,
};

static void refuse(struct client *c, struct slice line, bool head, int status, enum reason reason,
	const char *detail)
{
	struct reply reply = {
		.status = status,
		.detail = detail,
		.close = true,
		.head = head,
		.date = date_now(),
	};
	struct record record = {
		.client = client_name(c),
		.line = line,
		.status = status,
		.start_us = c->since_us,
		.reason = reason,
	};

	assert(c->exchange == NULL);
	counters_request(c->downstream->exchange, &record);
	if (write_reply(c, &reply) == -1)
		client_reset(c);
	else
		client_linger(c);
}

void http1_respond_refuse(struct client *c, const struct request *request, int status,
	enum reason reason, const char *detail)
{
	refuse(c, request->line, request->method == METHOD_HEAD, status, reason, detail);
}

void http1_respond_refuse_unread(
	struct client *c, int status, enum reason reason, const char *detail)
{
	refuse(c, slice_of(NULL, 0), false, status, reason, detail);
}
