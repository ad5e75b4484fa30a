/* Says which generation serves now. */
#ifndef TINYLB_SRC_MASTER_ANNOUNCE_H
#define TINYLB_SRC_MASTER_ANNOUNCE_H

#include "master_state.h"

/* The first generation is the current one: says so in the log, to the process that waits for it
 * (--daemon), and to the options' ready(). */
void announce_start(struct master *m);

/* The current generation has followed `old`: opens the log of the current one where it is another,
 * and says so there. */
void announce_reload(const struct master *m, const struct generation *old);

/* Tells the service manager that the current generation serves. */
void announce_ready(const struct master *m);

#endif
