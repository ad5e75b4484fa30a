/*
 * libevent does not show its array. Instead the number of events that were active at a time is
 * taken as the most that the kernel told of, and the number of sockets that were read as the least.
 */
#include "config.h"

#include "net/batch.h"

#include <event2/event.h>

/* libevent's own figures for its array: places at first, and at the most. */
#define ROOM_FIRST 32
#define ROOM_LAST  4096

void batch_init(struct batch *batch)
{
	*batch = (struct batch){ .room = ROOM_FIRST };
}

void batch_learn(struct batch *batch, struct event_base *base)
{
	if (batch->told >= batch->room && batch->room < ROOM_LAST)
		batch->room *= 2;
	batch->was_full = false;
	(void)event_base_get_max_events(base, EVENT_BASE_COUNT_ACTIVE, 1);
}

bool batch_is_whole(struct batch *batch, struct event_base *base)
{
	int active = event_base_get_max_events(base, EVENT_BASE_COUNT_ACTIVE, 0);

	batch->was_full = active >= (int)batch->room;
	return !batch->was_full;
}
