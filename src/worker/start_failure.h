/* Tells the master why a worker cannot start. */
#ifndef TINYLB_WORKER_START_FAILURE_H
#define TINYLB_WORKER_START_FAILURE_H

#include "worker/worker_start.h"

/* Sends what the worker was doing ("cannot listen on"), with what ("*:80", or ""), and the text of
 * errno. The master logs it. Returns -1. */
int start_failure_tell(const struct worker_start *start, const char *doing, const char *what);

#endif
