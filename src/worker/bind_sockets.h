/* Binds the sockets that a worker listens on, and hands duplicates of them to the master. */
#ifndef TINYLB_WORKER_BIND_SOCKETS_H
#define TINYLB_WORKER_BIND_SOCKETS_H

#include "worker/worker_start.h"

/* Binds every socket of `start` that is not bound yet and waits until the master holds a duplicate.
 * Blocks. 0, or -1: the master was told why not, or is gone. */
int bind_sockets(struct worker_start *start) __attribute__((warn_unused_result));

#endif
