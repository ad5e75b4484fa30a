/*
 * A request's body on its way to the backend: under back-pressure, at no less than the least rate,
 * and held in part as long as it may have to be sent again.
 */
#include "config.h"

#include "exchange.h"

#include "splice.h"

void exchange_drop_held(struct exchange *x)
{
	x->holding = false;
	if (x->held == NULL)
		return;
	loop_uncount(x->proxy->loop, x->held);
	evbuffer_free(x->held);
	x->held = NULL;
}

/* Whether the body sent so far is kept for a repetition. While the connection is being made all of
 * it is (the client is paused before it is much), later only where a repetition would be allowed.
 */
static void limit_held(struct exchange *x)
{
	if (!x->holding || exchange_is_connecting(x))
		return;
	if (x->request.content > EXCHANGE_HELD_MAX || !method_is_idempotent(x->method))
		exchange_drop_held(x);
}

static struct evbuffer *held_of(struct exchange *x)
{
	limit_held(x);
	if (x->holding && x->held == NULL) {
		x->held = evbuffer_new();
		if (x->held != NULL && loop_count(x->proxy->loop, x->held) == -1)
			exchange_drop_held(x);
	}
	return x->holding ? x->held : NULL;
}

/* How often the rate of a body is looked at. */
#define RATE_WINDOW_US UINT64_C(10000000)

void exchange_waited(struct exchange *x)
{
	x->rate_since_us = x->proxy->loop->now_us;
	x->rate_content = x->request.content;
}

/* One that comes byte by byte would hold a connection to a backend for ever. */
static bool is_too_slow(struct exchange *x)
{
	uint64_t rate = x->proxy->settings->limits.body_rate;
	uint64_t elapsed = x->proxy->loop->now_us - x->rate_since_us;
	uint64_t content = x->request.content - x->rate_content;

	if (x->rate_since_us != 0 && elapsed < RATE_WINDOW_US)
		return false;
	if (x->rate_since_us != 0 && !x->request.done && content < rate * (elapsed / 1000000))
		return true;
	exchange_waited(x);
	return false;
}

/* Some of it was written to the backend. False where the exchange has ended over that. */
static bool sent(struct exchange *x)
{
	if (is_too_slow(x)) {
		exchange_answer(
			x, 408, REASON_CLIENT_TIMEOUT, "the request's body came too slowly");
		return false;
	}
	if (!exchange_is_connecting(x))
		exchange_alive(x);
	exchange_throttle(x, &x->client->connection);
	return true;
}

/* That the head is sent again is another matter than that the body is. */
static void add_head(struct exchange *x, struct gather *out)
{
	gather_add(out, x->proxy->head_out, x->head_waits);
	out->uncopied = out->count;
	x->head_waits = 0;
}

static size_t send_body(struct exchange *x, const char *data, size_t len)
{
	struct gather out;
	enum relay_result result;
	size_t used;

	gather_init(&out, &x->upstream->connection);
	add_head(x, &out);
	out.copy = held_of(x);
	if (x->holding && out.copy == NULL)
		exchange_drop_held(x);
	result = relay_feed(&x->request, data, len, &used, &out, &x->proxy->trailers);
	if (result == RELAY_BAD) {
		exchange_answer(x, 400, REASON_BAD_REQUEST, x->request.why);
		return len;
	}
	if (gather_flush(&out) == -1) {
		exchange_answer(x, 503, REASON_NO_MEMORY, NULL);
		return len;
	}
	splice_look(&x->client->connection);
	return sent(x) ? used : len;
}

bool exchange_flow_request(struct exchange *x)
{
	struct connection *from = &x->client->connection;

	if (x->state == ANSWER_TUNNEL)
		return exchange_tunnel_flow(x, from);
	from->low_priority = false;
	if (x->holding) /* it may have to be sent again */
		return false;
	switch (splice_body(&x->request, from, &x->upstream->connection)) {
	case SPLICE_NOT:
		return false;
	case SPLICE_ENDED:
		return true;
	case SPLICE_FAILED:
		exchange_answer(x, 503, REASON_NO_MEMORY, NULL);
		return true;
	case SPLICE_MOVED:
		break;
	}
	(void)sent(x);
	return true;
}

/* A body of which less comes at a time lets others go first. */
#define LOW_PRIORITY_SIZE 1024

size_t exchange_request(struct exchange *x, const char *data, size_t len)
{
	if (x->state == ANSWER_TUNNEL)
		return exchange_tunnel_bytes(x, &x->upstream->connection, data, len);
	x->client->connection.low_priority = len < LOW_PRIORITY_SIZE;
	if (!x->request.done && x->upstream != NULL)
		return send_body(x, data, len);
	/* The next request has to wait. So does what is sent behind a request for a tunnel: what it
	 * is depends on the answer. And so does a body as long as its request is in a queue. */
	if (len >= loop_share(x->proxy->loop, x->request.done ? LOOP_READ_SIZE : EXCHANGE_HELD_MAX))
		connection_pause(&x->client->connection);
	return 0;
}
