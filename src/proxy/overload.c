/*
 * What a worker buffers stays within limits.buffers: as it fills up, every connection gets a
 * smaller share (loop_share). If that is not enough, those go that have taken nothing for the
 * longest: they hold what others need. So do heads that do not arrive. It happens at the end of a
 * turn of the loop, when no callback is running that could still use what ends.
 */
#include "config.h"

#include "overload.h"

#include "base/log.h"
#include "downstream/clients.h"
#include "downstream/http1_downstream.h"
#include "exchange/exchange.h"

/* A peer that took something in this time is not cut. */
#define STALLED_US UINT64_C(1000000)

/* Between two looks, and between two messages. */
#define LOOK_EVERY_US UINT64_C(100000)
#define SAY_EVERY_US  UINT64_C(10000000)

/* Once it is too much, so much is freed that others can go on for a while. */
static bool is_enough(const struct loop *loop)
{
	return loop->buffered <= loop->buffered_most / 8 * 7;
}

static bool is_stalled(
	const struct deadline_queue *queue, const struct deadline *d, uint64_t now_us)
{
	return now_us + queue->duration_us >= d->due_us + STALLED_US;
}

static bool cut_head(struct deadline *d)
{
	http1_downstream_give_way(d);
	return true;
}

/* Cuts those of a queue that stalled, longest first, as long as there is too much. Returns how
 * many. */
static unsigned cut_stalled(
	const struct loop *loop, struct deadline_queue *queue, bool (*cut)(struct deadline *d))
{
	struct list *next;
	unsigned count = 0;

	for (struct list *l = queue->waiting.next; l != &queue->waiting && !is_enough(loop);
		l = next) {
		struct deadline *d = LIST_ITEM(l, struct deadline, link);

		next = l->next;
		if (!is_stalled(queue, d, loop->now_us))
			break;
		if (!cut(d))
			continue;
		count++;
		/* Others may have ended with it: the next one, too. */
		next = queue->waiting.next;
	}
	return count;
}

/* A head can be sent again, so heads go first. What is cut in the middle may not be. */
static void look(void *context)
{
	struct overload *o = context;
	struct downstream_context *d = o->downstream;
	struct exchange_context *x = d->exchange;
	uint64_t now_us = d->loop->now_us;
	unsigned count;

	if (now_us < o->look_us)
		return;
	o->look_us = now_us + LOOK_EVERY_US;
	count = cut_stalled(d->loop, &d->wait_head, cut_head) +
		cut_stalled(d->loop, &d->wait_flush, clients_cut_flushing) +
		cut_stalled(d->loop, &x->wait_bytes, exchange_cut_stalled) +
		cut_stalled(d->loop, &x->wait_tunnel, exchange_cut_stalled);
	if (count == 0 || now_us < o->say_us)
		return;
	o->say_us = now_us + SAY_EVERY_US;
	log_warnx("limits.buffers is reached: %u clients or backends that stalled were cut off",
		count);
}

void overload_init(struct overload *o, struct downstream_context *downstream)
{
	struct loop *loop = downstream->loop;

	*o = (struct overload){ .downstream = downstream };
	loop->buffered_most = downstream->settings->limits.buffers;
	loop->overloaded = look;
	loop->overloaded_context = o;
}

void overload_fini(const struct overload *o)
{
	o->downstream->loop->overloaded = NULL;
}
