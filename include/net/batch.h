/*
 * What the kernel tells in one turn of the loop. It tells of so many sockets at a time as
 * libevent's array has places: 32 at first, and twice as many after each time that it was full.
 * What does not fit comes in the next turn.
 */
#ifndef TINYLB_NET_BATCH_H
#define TINYLB_NET_BATCH_H

#include <stdbool.h>

struct event_base;

struct batch {
	unsigned told; /* sockets of which the kernel told in this turn, or fewer */
	unsigned room; /* places of the array, or fewer */
	bool was_full; /* a batch may have been full since the count of libevent began */
};

void batch_init(struct batch *batch);

/* A turn begins: `told` is counted from now on. */
void batch_learn(struct batch *batch, struct event_base *base);
static inline void batch_begin(struct batch *batch, struct event_base *base)
{
	if (batch->told >= batch->room || batch->was_full)
		batch_learn(batch, base);
	batch->told = 0;
}

/* Whether the kernel has told in this turn of all sockets in which something had happened before.
 * False also if that cannot be known. */
bool batch_is_whole(struct batch *batch, struct event_base *base);

#endif
