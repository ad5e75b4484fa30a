/*
 * What a worker buffers stays within limits.buffers: as it fills up, every connection gets a
 * smaller share (loop_share). Where that is not enough, those go who have taken nothing for the
 * longest: they hold what others need. So do heads that do not arrive.
 */
#include "config.h"

#include "overload.h"

#include "base/log.h"
#include "client.h"
#include "context.h"
#include "exchange.h"

/* Who took something in this time is not cut. */
#define STALLED_US UINT64_C(1000000)

/* After a look at everybody, and between two messages. */
#define LOOK_EVERY_US UINT64_C(100000)
#define SAY_EVERY_US  UINT64_C(10000000)

static bool is_too_much(const struct proxy *p)
{
	return p->loop->buffered > p->loop->buffered_most;
}

/* Once it is too much, so much is freed that others can go on for a while. */
static bool is_enough(const struct proxy *p)
{
	return p->loop->buffered <= p->loop->buffered_most / 8 * 7;
}

static bool is_stalled(
	const struct deadline_queue *queue, const struct deadline *d, uint64_t now_us)
{
	return now_us + queue->duration_us >= d->due_us + STALLED_US;
}

static bool cut_head(struct deadline *d)
{
	client_give_way(LIST_ITEM(d, struct client, deadline));
	return true;
}

static bool cut_exchange(struct deadline *d)
{
	struct exchange *x = LIST_ITEM(d, struct exchange, deadline);

	if (connection_backlog(&x->client->connection) +
			connection_backlog(&x->upstream->connection) ==
		0)
		return false;
	/* The deadline does not see who takes little at a time. */
	if (exchange_is_taken(x)) {
		exchange_alive(x);
		return false;
	}
	if (x->state == ANSWER_HEAD)
		exchange_answer(
			x, 503, REASON_BUFFERS_FULL, "the backend takes the request too slowly");
	else
		exchange_end(x, REASON_BUFFERS_FULL, false, AFTERWARDS_RESET);
	return true;
}

static bool cut_client(struct deadline *d)
{
	struct client *c = LIST_ITEM(d, struct client, deadline);

	client_flush_expired(d);
	return !connection_is_open(&c->connection);
}

/* Cuts those of a queue that stalled, longest first, as long as there is too much. Returns how
 * many.
 */
static unsigned cut_stalled(
	struct proxy *p, struct deadline_queue *queue, bool (*cut)(struct deadline *d))
{
	struct list *next;
	unsigned count = 0;

	for (struct list *l = queue->waiting.next; l != &queue->waiting && !is_enough(p);
		l = next) {
		struct deadline *d = LIST_ITEM(l, struct deadline, link);

		next = l->next;
		if (!is_stalled(queue, d, p->loop->now_us))
			break;
		count += cut(d);
	}
	return count;
}

void overload_look(struct proxy *p)
{
	uint64_t now_us = p->loop->now_us;
	unsigned count;

	if (!is_too_much(p) || now_us < p->overload_us)
		return;
	p->overload_us = now_us + LOOK_EVERY_US;
	/* A head can be sent again; what is cut in the middle may not be. */
	count = cut_stalled(p, &p->wait_head, cut_head) +
		cut_stalled(p, &p->wait_flush, cut_client) +
		cut_stalled(p, &p->wait_bytes, cut_exchange) +
		cut_stalled(p, &p->wait_tunnel, cut_exchange);
	if (count == 0 || now_us < p->overload_said_us)
		return;
	p->overload_said_us = now_us + SAY_EVERY_US;
	log_warnx("limits.buffers is reached: %u clients or backends that stalled were cut off",
		count);
}
