/* A generation: the settings that its workers have, and what the master knows of these. */
#ifndef TINYLB_SRC_MASTER_GENERATIONS_GENERATION_H
#define TINYLB_SRC_MASTER_GENERATIONS_GENERATION_H

#include <stdint.h>

#include "base/list.h"
#include "board/board.h"
#include "board/rows.h"
#include "master/children/backoff.h"
#include "settings/settings.h"
#include "worker/worker.h"

/* A place for a worker, counted within a generation. */
struct slot {
	struct backoff backoff;
	uint32_t respawn; /* how many workers it had before */
	uint64_t due;     /* when to start the next one, monotonic ms; 0: there is one */
};

enum generation_state {
	GENERATION_LOOKUP,   /* names are being looked up */
	GENERATION_STARTING, /* workers are being started, one after the other */
	GENERATION_WATCHED,  /* some are ready, and the start goes on if they do well */
	GENERATION_CURRENT,
	GENERATION_DRAINING, /* replaced by a later one */
	GENERATION_FAILED,   /* never became the current one */
};

/* One set of settings and its workers. */
struct generation {
	struct list link; /* in master.past once it drains or failed */
	uint32_t number;  /* from 1 */
	enum generation_state state;
	struct settings *settings; /* owned */
	uint32_t workers;          /* how many it has places for */
	uint32_t spawned;          /* while it starts: how many were */
	uint64_t started;          /* monotonic ms */
	uint64_t deadline;         /* of LOOKUP and STARTING */
	int access_log;            /* owned; -1: off */
	/* of workers that ended with something unfinished, and of those killed, who cannot tell */
	uint32_t cut_requests, cut_idle, cut_workers, killed;
	struct slot *slots; /* owned: `workers` of them */
	/* Owned, both ends; for each slot; NULL: there is one only, or no descriptors for them. */
	struct worker_inbox *inboxes;
	uint64_t watch_until;       /* of WATCHED, monotonic ms; 0: it was not watched yet */
	uint64_t look_due;          /* likewise */
	struct board_tally before;  /* what the current one had counted before that */
	struct board_tally retired; /* what those of its workers have counted that are dead */
	struct rows *rows;          /* owned: a share; NULL: none yet */
	int dump; /* owned: its settings as another version of the program left them, or -1 */
};

#endif
