/* The trial of a new program: it runs in a child, looks at the settings and at the state that it is
 * to take over, and ends. */
#ifndef TINYLB_SRC_MASTER_UPGRADE_TRIAL_H
#define TINYLB_SRC_MASTER_UPGRADE_TRIAL_H

#include "master/master_state.h"

/* Starts it on a copy of the state; no other trial runs. 0, or -1 with errno. */
int trial_start(struct master *m) __attribute__((warn_unused_result));

/* The trial has ended with this status of wait(2): writes what it said to the log. True where it
 * was passed. */
bool trial_end(struct master *m, int status);

#endif
