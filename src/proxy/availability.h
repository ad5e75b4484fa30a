/*
 * Who of a pool may be picked: what the monitor says on the board, and what this worker has seen a
 * moment ago; who drains, and whose turn it is not yet. Worked out anew when one of them has
 * changed, at the next pick: nothing waits for a timer.
 */
#ifndef TINYLB_PROXY_AVAILABILITY_H
#define TINYLB_PROXY_AVAILABILITY_H

#include <stdbool.h>
#include <stdint.h>

#include "balance/health.h"

struct backend;
struct pool;

/* Of a pool. */
struct availability {
	struct health health;          /* what came out */
	struct health_report *reports; /* owned: what goes in */
	size_t well_count;             /* that may be picked and are ready, whoever's turn it is */
	uint32_t version;              /* of the board's health words that it is made of */
	uint64_t due_us; /* something that this worker has seen ends; UINT64_MAX: nothing
			    does */
};

/* How long the backend is not picked, since it took no connection: of this worker alone, until the
 * monitor knows. */
struct connect_backoff {
	uint64_t until_us; /* 0: it is picked */
	uint32_t ms;       /* so long that was the last time */
};

/* 0, or -1 when memory is short. */
int availability_init(struct pool *pool) __attribute__((warn_unused_result));
void availability_fini(struct pool *pool);

/* To be called before each pick. */
static inline bool availability_is_due(
	const struct availability *standing, uint32_t version, uint64_t now_us)
{
	return version != standing->version || now_us >= standing->due_us;
}
void availability_renew(struct pool *pool, uint64_t now_us);

/* No connection to the backend came about. The first time it is left alone for 250 ms, and twice as
 * long each time after that, up to 8 s; until it answers. */
void availability_refused(struct pool *pool, struct backend *backend, uint64_t now_us);
void availability_answered(struct backend *backend);

#endif
