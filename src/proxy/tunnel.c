/*
 * After a 101 both connections carry bytes that are none of our business, until both have ended.
 * Only the deadline for a tunnel in which nothing moves remains.
 */
#include "config.h"

#include "exchange.h"
#include "flow.h"

void exchange_open_tunnel(struct exchange *x)
{
	deadline_stop(&x->deadline);
	x->state = ANSWER_TUNNEL;
	exchange_alive(x);
	/* Small messages are what it is for. */
	x->client->stream.trickles = false;
	/* What the client sent behind its request has waited for this. */
	stream_resume(&x->client->stream);
	if (stream_rest(&x->client->stream) > 0)
		stream_again(&x->client->stream);
}

static bool is_over(const struct exchange *x)
{
	const struct stream *a = &x->client->stream;
	const struct stream *b = &x->upstream->stream;

	return a->ended && b->ended && stream_backlog(a) == 0 && stream_backlog(b) == 0;
}

/* Something was written; `failed`: memory was short for it. */
static void passed_on(struct exchange *x, struct stream *from, bool failed)
{
	if (failed)
		exchange_end(x, REASON_NO_MEMORY, false, AFTERWARDS_RESET);
	else if (exchange_other(x, from)->broken)
		/* It is gone, and while it is paused nobody tells us. */
		exchange_end(x, REASON_UPGRADED, false, AFTERWARDS_RESET);
	else
		exchange_throttle(x, from);
}

size_t exchange_tunnel_bytes(struct exchange *x, struct stream *to, const char *data, size_t len)
{
	struct stream *from = exchange_other(x, to);
	struct iovec piece = { .iov_base = (void *)(uintptr_t)data, .iov_len = len };

	exchange_alive(x);
	if (len == 0)
		return 0;
	if (to == &x->client->stream)
		x->response.content += len;
	flow_look(from);
	passed_on(x, from, stream_write(to, &piece, 1) == -1);
	return len;
}

bool exchange_tunnel_flow(struct exchange *x, struct stream *from)
{
	struct stream *to = exchange_other(x, from);
	uint64_t ignored = 0;
	enum flow flow =
		flow_tunnel(from, to, to == &x->client->stream ? &x->response.content : &ignored);

	if (flow == FLOW_MOVED || flow == FLOW_FAILED) {
		exchange_alive(x);
		passed_on(x, from, flow == FLOW_FAILED);
	}
	return flow != FLOW_NOT;
}

void exchange_tunnel_drained(struct exchange *x, struct stream *from)
{
	exchange_alive(x);
	if (x->client->stream.broken || x->upstream->stream.broken)
		exchange_end(x, REASON_UPGRADED, false, AFTERWARDS_RESET);
	else if (is_over(x))
		exchange_end(x, REASON_UPGRADED, false, AFTERWARDS_CLOSE);
	else if (!stream_is_full(exchange_other(x, from)))
		stream_resume(from);
}

void exchange_tunnel_ended(struct exchange *x, struct stream *other, int error)
{
	if (error != 0) {
		/* A reset goes on as one. */
		stream_reset(other);
		exchange_end(x, REASON_UPGRADED, false, AFTERWARDS_RESET);
	} else if (is_over(x)) {
		exchange_end(x, REASON_UPGRADED, false, AFTERWARDS_CLOSE);
	} else {
		stream_finish(other);
	}
}

void exchange_tunnel_expired(struct deadline *deadline)
{
	struct exchange *x = LIST_ITEM(deadline, struct exchange, deadline);

	exchange_end(x, REASON_TUNNEL_TIMEOUT, false, AFTERWARDS_RESET);
}
