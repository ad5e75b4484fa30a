/*
 * Which backends of a pool may be picked: by what the monitor says on the board, by what this
 * worker has seen a moment ago, and by `drain`, priorities and `backup`. It is worked out anew at
 * the next pick after one of them has changed: no timer runs.
 */
#ifndef TINYLB_UPSTREAM_AVAILABILITY_H
#define TINYLB_UPSTREAM_AVAILABILITY_H

#include <stdint.h>

struct backend;
struct pool;

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
void availability_responded(struct backend *backend);

#endif
