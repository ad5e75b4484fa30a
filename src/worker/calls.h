/* What the filter of system calls is made of: which calls a worker may make. */
#ifndef TINYLB_WORKER_CALLS_H
#define TINYLB_WORKER_CALLS_H

#include <stddef.h>
#include <stdint.h>

#include "base/calls.h"

/* A call of which one argument, counted from 0, must have one of some values. */
struct call_choice {
	int call;
	unsigned argument;
	const uint32_t *values;
	size_t count;
	int error; /* for other values */
};

/* What each request needs, and all else that is harmless. */
extern const struct calls calls_hot, calls_allowed;

/* For files, and addresses to bind: refused with EACCES, for a library may ask and go on without.
 */
extern const struct calls calls_refused;

/* What no library makes on the way of a request: whoever makes one, or one of calls_never, has
 * broken in. */
extern const struct calls calls_deadly;

extern const struct call_choice call_choices[];
extern const size_t call_choice_count;

#endif
