/* New settings in a few slots first, watched beside the old ones (the settings' reload section). */
#ifndef TINYLB_SRC_MASTER_GENERATIONS_CANARY_H
#define TINYLB_SRC_MASTER_GENERATIONS_CANARY_H

#include "master/master_state.h"

enum canary_verdict {
	CANARY_WAIT,  /* nothing is being watched, or it is too early */
	CANARY_GO_ON, /* the time is over: the other workers can be started */
	CANARY_WORSE, /* the new settings do clearly worse */
};

/* With as many workers of the next generation ready as it wants to be watched: begins to watch them
 * and returns true. False where there is nothing to watch, or the watch is over. */
bool canary_begin(struct master *m);

/* Compares where it is time to. GO_ON: the next generation is STARTING again. WORSE: `why` says
 * what was seen, and it is for the caller to take the generation back. */
enum canary_verdict canary_look(struct master *m, char *why, size_t why_size);

/* When it is time, monotonic ms; UINT64_MAX: nothing is being watched. */
uint64_t canary_next_due(const struct master *m);

/* The generation is given up, watched or not: the old workers accept again in those slots. */
void canary_end(struct master *m, const struct generation *g);

#endif
