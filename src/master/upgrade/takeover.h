/* The program takes over from a running one. */
#ifndef TINYLB_SRC_MASTER_UPGRADE_TAKEOVER_H
#define TINYLB_SRC_MASTER_UPGRADE_TAKEOVER_H

#include "master/master_state.h"

/* True in a program that is to take over from a running one. */
bool takeover_is_wanted(void);

/* Takes over: fills in `m`, which is empty, and begins the first generation. 0, or -1 and the log
 * says why. */
int takeover_begin(struct master *m) __attribute__((warn_unused_result));

/* As master_trial. */
int takeover_trial(int state) __attribute__((warn_unused_result));

#endif
