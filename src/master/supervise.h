/* Children: how they die, what takes their places, and what is due when. */
#ifndef TINYLB_SRC_MASTER_SUPERVISE_H
#define TINYLB_SRC_MASTER_SUPERVISE_H

#include "master_state.h"

/* CHLD: acts on every death that has not been seen yet. */
void supervise_reap(struct master *m);

/* Does what is due now. */
void supervise_timers(struct master *m);

/* When something is due next, monotonic ms; UINT64_MAX: never. */
uint64_t supervise_next_due(const struct master *m);

#endif
