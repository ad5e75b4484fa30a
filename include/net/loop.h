/*
 * The event loop of one process, and what everything on it shares: the time, the buffer that reads
 * go through, the deadlines, and the objects that wait to be freed.
 */
#ifndef TINYLB_NET_LOOP_H
#define TINYLB_NET_LOOP_H

#include <event2/event.h>
#include <event2/event_struct.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/list.h"
#include "base/pulse.h"
#include "net/batch.h"
#include "net/pipe.h"

/* How much one read takes from a socket at the most. What a callback leaves of it is kept, so that
 * the next read starts behind the rest: hence the double size of the buffer. */
#define LOOP_READ_SIZE    ((size_t)64 * 1024)
#define LOOP_SCRATCH_SIZE (2 * LOOP_READ_SIZE)

struct evbuffer;

struct loop {
	struct event_base *base;
	uint64_t now_us;     /* monotonic; that of the first callback of a turn: loop_begin */
	struct pulse *pulse; /* borrowed; its own, unless it is set to one that others see */
	struct pulse own_pulse;
	struct pipe pipe; /* empty, or none; belongs to the callback that is running */
	char *scratch;    /* LOOP_SCRATCH_SIZE bytes; belongs to the callback that is running */
	/* Bytes that wait in memory: left by owners, not yet taken by peers, or counted by
	 * loop_count. Connections read less as it grows, so that it stays below
	 * `buffered_most`. */
	size_t buffered;
	size_t buffered_most;
	/* Called at the end of a turn in which more is buffered than buffered_most, when no
	 * callback is running; NULL: nothing is. */
	void (*overloaded)(void *context);
	void *overloaded_context; /* borrowed */
	struct list deferred;     /* of struct deferred_free */
	struct list queues;       /* of struct deadline_queue */
	struct event tick;        /* runs while any deadline does: a loop without work sleeps */
	bool ticking;
	bool hurried; /* the next tick comes at once */
	bool stopped;
	bool awake;               /* the clock was read in this turn */
	struct batch batch;       /* what the kernel told in this turn */
	unsigned low_priority;    /* how many of low priority were read in this turn */
	uint64_t low_priority_us; /* when the last of them was read without a look at the clock */
};

/* Inside an object that callers further up the stack may still use when it ends. */
struct deferred_free {
	struct list link;
	void (*free)(struct deferred_free *deferred);
};

/* Sets the loop up; to be called after the fork that makes its process. 0, or -1 when memory or
 * descriptors are short. */
int loop_init(struct loop *loop) __attribute__((warn_unused_result));

/* Frees what was deferred, and the loop. */
void loop_fini(struct loop *loop);

/* Turns the loop until loop_stop, or until no event is left. */
void loop_run(struct loop *loop);
void loop_stop(struct loop *loop);

/* Turns it once: calls back for whatever has happened, having waited for that where `wait` says so,
 * and frees what was deferred. Returns false where nothing can happen any more. */
bool loop_turn(struct loop *loop, bool wait);

/* Shows the pulse of the loop at `pulse`, where other processes see it. To be called before the
 * loop turns for the first time. */
void loop_show(struct loop *loop, struct pulse *pulse);

/* Reads the clock again within a turn: for work that may take only a share of the turn. */
void loop_look_up(struct loop *loop);

/* Each callback from the kernel begins with this. The first one of a turn reads the clock. Each
 * shows in the pulse what the process does now, and on which descriptor (or -1). */
static inline void loop_begin(struct loop *loop, enum pulse_activity activity, int fd)
{
	pulse_do(loop->pulse, activity, fd);
	if (!loop->awake)
		loop_look_up(loop);
}

/*
 * Counts what is in `buffer` from now on among what is buffered. 0, or -1 when memory is short.
 * loop_uncount comes before it is freed, with what is still in it; it is harmless on a buffer that
 * is empty.
 */
int loop_count(struct loop *loop, struct evbuffer *buffer) __attribute__((warn_unused_result));
void loop_uncount(struct loop *loop, const struct evbuffer *buffer);

/*
 * How much of `usual` bytes one connection may buffer: that, or an eighth of what is free where
 * that is less. Many slow peers get little each, and one that is alone is not held back (dynamic
 * queue thresholds: Choudhury and Hahne, 1998). A quarter of `buffered_most` is not shared like
 * this: it is kept for connections that have buffered nothing yet.
 */
size_t loop_share(const struct loop *loop, size_t usual);

/* Whether one more connection of low priority may be read in this turn of the loop. After some of
 * them new clients come first. */
bool loop_grants_low_priority(struct loop *loop);

/* Calls free(deferred) when the stack has unwound to the loop: callbacks that still hold the object
 * can read it until then. Its events must have been deleted. */
void loop_defer_free(struct loop *loop, struct deferred_free *deferred,
	void (*free)(struct deferred_free *deferred));

/* Frees all of them now. No callback may be running. */
void loop_free_deferred(struct loop *loop);

#endif
