/* What the master knows of itself. */
#ifndef TINYLB_SRC_MASTER_MASTER_STATE_H
#define TINYLB_SRC_MASTER_MASTER_STATE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/list.h"
#include "base/rng.h"
#include "board/board.h"
#include "board/rows.h"
#include "master/children/child.h"
#include "master/daemon.h"
#include "master/generations/generation.h"
#include "master/master.h"
#include "master/pidfile.h"
#include "master/sockets/escrow.h"
#include "master/sockets/fdstore_state.h"
#include "master/upgrade/upgrade_phase.h"

enum master_phase {
	MASTER_RUNNING,
	MASTER_LAME_DUCK, /* was told to stop, and serves on for a while: no reload any more */
	MASTER_STOPPING,  /* everything drains */
	MASTER_ENDING,    /* everything was sent SIGTERM */
};

struct master {
	/* settings */
	const struct master_options *options;
	uint64_t root_seed;
	/* runtime */
	enum master_phase phase;
	uint64_t lame_duck_end; /* monotonic ms; 0: not yet, or no more */
	int exit_code;
	bool reload_again; /* a HUP came that has to wait: for a reload, or for old generations */
	uint32_t last_generation;
	uint32_t last_foster; /* id */
	uint64_t look_due;    /* the next look for workers that hang, monotonic ms */
	uint64_t awake_since; /* from when on such looks came in time */
	struct rng jitter;
	int signals; /* a signalfd */
	struct backoff monitor_backoff;
	uint64_t monitor_due;  /* when to start the next monitor, monotonic ms; 0: at once */
	uint64_t monitor_look; /* the next look whether it hangs, monotonic ms */
	struct daemon daemon;
	struct pidfile pidfile;
	struct escrow escrow;
	struct board *board; /* owned */
	struct rows *rows;   /* owned: a share of those that the next generation gets; NULL: none */
	struct upgrade upgrade;
	struct fdstore fdstore;
	/* links */
	struct list children;
	struct list fosters;        /* owned; of struct foster: foster.c */
	struct generation *current; /* owned; NULL until the first one is ready */
	struct generation *next;    /* owned; the one that is being started, or NULL */
	struct list past;           /* owned; draining and failed ones, oldest first */
};

/* Generations with workers at one time: two that drain, the current and the next one, and what is
 * left of one that failed. */
#define GENERATIONS_MAX 5

/* A board with room for all workers that there can be at one time. NULL with errno. */
struct board *state_new_board(void) __attribute__((warn_unused_result));

/* The next generation, with as many workers as its settings say and channels between them. NULL on
 * lack of memory; `settings` is the generation's in any case. */
struct generation *generation_new(struct master *m, struct settings *settings)
	__attribute__((warn_unused_result));

/* The same with a number and a size that are known already, and without the channels. */
struct generation *generation_make(struct settings *settings, uint32_t number, uint32_t workers)
	__attribute__((warn_unused_result));

/* NULL is fine. */
void generation_free(struct generation *g);

/* Whether any worker of it (NULL: of any) is being started. */
bool generation_is_starting(const struct master *m, const struct generation *g);

/* Frees what is past and has no children left. */
void generation_free_past(struct master *m);

#endif
