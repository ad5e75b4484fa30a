/* The monitor as a child: one for the current generation, and never two. */
#ifndef TINYLB_SRC_MASTER_CHILDREN_MONITOR_CHILD_H
#define TINYLB_SRC_MASTER_CHILDREN_MONITOR_CHILD_H

#include "master/master_state.h"

/* Starts one where there should be one, is none, and it is time to. */
void monitor_keep(struct master *m);

/* It is dead: the next one comes at once, or after a pause. */
void monitor_died(struct master *m, const struct child *c, int status);

/* Ends it where it hangs: to be called whenever the master is awake, which it is where workers may
 * hang. */
void monitor_look(struct master *m);

/* When the next one is to be started, monotonic ms; UINT64_MAX: there is one, or shall be none. */
uint64_t monitor_next_due(const struct master *m);

/* Ends it, and waits for that: for a master that becomes another program. */
void monitor_end(struct master *m);

/* Frees what it shared with the master. Harmless for other children. */
void monitor_forget(struct child *c);

#endif
