/* New settings in a few slots first, watched beside the old ones (the settings' reload section). */
#ifndef TINYLB_SRC_MASTER_GENERATIONS_CANARY_H
#define TINYLB_SRC_MASTER_GENERATIONS_CANARY_H

#include "master/master_state.h"

/* With as many workers of the next generation ready as it wants to be watched: begins to watch them
 * and returns true. False where there is nothing to watch, or that was done. */
bool canary_begin(struct master *m);

/* Looks at what is being watched, where it is time: rolls back or lets the reload go on. */
void canary_look(struct master *m);

/* When it is time, monotonic ms; UINT64_MAX: nothing is being watched. */
uint64_t canary_next_due(const struct master *m);

/* The generation is given up, watched or not: the old workers accept again in those slots. */
void canary_end(struct master *m, struct generation *g);

#endif
