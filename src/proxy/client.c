/*
 * Reads request heads from a connection and starts an exchange for each; answers what is malformed;
 * ends connections so that the last answer arrives.
 */
#include "config.h"

#include "client.h"

#include <errno.h>

#include "base/clock.h"
#include "base/memory.h"
#include "exchange.h"
#include "http/reply.h"

/* So many may linger at a time: waiting for others to close must not be what fills a worker. */
#define LINGER_COUNT_MAX 1024

/* A lingering client may send this much more before it is cut off. */
#define LINGER_MAX ((size_t)16 * 1024 * 1024)

static struct client *client_of(struct stream *stream)
{
	return LIST_ITEM(stream, struct client, stream);
}

static void bury(struct grave *grave)
{
	mem_free(LIST_ITEM(grave, struct client, grave));
}

struct slice client_ip(const struct client *c)
{
	return slice_of(c->name + (c->name[0] == '['), c->ip_len);
}

struct slice client_name(const struct client *c)
{
	return slice_of(c->name, c->name_len);
}

static void set_state(struct client *c, enum client_state state)
{
	struct proxy *proxy = c->proxy;

	list_remove(&c->idle);
	deadline_stop(&c->deadline);
	proxy->linger_count -= c->state == CLIENT_LINGER;
	proxy->linger_count += state == CLIENT_LINGER;
	c->state = state;
	switch (state) {
	case CLIENT_IDLE:
		c->seen = 0;
		c->since_us = proxy->loop->now_us;
		list_append(&proxy->idle, &c->idle);
		deadline_start(&c->deadline, &proxy->wait_request, proxy->loop);
		break;
	case CLIENT_HEAD:
		deadline_start(&c->deadline, &proxy->wait_head, proxy->loop);
		break;
	case CLIENT_LINGER:
		c->seen = 0;
		list_append(&proxy->lingering, &c->idle);
		deadline_start(&c->deadline, &proxy->wait_close, proxy->loop);
		break;
	case CLIENT_BUSY:
		break;
	}
}

static void leave(struct client *c)
{
	struct proxy *proxy = c->proxy;

	list_remove(&c->idle);
	list_remove(&c->link);
	deadline_stop(&c->deadline);
	proxy->linger_count -= c->state == CLIENT_LINGER;
	proxy->client_count--;
	loop_mourn(proxy->loop, &c->grave, bury);
	proxy->left(proxy->context);
}

void client_close(struct client *c)
{
	stream_close(&c->stream);
	leave(c);
}

void client_reset(struct client *c)
{
	stream_reset(&c->stream);
	leave(c);
}

void client_linger(struct client *c)
{
	if (c->stream.ended && stream_backlog(&c->stream) == 0) {
		client_close(c);
		return;
	}
	set_state(c, CLIENT_LINGER);
	stream_finish(&c->stream);
	stream_resume(&c->stream);
	if (c->proxy->linger_count > LINGER_COUNT_MAX)
		client_close(LIST_ITEM(c->proxy->lingering.next, struct client, idle));
}

void client_next(struct client *c)
{
	struct stream *s = &c->stream;

	set_state(c, CLIENT_IDLE);
	if (stream_backlog(s) > STREAM_BACKLOG_HIGH)
		stream_pause(s); /* until it has taken most of the answers it got */
	else if (s->paused)
		stream_resume(s);
	else if (s->delivering || stream_rest(s) > 0)
		stream_again(s);
	else if (s->ended)
		client_linger(c);
}

int client_reply(struct client *c, const struct reply *reply)
{
	char room[REPLY_MAX];
	struct text out = text_over(room, sizeof room);
	struct iovec piece = { .iov_base = room };

	reply_write(&out, reply);
	piece.iov_len = out.len;
	return stream_write(&c->stream, &piece, 1);
}

/* Answers a request that never became an exchange, writes its record and ends the connection. */
static void refuse(struct client *c, int status, enum reason reason, const char *detail)
{
	struct proxy *proxy = c->proxy;
	struct reply reply = {
		.status = status,
		.detail = detail,
		.close = true,
		.date = slice_of(clock_http_date(), CLOCK_HTTP_DATE_LEN),
	};
	struct record record = {
		.client = client_name(c),
		.line = proxy->request.line,
		.status = status,
		.start_us = c->since_us,
		.reason = reason,
	};

	record_log_write(&proxy->log, &record, proxy->loop->now_us);
	if (client_reply(c, &reply) == -1)
		client_reset(c);
	else
		client_linger(c);
}

static size_t begin_exchange(struct client *c, const char *data, size_t len)
{
	size_t used = c->proxy->request.head_len;

	set_state(c, CLIENT_BUSY);
	if (exchange_begin(c, data, c->since_us) == -1) {
		client_reset(c);
		return len;
	}
	/* What follows is body, or the next request. */
	if (c->exchange != NULL && used < len)
		used += exchange_request(c->exchange, data + used, len - used);
	return used;
}

static size_t read_head(struct client *c, const char *data, size_t len)
{
	struct proxy *proxy = c->proxy;

	if (c->state == CLIENT_IDLE)
		c->since_us = proxy->loop->now_us;
	switch (request_parse(&proxy->request, data, len, c->seen, &proxy->limits)) {
	case PARSE_DONE:
		return begin_exchange(c, data, len);
	case PARSE_BAD:
		refuse(c, proxy->request.status, REASON_BAD_REQUEST, proxy->request.why);
		return len;
	case PARSE_PARTIAL:
		break;
	}
	if (c->stream.ended) { /* and this is no whole request any more */
		client_close(c);
		return len;
	}
	/* The deadline runs from the first byte and is not put off by more of them. */
	if (c->state == CLIENT_IDLE)
		set_state(c, CLIENT_HEAD);
	c->seen = len;
	return 0;
}

static size_t throw_away(struct client *c, size_t len)
{
	c->seen += len;
	if (c->seen > LINGER_MAX)
		client_close(c);
	return len;
}

static size_t received(struct stream *stream, const char *data, size_t len)
{
	struct client *c = client_of(stream);

	switch (c->state) {
	case CLIENT_IDLE:
	case CLIENT_HEAD:
		return read_head(c, data, len);
	case CLIENT_LINGER:
		return throw_away(c, len);
	case CLIENT_BUSY:
		break;
	}
	return exchange_request(c->exchange, data, len);
}

static void drained(struct stream *stream)
{
	struct client *c = client_of(stream);

	if (c->exchange != NULL)
		exchange_client_drained(c->exchange);
	else if (c->state == CLIENT_IDLE)
		stream_resume(stream);
	else if (c->state == CLIENT_LINGER && stream->ended && stream_backlog(stream) == 0)
		client_close(c);
}

static void ended(struct stream *stream, int error)
{
	struct client *c = client_of(stream);

	if (c->exchange != NULL)
		exchange_client_ended(c->exchange, error);
	else if (error != 0 || stream_backlog(stream) == 0)
		client_close(c);
	else
		client_linger(c);
}

static const struct stream_events events = {
	.received = received,
	.drained = drained,
	.ended = ended,
};

static void set_name(struct client *c, const struct address *peer)
{
	char text[ADDRESS_TEXT_SIZE];

	if (peer->u.sa.sa_family != AF_UNIX)
		c->ip_len = (uint8_t)strlen(address_format_host(peer, text));
	address_format(peer, text);
	c->name_len = (uint8_t)strnlen(text, CLIENT_NAME_SIZE);
	memcpy(c->name, text, c->name_len);
}

int client_open(struct proxy *proxy, int fd, const struct address *peer, uint32_t listener)
{
	struct client *c = mem_zalloc(1, sizeof *c);

	if (c == NULL)
		return -1;
	c->proxy = proxy;
	c->listener = listener;
	set_name(c, peer);
	list_init(&c->link);
	list_init(&c->idle);
	deadline_init(&c->deadline);
	if (stream_open(&c->stream, proxy->loop, &events, fd) == -1) {
		mem_free(c);
		return -1;
	}
	list_append(&proxy->clients, &c->link);
	proxy->client_count++;
	set_state(c, CLIENT_IDLE);
	return 0;
}

/* What was parsed last may be another client's: of this head, too little is known for a line. */
void client_head_expired(struct deadline *deadline)
{
	struct client *c = LIST_ITEM(deadline, struct client, deadline);

	c->proxy->request.line = slice_of(NULL, 0);
	refuse(c, 408, REASON_HEAD_TIMEOUT, "the request did not arrive in time");
}

void client_idle_expired(struct deadline *deadline)
{
	client_close(LIST_ITEM(deadline, struct client, deadline));
}

void client_linger_expired(struct deadline *deadline)
{
	client_close(LIST_ITEM(deadline, struct client, deadline));
}
