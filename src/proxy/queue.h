/*
 * Requests that wait because every backend of their pool has as much as it may have (capacity.h).
 * Each worker has a list of its own, and tells on the board since when the first in it waits; when
 * there is room, that of the worker goes on whose first has waited longest of all.
 *
 * Nobody is woken by another worker: whoever ends a request looks at its own list at once, and as
 * long as something is in it, every QUEUE_TICK_MS. Who leaves room to another one leaves it unused
 * for about a tick, so to have waited longer counts only when it is by QUEUE_EVEN_US. A worker that
 * was seen not to take what it could have in QUEUE_PATIENCE ticks is not waited for: it may hang.
 *
 * Requests with a session wait for their own backend, in a list beside: nobody goes behind them, in
 * this worker or another one, but those of the same list. What that one has room for is theirs
 * first.
 */
#ifndef TINYLB_PROXY_QUEUE_H
#define TINYLB_PROXY_QUEUE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/list.h"

#define QUEUE_TICK_MS  2
#define QUEUE_EVEN_US  UINT64_C(5000)
#define QUEUE_PATIENCE 10

struct exchange;
struct pool;
struct proxy;

/* Of a pool. */
struct queue {
	struct list waiting; /* of struct exchange, the one that waits longest in front */
	struct list bound;   /* likewise, for the backend of their session: in nobody's way */
	/* the one in another worker that could go on and has not yet, by the time since when it
	 * waits; how often that was seen, and when at last */
	uint64_t slow_us;
	uint64_t slow_seen_us;
	unsigned slow;
	uint64_t ignored_us; /* who has waited there since then or longer is not waited for */
};

static inline bool queue_is_empty(const struct queue *queue)
{
	return list_is_empty(&queue->waiting) && list_is_empty(&queue->bound);
}

/* 0, or -1. What is in the queues is for others to end before the end. */
int queue_init(struct proxy *proxy) __attribute__((warn_unused_result));
void queue_fini(struct proxy *proxy);

/* Whether somebody else goes first, here or in another worker. Only for pools with limits. */
bool queue_goes_first(const struct exchange *x);

/* The exchange waits from now on: queue_leave follows. False: no more may wait.
 * It is behind those that wait longer, also where it has waited before. */
bool queue_enter(struct exchange *x) __attribute__((warn_unused_result));
/* Harmless where it does not wait. */
void queue_leave(struct exchange *x);

/* Looks whether there is room, in this turn of the loop. */
void queue_look_soon(struct pool *pool);

#endif
