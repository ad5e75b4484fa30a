/* The states of a worker. */
#ifndef TINYLB_WORKER_WORKER_STATE_H
#define TINYLB_WORKER_WORKER_STATE_H

enum worker_state {
	WORKER_STARTING,
	WORKER_RUNNING,  /* accepts connections */
	WORKER_DRAINING, /* see drain.h */
	WORKER_ENDED,    /* its loop has stopped */
};

/* Changes the state and logs that for debugging. It goes forward: a worker that runs may drain, and
 * each may end. */
void worker_state_set(enum worker_state *state, enum worker_state next);

#endif
