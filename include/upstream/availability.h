/*
 * Which backends of a pool may be picked: by what the monitor says on the board, by what this
 * worker has seen a moment ago, and by `drain`, priorities and `backup`. It is worked out anew at
 * the next pick after one of them has changed: no timer runs.
 */
#ifndef TINYLB_UPSTREAM_AVAILABILITY_H
#define TINYLB_UPSTREAM_AVAILABILITY_H

#include <stdbool.h>
#include <stdint.h>

#include "balance/health.h"

struct backend;
struct pool;

/* Of a pool. */
struct availability {
	struct health health;          /* the result */
	struct health_report *reports; /* owned; its input, one for each backend */
	size_t well_count; /* backends that are ready, whether or not it is their turn */
	uint32_t version;  /* of the board's health words that it was made of */
	uint64_t due_us;   /* when a connect backoff ends, monotonic; UINT64_MAX: none runs */
};

/* How long a backend is not picked because it refused a connection. This worker alone knows it,
 * until the monitor does. */
struct connect_backoff {
	uint64_t until_us; /* monotonic; 0: the backend is picked */
	uint32_t ms;       /* the length of the last one; 0: the next one is the first */
};

/* 0, or -1 when memory is short; availability_fini is allowed then, too. */
int availability_init(struct pool *pool) __attribute__((warn_unused_result));
void availability_fini(struct pool *pool);

/* Works it out anew: the health words, connect backoffs, drain, and priorities (the lowest number
 * serves; the next one helps if less than `panic` percent of it are ready). */
void availability_renew(struct pool *pool, uint64_t now_us);

/* The same, if anything has changed. To be called before each pick. */
void availability_refresh(struct pool *pool);

/* A connection to the backend failed. It is not picked for 250 ms, and twice as long each time
 * after that, up to 8 s, until it answers. */
void availability_refused(struct pool *pool, struct backend *backend, uint64_t now_us);
void availability_answered(struct backend *backend);

#endif
