/*
 * Requests that wait because every backend of their pool has as much as it may have (capacity.h).
 * Each worker has a queue of its own, and publishes on the board since when the first request in it
 * waits. When there is room, the worker goes on whose first request has waited longest of all.
 *
 * No worker wakes another: a worker looks at its own queue whenever one of its requests ends, and
 * every QUEUE_TICK_MS while a request waits. Yielding to another worker costs about a tick in which
 * the room is unused, so a worker yields only to a request that is QUEUE_EVEN_US older. It does not
 * yield to a worker that left room unused for QUEUE_PATIENCE ticks: that one may hang.
 *
 * Requests that are bound to the backend of their session wait in a list of their own. They hold up
 * only each other, and what their backend has room for is theirs first.
 */
#ifndef TINYLB_UPSTREAM_QUEUE_H
#define TINYLB_UPSTREAM_QUEUE_H

#include <stdbool.h>
#include <stdint.h>

#include "upstream/pool.h"

#define QUEUE_TICK_MS  2
#define QUEUE_EVEN_US  UINT64_C(5000)
#define QUEUE_PATIENCE 10

struct selection;

static inline bool queue_is_empty(const struct queue *queue)
{
	return list_is_empty(&queue->waiting) && list_is_empty(&queue->bound);
}

void queue_init(struct queue *queue);

/* The tick of all queues of a worker: 0, or -1. Before queue_stop_ticks the queues must be empty.
 */
int queue_make_tick(struct upstream_context *upstream) __attribute__((warn_unused_result));
void queue_stop_ticks(struct upstream_context *upstream);

/* Whether a request that waits, here or in another worker, goes before this one. Only for pools
 * with limits. */
bool queue_must_yield(const struct selection *selection);

/* Whether it is of use to wait: some backend may be picked that is full, or was when it was asked.
 * No request waits for the retry budget: it would block the head of the queue. */
bool queue_is_of_use(const struct selection *selection);

/* The selection waits from now on, behind all that have waited longer; queue_leave follows. False:
 * `queue` of the settings allows no more to wait. */
bool queue_enter(struct selection *selection) __attribute__((warn_unused_result));
/* Harmless if it does not wait. */
void queue_leave(struct selection *selection);

/* Looks for room in this turn of the loop. */
void queue_look_soon(const struct pool *pool);

#endif
