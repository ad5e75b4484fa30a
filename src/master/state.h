/* What the master knows: its children, the generations they belong to, and itself. */
#ifndef TINYLB_SRC_MASTER_STATE_H
#define TINYLB_SRC_MASTER_STATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "backoff.h"
#include "base/channel.h"
#include "base/list.h"
#include "base/rng.h"
#include "daemon.h"
#include "escrow.h"
#include "master/master.h"
#include "pidfile.h"

enum child_role { CHILD_WORKER, CHILD_RESOLVER };

enum child_state {
	CHILD_STARTING, /* until MESSAGE_READY */
	CHILD_READY,
	CHILD_DRAINING, /* was told to finish */
	CHILD_ENDING,   /* was sent SIGTERM */
	CHILD_KILLED,   /* was sent SIGKILL */
};

struct child {
	struct list link;
	enum child_role role;
	struct generation *generation; /* borrowed */
	uint32_t slot;
	pid_t pid;
	int channel; /* owned; -1: none, or the other side closed it */
	enum child_state state;
	uint64_t started;            /* monotonic ms */
	uint64_t deadline;           /* of the state; 0: none */
	char why[MESSAGE_TEXT_SIZE]; /* why it failed, in its own words */
};

/* A place for a worker, counted within a generation. */
struct slot {
	struct backoff backoff;
	uint32_t respawn; /* how many workers it had before */
	uint64_t due;     /* when to start the next one, monotonic ms; 0: there is one */
};

enum generation_state {
	GENERATION_LOOKUP,   /* names are being looked up */
	GENERATION_STARTING, /* workers are being started, one after the other */
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
};

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
	struct rng jitter;
	int signals; /* a signalfd */
	struct daemon daemon;
	struct pidfile pidfile;
	struct escrow escrow;
	/* links */
	struct list children;
	struct generation *current; /* owned; NULL until the first one is ready */
	struct generation *next;    /* owned; the one that is being started, or NULL */
	struct list past;           /* owned; draining and failed ones, oldest first */
};

/* Generations. new gives NULL on lack of memory; `settings` is the generation's in any case. */
struct generation *generation_new(struct master *m, struct settings *settings)
	__attribute__((warn_unused_result));
void generation_free(struct generation *g);
unsigned generation_count_children(const struct master *m, const struct generation *g);

/* Frees what is past and has no children left. */
void generation_free_past(struct master *m);

/* Children. add gives NULL on lack of memory. */
struct child *child_add(struct master *m, enum child_role role, struct generation *g, uint32_t slot)
	__attribute__((warn_unused_result));
void child_remove(struct child *c);
struct child *child_find(struct master *m, pid_t pid);

/* The only place that changes a child's state; `timeout` (ms) is that of the new state, 0: none. */
void child_set_state(struct child *c, enum child_state state, uint64_t timeout);

/* "worker 2 gen 1 (pid 77)" */
#define CHILD_NAME_SIZE 64
const char *child_name(const struct child *c, char out[CHILD_NAME_SIZE]);

#endif
