/* What the filter of system calls is made of: which calls a worker may make. */
#ifndef TINYLB_WORKER_ALLOWED_CALLS_H
#define TINYLB_WORKER_ALLOWED_CALLS_H

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

/* Calls that each request needs, and all others that are harmless. */
extern const struct calls allowed_calls_hot, allowed_calls_harmless;

/* Calls for files, and for addresses to bind. They fail with EACCES: a library that makes one goes
 * on without. */
extern const struct calls allowed_calls_refused;

/* Calls that no library makes on the way of a request. Only an attacker makes one of these or of
 * calls_never: the process is killed. */
extern const struct calls allowed_calls_deadly;

extern const struct call_choice allowed_calls_choices[];
extern const size_t allowed_calls_choice_count;

#endif
