/*
 * Reads request heads from a connection and starts an exchange for each; answers what is malformed;
 * ends connections so that the last answer arrives.
 */
#include "config.h"

#include "client.h"

#include <errno.h>

#include "base/clock.h"
#include "counters.h"
#include "exchange.h"
#include "http/reply.h"
#include "overload.h"

static struct client *client_of(struct connection *connection)
{
	return LIST_ITEM(connection, struct client, connection);
}

struct slice client_ip(const struct client *c)
{
	return slice_of(c->name + (c->name[0] == '['), c->ip_len);
}

struct slice client_name(const struct client *c)
{
	return slice_of(c->name, c->name_len);
}

int client_reply(struct client *c, const struct reply *reply)
{
	char room[REPLY_MAX];
	struct text out = text_over(room, sizeof room);
	struct iovec piece = { .iov_base = room };

	reply_write(&out, reply);
	piece.iov_len = out.len;
	return connection_write(&c->connection, &piece, 1);
}

/* Answers a request that never became an exchange, writes its record and ends the connection. */
static void refuse(struct client *c, int status, enum reason reason, const char *detail)
{
	struct proxy *proxy = c->proxy;
	struct reply reply = {
		.status = status,
		.detail = detail,
		.close = true,
		.head = proxy->request.method == METHOD_HEAD,
		.date = slice_of(clock_http_date(), CLOCK_HTTP_DATE_LEN),
	};
	struct record record = {
		.client = client_name(c),
		.line = proxy->request.line,
		.status = status,
		.start_us = c->since_us,
		.reason = reason,
	};

	counters_request(proxy, &record);
	if (client_reply(c, &reply) == -1)
		client_reset(c);
	else
		client_linger(c);
}

static size_t begin_exchange(struct client *c, const char *data, size_t len)
{
	const struct request *request = &c->proxy->request;
	size_t used = request->head_len;

	/* There is more to come of this one. */
	if (request->body.kind != BODY_NONE || !slice_is_empty(request->upgrade))
		connection_watch(&c->connection);
	client_set_state(c, CLIENT_BUSY);
	if (exchange_begin(c, data, c->since_us, used < len) == -1) {
		refuse(c, 503, REASON_NO_MEMORY, NULL);
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
	if (c->connection.ended) { /* and this is no whole request any more */
		client_close(c);
		return len;
	}
	/* The deadline runs from the first byte and is not put off by more of them. */
	if (c->state == CLIENT_IDLE)
		client_set_state(c, CLIENT_HEAD);
	c->seen = (uint32_t)len;
	overload_look(proxy);
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
	return exchange_request(c->exchange, data, len);
}

static bool splice(struct connection *connection)
{
	struct client *c = client_of(connection);

	return c->exchange != NULL && exchange_flow_request(c->exchange);
}

static void drained(struct connection *connection)
{
	struct client *c = client_of(connection);

	if (c->exchange != NULL)
		exchange_client_drained(c->exchange);
	else if (c->state == CLIENT_FLUSH)
		client_flushed(c);
}

static void ended(struct connection *connection, int error)
{
	struct client *c = client_of(connection);

	if (c->exchange != NULL)
		exchange_client_ended(c->exchange, error);
	else if (error != 0 || c->state != CLIENT_FLUSH)
		client_close(c);
	else if (c->last || connection_rest(connection) == 0)
		client_linger(c); /* it ended its sending side, and the answer is not out yet */
}

static const struct connection_events events = {
	.reading = PULSE_REQUEST,
	.received = received,
	.splice = splice,
	.drained = drained,
	.ended = ended,
};

static void set_name(struct client *c, const struct address *peer)
{
	char text[ADDRESS_TEXT_SIZE];

	if (!address_is_unix(peer))
		c->ip_len = (uint8_t)strlen(address_format_host(peer, text));
	address_format(peer, text);
	c->name_len = (uint8_t)strnlen(text, CLIENT_NAME_SIZE);
	memcpy(c->name, text, c->name_len);
}

/* What was parsed last may be another client's: of this one too little is known for a line. */
static void refuse_unread(struct client *c, int status, enum reason reason, const char *detail)
{
	c->proxy->request.line = slice_of(NULL, 0);
	c->proxy->request.method = METHOD_OTHER;
	refuse(c, status, reason, detail);
}

/* Those who speak for many are not counted. */
static bool is_counted(const struct client *c, const struct address *peer)
{
	return c->proxy->settings->limits.connections_per_client > 0 && !c->trusted &&
	       !address_is_unix(peer);
}

/* Returns false where its address has too many already. One that there is no memory to count may
 * stay.
 */
static bool count_in(struct client *c, const struct address *peer)
{
	struct proxy *proxy = c->proxy;
	unsigned most = (unsigned)proxy->settings->limits.connections_per_client;

	if (!is_counted(c, peer))
		return true;
	c->source = connections_per_client_enter(&proxy->sources, peer);
	if (c->source == NULL || c->source->connections <= most)
		return true;
	connections_per_client_leave(&proxy->sources, c->source);
	c->source = NULL;
	return false;
}

int client_open(struct proxy *proxy, int fd, const struct address *peer, uint32_t listener)
{
	struct client *c = cells_take(&proxy->client_cells);

	if (c == NULL)
		return -1;
	c->proxy = proxy;
	c->listener = listener;
	c->trusted = network_set_has(&proxy->settings->trusted, peer);
	set_name(c, peer);
	deadline_init(&c->deadline);
	connection_open(&c->connection, proxy->loop, &events, fd);
	proxy->client_count++;
	counters_accept(proxy);
	client_set_state(c, CLIENT_IDLE);
	if (count_in(c, peer))
		connection_look(&c->connection);
	else
		refuse_unread(c, 429, REASON_CLIENT_LIMIT,
			"your address has too many connections; close some");
	/* Of one whose request came along nothing more is expected for now. */
	if (connection_is_open(&c->connection) && c->state != CLIENT_BUSY)
		connection_watch(&c->connection);
	return 0;
}

void client_head_expired(struct deadline *deadline)
{
	refuse_unread(LIST_ITEM(deadline, struct client, deadline), 408, REASON_HEAD_TIMEOUT,
		"the request did not arrive in time");
}

void client_give_way(struct client *c)
{
	refuse_unread(c, 503, REASON_NO_ROOM, "there is no room for a request that comes slowly");
	if (connection_is_open(&c->connection))
		client_close(c);
}
