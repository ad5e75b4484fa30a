/* Children: what they say, how they die, and who takes their places. */
#ifndef TINYLB_SRC_MASTER_SUPERVISE_H
#define TINYLB_SRC_MASTER_SUPERVISE_H

#include "master/master_state.h"

/* Reads all that a child has said. */
void supervise_read(struct master *m, struct child *c);

/* CHLD: sees off everybody who died. */
void supervise_reap(struct master *m);

/* "was killed by SIGSEGV, leaving a core", "exited with code 1", or its own words. */
#define DEATH_SIZE (MESSAGE_TEXT_SIZE + 64)
void supervise_describe_death(const struct child *c, int status, char out[DEATH_SIZE]);

/* Does what is due now. */
void supervise_timers(struct master *m);

/* When something is due next, monotonic ms; UINT64_MAX: never. */
uint64_t supervise_next_due(const struct master *m);

#endif
