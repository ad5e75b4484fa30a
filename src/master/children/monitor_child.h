/* The monitor as a child: one for the current generation, and never two. */
#ifndef TINYLB_SRC_MASTER_CHILDREN_MONITOR_CHILD_H
#define TINYLB_SRC_MASTER_CHILDREN_MONITOR_CHILD_H

#include "master/master_state.h"

/* Starts one where there should be one, is none, and the pause after the last one is over; kills
 * that of an older generation. */
void monitor_child_keep(struct master *m);

/* The monitor `c` is dead, with this status of wait(2): the next one starts at once where the
 * master killed it in peace, else after a pause. */
void monitor_child_died(struct master *m, const struct child *c, int status);

/* Kills it where it hangs. To be called whenever the master is awake: where workers are watched for
 * hanging that is often enough. */
void monitor_child_look(struct master *m);

/* When the next one is to be started, monotonic ms; UINT64_MAX: there is one, or shall be none. */
uint64_t monitor_child_next_due(const struct master *m);

/* Kills it and waits for its end: for a master that becomes another program. */
void monitor_child_end(struct master *m);

#endif
