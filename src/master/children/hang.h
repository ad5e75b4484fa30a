/* Workers that hang: noticed, replaced for the moment by siblings, and in the end ended. */
#ifndef TINYLB_SRC_MASTER_CHILDREN_HANG_H
#define TINYLB_SRC_MASTER_CHILDREN_HANG_H

#include "master/master_state.h"

enum hang_verdict {
	HANG_FINE,    /* there is nothing left to do about it */
	HANG_WATCHED, /* a worker of the next generation hangs, which is being watched */
};

/* Looks at the workers of the current generation, and of the one being watched, where it is time
 * to. HANG_WATCHED: `why` names the worker, and it is for the caller to take the generation back.
 */
enum hang_verdict hang_look(struct master *m, char *why, size_t why_size);

/* When the next look is due, monotonic ms; UINT64_MAX: none is. */
uint64_t hang_next_due(const struct master *m);

#endif
