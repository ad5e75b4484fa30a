/* Workers that hang: noticed, replaced for the moment by siblings, and in the end ended. */
#ifndef TINYLB_SRC_MASTER_CHILDREN_HANG_H
#define TINYLB_SRC_MASTER_CHILDREN_HANG_H

#include "master/master_state.h"

/* Looks at the workers of the current generation where it is time to. When the next look is due,
 * monotonic ms; UINT64_MAX: none is. */
void hang_look(struct master *m);
uint64_t hang_next_due(const struct master *m);

#endif
