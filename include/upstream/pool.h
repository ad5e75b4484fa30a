/* A pool as one worker uses it: types only. pool_setup.h sets it up. */
#ifndef TINYLB_UPSTREAM_POOL_H
#define TINYLB_UPSTREAM_POOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "balance/health.h"
#include "balance/picker.h"
#include "balance/session.h"
#include "settings/hash_on.h"
#include "upstream/backend.h"
#include "upstream/upstream_context.h"

/* Which backends may be picked: availability.h. */
struct availability {
	struct health health;          /* the result */
	struct health_report *reports; /* owned; its input, one for each backend */
	size_t well_count; /* backends that are ready, whether or not it is their turn */
	uint32_t version;  /* of the board's health words that it was made of */
	uint64_t due_us;   /* when a connect backoff ends, monotonic; UINT64_MAX: none runs */
};

/* Requests that wait for room: queue.h. */
struct queue {
	struct list waiting; /* of struct selection, oldest in front: for any backend */
	struct list bound;   /* of struct selection, oldest in front: for that of their session */
	/* the remote request that this worker yields to */
	uint64_t slow_us;      /* its enqueue time */
	uint64_t slow_seen_us; /* when it was last seen to leave room unused */
	unsigned slow;         /* how often it was */
	uint64_t ignored_us;   /* no yielding to requests with this enqueue time or an older one */
};

struct pool {
	/* settings; borrowed */
	const struct pool_settings *settings;
	struct upstream_context *upstream;
	const struct picker_kind *kind;
	/* runtime */
	struct picker *picker; /* owned */
	struct hash_on hash_on;
	/* of the values that are hashed; all 0 where the settings have none */
	uint8_t hash_key[SIPHASH_KEY_SIZE];
	struct sessions *sessions; /* owned; NULL: none are kept */
	bool by_request;           /* the request decides which backend gets it: affinity.h */
	bool has_path;             /* the URL of some backend has one */
	struct backend *backends;  /* owned */
	struct rows_pool *cells;   /* this worker's on the board; borrowed */
	struct availability availability;
	struct picker_view view;
	uint64_t spent_said_us; /* when the log was told that the retry budget is spent */
	bool limited;           /* some backend has a limit: only then requests may wait */
	unsigned ramps;         /* backends that have a ramp: capacity.h */
	struct queue queue;
};

#endif
