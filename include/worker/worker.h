/*
 * One worker: a process with an event loop, its own listening sockets, and clients. It ends by
 * itself when the master has told it to drain, or is gone, and nothing is in flight.
 */
#ifndef TINYLB_WORKER_WORKER_H
#define TINYLB_WORKER_WORKER_H

#include "worker/worker_grace.h"
#include "worker/worker_start.h"

/* Exit codes of a worker. START: it could not start; MESSAGE_FAILED said why. */
#define WORKER_EXIT_OK    0
#define WORKER_EXIT_ERROR 1
#define WORKER_EXIT_START 3

/*
 * Runs the worker and returns its exit code. The caller is a process just forked that still has its
 * privileges. Signals are blocked, and descriptors of other processes are closed.
 */
int worker_run(struct worker_start *start);

#endif
