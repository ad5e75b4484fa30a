/* Picks a backend for a request. */
#ifndef TINYLB_UPSTREAM_SELECT_H
#define TINYLB_UPSTREAM_SELECT_H

#include "upstream/selection.h"

/* Picks a backend, another one than those tried, and takes a place there: by the pool's picker or
 * by the request (affinity.h), within retry.attempts and the retry budget. False: none is left, or
 * none has room, or the budget is spent; then the selection keeps the place that it had. */
bool select_backend(struct selection *selection) __attribute__((warn_unused_result));

#endif
