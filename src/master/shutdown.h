/* The end of the program: serve on as a lame duck for a while, finish what is in flight, or end at
 * once. */
#ifndef TINYLB_SRC_MASTER_SHUTDOWN_H
#define TINYLB_SRC_MASTER_SHUTDOWN_H

#include "master_state.h"

/* TERM: everything drains, and no address is held any longer; the time of timeouts.lame_duck goes
 * before. A second call ends everything at once. */
void shutdown_request(struct master *m);

/* The time as a lame duck is over: everything drains. */
void shutdown_drain(struct master *m);

#endif
