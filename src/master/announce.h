/* Who serves now. */
#ifndef TINYLB_SRC_MASTER_ANNOUNCE_H
#define TINYLB_SRC_MASTER_ANNOUNCE_H

#include "master/master_state.h"

/* Says so to everybody who waited for the first generation. */
void announce_start(struct master *m);

/* Says that the current generation has followed `old`, and moves to its log. */
void announce_reload(const struct master *m, const struct generation *old);

#endif
