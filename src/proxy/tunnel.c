/*
 * After a 101 both connections carry bytes that are none of our business, until both have ended.
 * Only the deadline for a tunnel in which nothing moves remains.
 */
#include "config.h"

#include "exchange.h"
#include "splice.h"

void exchange_open_tunnel(struct exchange *x)
{
	deadline_stop(&x->deadline);
	x->state = ANSWER_TUNNEL;
	exchange_alive(x);
	/* Small messages are what it is for. */
	x->client->connection.low_priority = false;
	/* What the client sent behind its request has waited for this. */
	connection_resume(&x->client->connection);
	if (connection_rest(&x->client->connection) > 0)
		connection_again(&x->client->connection);
}

static bool is_over(const struct exchange *x)
{
	const struct connection *a = &x->client->connection;
	const struct connection *b = &x->upstream->connection;

	return a->ended && b->ended && connection_backlog(a) == 0 && connection_backlog(b) == 0;
}

/* Something was written; `failed`: memory was short for it. */
static void passed_on(struct exchange *x, struct connection *from, bool failed)
{
	if (failed)
		exchange_end(x, REASON_NO_MEMORY, false, AFTERWARDS_RESET);
	else if (exchange_other(x, from)->broken)
		/* It is gone, and while it is paused nobody tells us. */
		exchange_end(x, REASON_UPGRADED, false, AFTERWARDS_RESET);
	else
		exchange_throttle(x, from);
}

size_t exchange_tunnel_bytes(
	struct exchange *x, struct connection *to, const char *data, size_t len)
{
	struct connection *from = exchange_other(x, to);
	struct iovec piece = { .iov_base = (void *)(uintptr_t)data, .iov_len = len };

	exchange_alive(x);
	if (len == 0)
		return 0;
	if (to == &x->client->connection)
		x->response.content += len;
	splice_look(from);
	passed_on(x, from, connection_write(to, &piece, 1) == -1);
	return len;
}

bool exchange_tunnel_flow(struct exchange *x, struct connection *from)
{
	struct connection *to = exchange_other(x, from);
	uint64_t ignored = 0;
	enum splice_result flow = splice_tunnel(
		from, to, to == &x->client->connection ? &x->response.content : &ignored);

	if (flow == SPLICE_MOVED || flow == SPLICE_FAILED) {
		exchange_alive(x);
		passed_on(x, from, flow == SPLICE_FAILED);
	}
	return flow != SPLICE_NOT;
}

void exchange_tunnel_drained(struct exchange *x, struct connection *from)
{
	exchange_alive(x);
	if (x->client->connection.broken || x->upstream->connection.broken)
		exchange_end(x, REASON_UPGRADED, false, AFTERWARDS_RESET);
	else if (is_over(x))
		exchange_end(x, REASON_UPGRADED, false, AFTERWARDS_CLOSE);
	else if (!connection_is_full(exchange_other(x, from)))
		connection_resume(from);
}

void exchange_tunnel_ended(struct exchange *x, struct connection *other, int error)
{
	if (error != 0) {
		/* A reset goes on as one. */
		connection_reset(other);
		exchange_end(x, REASON_UPGRADED, false, AFTERWARDS_RESET);
	} else if (is_over(x)) {
		exchange_end(x, REASON_UPGRADED, false, AFTERWARDS_CLOSE);
	} else {
		connection_finish(other);
	}
}

void exchange_tunnel_expired(struct deadline *deadline)
{
	struct exchange *x = LIST_ITEM(deadline, struct exchange, deadline);

	exchange_end(x, REASON_TUNNEL_TIMEOUT, false, AFTERWARDS_RESET);
}
