/*
 * One worker: a process with an event loop, its own listening sockets, and clients. It ends by
 * itself when it was told to drain and nothing is in flight, or when its master is gone.
 */
#ifndef TINYLB_WORKER_WORKER_H
#define TINYLB_WORKER_WORKER_H

#include <stdint.h>

#include "settings/settings.h"

struct worker_start {
	const struct settings *settings; /* borrowed for the life of the process */
	uint32_t slot;                   /* 0 .. workers-1 */
	uint32_t generation;             /* from 1 */
	uint32_t respawn;                /* how many workers this slot had before in this generation */
	uint64_t root_seed;
	int channel; /* to the master; the worker's from now on */
	/* One per listener of the settings: a bound socket to listen on, or -1 where this worker binds
	 * one itself and hands a duplicate to the master. The worker's from now on. */
	int *listeners;
	int access_log; /* open for appending, or -1: off */
};

/* Exit codes of a worker that the master understands. */
#define WORKER_EXIT_OK    0
#define WORKER_EXIT_ERROR 1
#define WORKER_EXIT_START 3 /* could not start: MESSAGE_FAILED said why; respawning does not help */

/*
 * Runs the worker and returns its exit code. To be called in a process just forked, with signals
 * still blocked, before privileges are dropped; descriptors of others must be closed already.
 */
int worker_run(struct worker_start *start);

#endif
