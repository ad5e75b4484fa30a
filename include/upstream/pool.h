/* A pool as one worker uses it: a picker, and what is known of the backends. */
#ifndef TINYLB_UPSTREAM_POOL_H
#define TINYLB_UPSTREAM_POOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "balance/picker.h"
#include "balance/session.h"
#include "settings/hash_on.h"
#include "upstream/backend.h"
#include "upstream/queue.h"
#include "upstream/upstream_context.h"

struct pool {
	/* settings; borrowed */
	const struct pool_settings *settings;
	struct upstream_context *upstream;
	const struct picker_kind *kind;
	/* runtime */
	struct picker *picker; /* owned */
	struct hash_on hash_on;
	struct sessions *sessions; /* owned; NULL: none are kept */
	bool by_request;           /* the request decides which backend gets it: affinity.h */
	struct backend *backends;  /* owned */
	struct rows_pool *cells;   /* this worker's on the board; borrowed */
	struct availability availability;
	struct picker_view view;
	uint64_t spent_said_us; /* when the log was told that the retry budget is spent */
	bool limited;           /* some backend has a limit: only then requests may wait */
	unsigned ramps;         /* backends that have a ramp: capacity.h */
	struct queue queue;
};

/* `pool` is zeroed. 0, or -1 when memory is short; pool_fini is allowed then, too. */
int pool_init(struct pool *pool, struct upstream_context *upstream,
	const struct pool_settings *settings) __attribute__((warn_unused_result));

/* Its connections must be closed before. */
void pool_fini(struct pool *pool);

#endif
