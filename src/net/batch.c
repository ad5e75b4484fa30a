/*
 * libevent does not show its array. So the count of all events that were active at a time stands
 * for what the kernel told at the most, and the count of sockets that were read for the least.
 */
#include "config.h"

#include "net/batch.h"

#include <event2/event.h>

/* libevent's own figures: places at first, and in the end. */
#define ROOM_FIRST 32
#define ROOM_LAST  4096

void batch_init(struct batch *batch)
{
	*batch = (struct batch){ .room = ROOM_FIRST };
}

void batch_begin(struct batch *batch, struct event_base *base)
{
	batch->told = 0;
	(void)event_base_get_max_events(base, EVENT_BASE_COUNT_ACTIVE, 1);
}

void batch_end(struct batch *batch)
{
	if (batch->told >= batch->room && batch->room < ROOM_LAST)
		batch->room *= 2;
}

bool batch_is_whole(const struct batch *batch, struct event_base *base)
{
	int active = event_base_get_max_events(base, EVENT_BASE_COUNT_ACTIVE, 0);

	return active < (int)batch->room;
}
