/* A generation: one set of settings, the workers that have it, and what the master knows of them.
 */
#ifndef TINYLB_SRC_MASTER_GENERATIONS_GENERATION_H
#define TINYLB_SRC_MASTER_GENERATIONS_GENERATION_H

#include <stdint.h>

#include "base/list.h"
#include "board/board.h"
#include "board/rows.h"
#include "master/children/backoff.h"
#include "settings/settings.h"
#include "worker/worker.h"

/* Generations with workers at one time: two that drain, the current and the next one, and what is
 * left of one that failed. */
#define GENERATION_MAX 5

/* A place for a worker, counted within a generation. */
struct slot {
	struct backoff backoff;
	uint32_t respawn; /* how many workers it had before */
	uint64_t due;     /* when to start the next one, monotonic ms; 0: there is one */
};

/*
 *   NEW -> LOOKUP -> STARTING -> CURRENT -> DRAINING
 *                     |    ^
 *                     v    |
 *                    WATCHED
 *
 * NEW goes to STARTING where no names have to be looked up, and from each state before CURRENT a
 * generation can go to FAILED. One that another program handed over goes from NEW to the state that
 * it had there.
 */
enum generation_state {
	GENERATION_NEW,      /* nothing was done for it */
	GENERATION_LOOKUP,   /* names are being looked up */
	GENERATION_STARTING, /* workers are being started, one after the other */
	GENERATION_WATCHED,  /* some are ready, and the start goes on if they do well */
	GENERATION_CURRENT,
	GENERATION_DRAINING, /* replaced by a later one */
	GENERATION_FAILED,   /* never became the current one */
};

struct generation {
	struct list link; /* in master.past once it drains or failed */
	uint32_t number;  /* from 1 */
	enum generation_state state;
	struct settings *settings; /* owned */
	uint32_t workers;          /* how many it has places for */
	uint32_t spawned;          /* while it starts: how many were */
	uint64_t started;          /* monotonic ms */
	uint64_t deadline;         /* of LOOKUP and STARTING, monotonic ms */
	int access_log;            /* owned; -1: off */
	/* What its workers did not finish: those that ended said so, those that were killed could
	 * not. */
	uint32_t cut_requests, cut_idle, cut_workers, killed;
	struct slot *slots; /* owned: `workers` of them */
	/* Owned, both ends; for each slot; NULL: there is one slot only, or no descriptors for
	 * them. */
	struct worker_inbox *inboxes;
	uint64_t watch_until;       /* end of WATCHED, monotonic ms; 0: it was not watched yet */
	uint64_t look_due;          /* next comparison in WATCHED, monotonic ms */
	struct board_tally before;  /* what the current one had counted when WATCHED began */
	struct board_tally retired; /* what those of its workers have counted that are dead */
	struct rows *rows;          /* owned: a share; NULL: none yet */
	int dump; /* owned: its settings as another version of the program left them, or -1 */
};

/* The most workers that any generation has on this machine. */
uint32_t generation_most_workers(void);

/* A generation with as many workers as its settings say, and inboxes for them. NULL on lack of
 * memory; `settings` is the generation's in any case. */
struct generation *generation_new(struct settings *settings, uint32_t number)
	__attribute__((warn_unused_result));

/* The same with a size that is known already, and without inboxes. */
struct generation *generation_make(struct settings *settings, uint32_t number, uint32_t workers)
	__attribute__((warn_unused_result));

/* Takes it off its list and frees it. Its rows were given back before. NULL is fine. */
void generation_free(struct generation *g);

/* The only place that changes a generation's state; enum generation_state says which changes are
 * allowed. */
void generation_set_state(struct generation *g, enum generation_state state);

#endif
