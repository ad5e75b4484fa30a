/* What the monitor is made of. */
#ifndef TINYLB_MONITOR_WATCH_H
#define TINYLB_MONITOR_WATCH_H

#include "names.h"
#include "net/loop.h"
#include "target_state.h"

struct monitor {
	const struct monitor_start *start;
	struct loop loop;
	struct rng rng;
	struct target *targets; /* owned */
	size_t target_count;
	struct target **of_row; /* owned: of each row of the board; NULL: nobody's */
	uint32_t *alarms;       /* owned: of each column, how many were heard */
	struct names names;
	struct event told;   /* by the master */
	struct event alarm;  /* by workers */
	struct event rest;   /* until the next alarm is heard */
	struct event search; /* for what is due next, where there are many targets */
	uint32_t changes;    /* to be published */
	uint32_t published;
};

/* Who has this row on the board, or NULL. */
struct target *monitor_target(const struct monitor *m, uint32_t row);

/* Something is due then, monotonic; 0: nothing is. */
void monitor_note_due(struct monitor *m, uint64_t due_us);

/* Whether one more backend of a pool may be ejected. */
bool monitor_may_eject(const struct monitor *m, const struct pool_settings *pool);

#endif
