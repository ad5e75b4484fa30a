/* Binding, and handing duplicates of what was bound to the master. */
#ifndef TINYLB_WORKER_ESCROW_H
#define TINYLB_WORKER_ESCROW_H

#include "worker/worker.h"

/* Binds every socket of `start` that is not bound yet and waits until the master holds a duplicate.
 * 0, or -1 when the master was told why not, or is gone. */
int escrow_bind(struct worker_start *start) __attribute__((warn_unused_result));

/* Tells the master why this worker cannot start, in words for the log, with the text of errno.
 * Returns -1. */
int escrow_fail(const struct worker_start *start, const char *doing, const char *what);

#endif
