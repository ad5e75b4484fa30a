/* What a worker gets from the master when it starts. */
#ifndef TINYLB_WORKER_WORKER_START_H
#define TINYLB_WORKER_WORKER_START_H

#include <stddef.h>
#include <stdint.h>

#include "board/board.h"
#include "board/rows.h"
#include "settings/settings.h"

/*
 * A socket to accept from. Most listeners have one; one that outlived its slot (there were more
 * workers before a reload) is an additional one for a worker that is still there.
 */
struct worker_socket {
	int fd;            /* bound, perhaps listening already; -1: the worker binds one itself and
			    * hands a duplicate to the master (MESSAGE_ESCROW) before it listens */
	uint32_t listener; /* index into the listeners of the settings */
};

/* The two ends of a channel by which workers of a generation pass connections to one of them:
 * siblings send into `in`, and it receives from `out`. The master keeps both, so that connections
 * in the channel outlive the worker. */
struct worker_inbox {
	int in, out;
};

struct worker_start {
	const struct settings *settings; /* borrowed for the life of the process */
	uint32_t slot;                   /* 0 .. workers-1 */
	uint32_t generation;             /* from 1 */
	uint32_t respawn; /* how many workers this slot had before in this generation */
	uint64_t root_seed;
	uint32_t workers;          /* of this generation */
	struct board *board;       /* borrowed */
	struct board_place *place; /* on the board: this worker writes it; borrowed */
	struct rows *rows;         /* what is known of the backends; borrowed */
	uint32_t column;           /* in these: this worker's */
	/* Of all slots; borrowed; NULL: connections are not passed. This worker has the `out` of
	 * its own and the `in` of the others. */
	const struct worker_inbox *inboxes;
	int channel; /* to the master; the worker's from now on */
	/* At least one per listener of the settings. The array is borrowed for the life of the
	 * process, the descriptors are the worker's from now on. Unix sockets are shared by all
	 * workers and never -1; a listener whose port the kernel chooses is never -1 either. */
	struct worker_socket *sockets;
	size_t socket_count;
	int access_log; /* open for appending, or -1: off */
};

#endif
