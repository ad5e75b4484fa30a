/* What deadlines and their queues are: deadline.h starts deadlines, and the loop lets them expire.
 */
#ifndef TINYLB_NET_DEADLINE_QUEUE_H
#define TINYLB_NET_DEADLINE_QUEUE_H

#include <stdint.h>

#include "base/list.h"

#define DEADLINE_TICK_MS 100

struct deadline {
	struct list link;
	uint64_t due_us;
};

/* All deadlines with one duration and one consequence. */
struct deadline_queue {
	uint64_t duration_us;
	uint64_t slack_us;                          /* deadline_put_off may be late by this */
	void (*expired)(struct deadline *deadline); /* it is stopped already when this is called */
	struct list waiting;
	struct list link; /* in the loop */
};

/* Stops the deadline; harmless when it is not running. */
static inline void deadline_stop(struct deadline *deadline)
{
	list_remove(&deadline->link);
}

#endif
