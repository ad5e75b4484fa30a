/* The master's children: workers, the monitor, the process that looks up names, and the trial of an
 * upgrade. */
#ifndef TINYLB_SRC_MASTER_CHILDREN_CHILD_H
#define TINYLB_SRC_MASTER_CHILDREN_CHILD_H

#include <stdint.h>
#include <sys/types.h>

#include "base/channel.h"
#include "base/list.h"
#include "board/board.h"
#include "board/rows.h"

struct generation;
struct master;
struct monitor_life;

enum child_role { CHILD_WORKER, CHILD_RESOLVER, CHILD_TRIAL, CHILD_MONITOR };

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
	uint64_t started;          /* monotonic ms */
	uint64_t deadline;         /* of the state; 0: none */
	uint64_t hung_since;       /* monotonic ms; 0: it does not hang, as far as is known */
	uint64_t last_beat;        /* of its pulse, as last seen, monotonic ms */
	uint64_t suspected;        /* at the last look: to hang since then; 0: it was not */
	uint64_t refused_until;    /* it cannot accept for others; monotonic ms */
	struct board_place *place; /* a worker's, on the board; NULL: none */
	uint32_t column;           /* a worker's, in the rows of its generation; ROWS_NONE: none */
	struct monitor_life *life; /* the monitor's; owned; NULL: none */
	char why[MESSAGE_TEXT_SIZE]; /* why it failed, in its own words */
};

/* Children. add gives NULL on lack of memory. */
struct child *child_add(struct master *m, enum child_role role, struct generation *g, uint32_t slot)
	__attribute__((warn_unused_result));
void child_remove(struct master *m, struct child *c);

/* Takes a dead worker off the board: nobody passes connections to it any more. */
void child_retire(struct master *m, struct child *c);

struct child *child_find(struct master *m, pid_t pid);

/* The only place that changes a child's state, but for the one where a hand-over (adopt.c) says in
 * which it is; `timeout` (ms) is that of the new state, 0: none. */
void child_set_state(struct child *c, enum child_state state, uint64_t timeout);

/* "worker 2 gen 1 (pid 77)" */
#define CHILD_NAME_SIZE 64
const char *child_name(const struct child *c, char out[CHILD_NAME_SIZE]);

#endif
