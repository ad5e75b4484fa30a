/*
 * Deadlines of equal length are a queue: setting one appends it, and the loop looks only at the
 * front. Deadlines are met to within a tick (DEADLINE_TICK_MS).
 */
#ifndef TINYLB_NET_DEADLINE_H
#define TINYLB_NET_DEADLINE_H

#include <stdbool.h>
#include <stdint.h>

#include "net/deadline_queue.h"
#include "net/loop.h"

/* Adds a queue to the loop; durations are milliseconds. */
void deadline_queue_init(struct deadline_queue *queue, struct loop *loop, uint64_t duration_ms,
	void (*expired)(struct deadline *deadline));

/* Takes it out of the loop; no deadline may be waiting in it. */
void deadline_queue_fini(struct deadline_queue *queue);

/* Makes a deadline that is not running. */
void deadline_init(struct deadline *deadline);

/* Starts it, or starts it anew, also from another queue: due one duration from the loop's now. */
void deadline_start(struct deadline *deadline, struct deadline_queue *queue, struct loop *loop);

/*
 * As deadline_start, for a deadline that only deadline_put_off starts, again and again: it runs in
 * this queue or not at all. It is moved seldom. So it is due one duration from now, or later by an
 * eighth of the duration at most, and by half a tick at most.
 */
void deadline_start_late(
	struct deadline *deadline, struct deadline_queue *queue, struct loop *loop);
static inline void deadline_put_off(
	struct deadline *deadline, struct deadline_queue *queue, struct loop *loop)
{
	if (list_is_empty(&deadline->link) || deadline->due_us < loop->now_us + queue->duration_us)
		deadline_start_late(deadline, queue, loop);
}

/* The deadline that is due next, or NULL. */
struct deadline *deadline_first(const struct deadline_queue *queue);

bool deadline_is_running(const struct deadline *deadline);

#endif
