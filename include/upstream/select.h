/* The choice of a backend for a request: from its begin to its end. */
#ifndef TINYLB_UPSTREAM_SELECT_H
#define TINYLB_UPSTREAM_SELECT_H

#include "upstream/selection.h"

/* Begins a choice in `pool`, which may be NULL. */
void select_init(struct selection *selection, struct pool *pool, struct request *request,
	struct slice client_ip, bool trusted);

/* The request is over: gives up its place at a backend or in a queue. Another request may take the
 * place at once, in any worker. Harmless if it has none. */
void select_end(struct selection *selection);

/* Picks a backend, another one than those tried, and takes a place there: by the pool's picker or
 * by the request (affinity.h), within retry.attempts and the retry budget. False: none is left, or
 * none has room, or the budget is spent; then the selection keeps the place that it had. */
bool select_backend(struct selection *selection) __attribute__((warn_unused_result));

#endif
