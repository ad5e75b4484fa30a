/* The master's children: workers, the monitor, the process that looks up names, and the trial of an
 * upgrade. */
#ifndef TINYLB_SRC_MASTER_CHILDREN_CHILD_H
#define TINYLB_SRC_MASTER_CHILDREN_CHILD_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/channel.h"
#include "base/list.h"
#include "board/board.h"
#include "board/rows.h"

struct generation;
struct monitor_life;

/* How long a child may take to become ready. */
#define CHILD_START_TIMEOUT_MS 30000

enum child_role { CHILD_WORKER, CHILD_RESOLVER, CHILD_TRIAL, CHILD_MONITOR };

/* A child only ever moves on from one to a later one. */
enum child_state {
	CHILD_STARTING, /* until MESSAGE_READY */
	CHILD_READY,
	CHILD_DRAINING, /* was told to finish */
	CHILD_ENDING,   /* was sent SIGTERM, or SIGABRT where it hangs */
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
	uint64_t deadline;         /* of the state, monotonic ms; 0: none */
	uint64_t hung_since;       /* monotonic ms; 0: it does not hang, as far as is known */
	uint64_t last_beat;        /* of its pulse, as last seen, monotonic ms */
	uint64_t suspected;        /* it may hang since then, monotonic ms; 0: it does not */
	uint64_t refused_until;    /* it cannot accept for others; monotonic ms */
	struct board_place *place; /* a worker's, on the board; NULL: none */
	uint32_t column;           /* a worker's, in the rows of its generation; ROWS_NONE: none */
	struct monitor_life *life; /* the monitor's: shared memory; owned; NULL: none */
	char why[MESSAGE_TEXT_SIZE]; /* why it failed, in its own words */
};

/* Appends a child in the state STARTING, with no process yet. NULL on lack of memory. */
struct child *child_add(struct list *children, enum child_role role, struct generation *g,
	uint32_t slot) __attribute__((warn_unused_result));

/* Takes it off list and board, closes its channel, frees it. `board` may be NULL for a child that
 * has no place on it. errno stays as it is. */
void child_remove(struct child *c, struct board *board);

/* Takes a dead worker off the board, so that no sibling passes connections to it any more. What it
 * counted is added to its generation's `retired`. A second call does nothing. */
void child_retire(struct child *c, struct board *board);

/* NULL: there is none with this process id. */
struct child *child_find(const struct list *children, pid_t pid);

/* The monitor; NULL: there is none. */
struct child *child_find_monitor(const struct list *children);

/* How many children a generation has, of any role. */
unsigned child_count(const struct list *children, const struct generation *g);

/* True where a worker of the generation (NULL: of any) is being started. */
bool child_is_any_starting(const struct list *children, const struct generation *g);

/* The only place that changes a child's state: `state` is a later one than it has. `timeout` (ms)
 * is that of the new state, 0: none. */
void child_set_state(struct child *c, enum child_state state, uint64_t timeout);

/* "worker 2 gen 1 (pid 77)" */
#define CHILD_NAME_SIZE 64
const char *child_name(const struct child *c, char out[CHILD_NAME_SIZE]);

/* "was killed by SIGSEGV, leaving a core", "exited with code 1", or its own words; `status` is that
 * of wait(2). */
#define CHILD_DEATH_SIZE (MESSAGE_TEXT_SIZE + 64)
void child_describe_death(const struct child *c, int status, char out[CHILD_DEATH_SIZE]);

#endif
