/* The filter of system calls. */
#ifndef TINYLB_WORKER_FILTER_H
#define TINYLB_WORKER_FILTER_H

#include <stdbool.h>

/*
 * Puts the calling process (one thread) under the filter for good: calls that no worker makes kill
 * it with SIGSYS, what it may not have fails with an error, the rest of what it does not need with
 * ENOSYS. Needs no_new_privs. False where the kernel or the processor's kind has none.
 */
bool filter_enter(void);

#endif
