/* What the master knows of itself: the struct that the modules of this folder work on. */
#ifndef TINYLB_SRC_MASTER_MASTER_STATE_H
#define TINYLB_SRC_MASTER_MASTER_STATE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/list.h"
#include "base/rng.h"
#include "board/board.h"
#include "board/rows.h"
#include "daemon.h"
#include "master/children/child.h"
#include "master/generations/generation.h"
#include "master/master_options.h"
#include "master/sockets/escrow.h"
#include "master/sockets/fdstore.h"
#include "master/upgrade/upgrade_phase.h"
#include "pidfile.h"

/* The master only ever moves on from one to a later one. */
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
	uint32_t last_stand_in; /* id */
	uint64_t look_due;      /* the next look for workers that hang, monotonic ms */
	uint64_t awake_since;   /* from when on such looks came in time, monotonic ms */
	struct rng jitter;
	int signals; /* owned: a signalfd */
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
	struct list children;       /* owned */
	struct list stand_ins;      /* owned; of struct stand_in: stand_in.c */
	struct generation *current; /* owned; NULL until the first one is ready */
	struct generation *next;    /* owned; the one that is being started, or NULL */
	struct list past;           /* owned; draining and failed ones, oldest first */
};

/* An empty master: no children, no descriptors, no settings. `options` stays the caller's. */
void master_state_init(struct master *m, const struct master_options *options);

/* The only place that changes the phase: `phase` is a later one than the present one. */
void master_state_set_phase(struct master *m, enum master_phase phase);

/* Makes a board with room for all workers that there can be at one time. 0, or -1 with errno. */
int master_state_make_board(struct master *m) __attribute__((warn_unused_result));

/* The settings that may soon be in force; NULL: there are none. */
const struct settings *master_state_next_settings(const struct master *m);

#endif
