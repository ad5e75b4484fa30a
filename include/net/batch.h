/*
 * How many sockets the kernel tells of in one turn of the loop. That is limited by the places of
 * libevent's array (32 at first, doubled after each turn in which it was full); the other sockets
 * wait for the next turn. So only a batch that did not fill the array is known to be whole.
 */
#ifndef TINYLB_NET_BATCH_H
#define TINYLB_NET_BATCH_H

#include <stdbool.h>

struct event_base;

struct batch {
	unsigned told; /* sockets of which the kernel told in this turn, at least */
	unsigned room; /* places of the array, at least */
	bool was_full; /* a batch may have filled it since libevent's count began */
};

void batch_init(struct batch *batch);

/* To be called before each turn: `told` counts from zero. */
void batch_learn(struct batch *batch, struct event_base *base);
static inline void batch_begin(struct batch *batch, struct event_base *base)
{
	if (batch->told >= batch->room || batch->was_full)
		batch_learn(batch, base);
	batch->told = 0;
}

/* Whether the kernel has told, in this turn, of all sockets on which anything had happened when the
 * turn began. False also where that is not known. */
bool batch_is_whole(struct batch *batch, struct event_base *base);

#endif
