/*
 * The random numbers that picks are made of: xoshiro256** (Blackman and Vigna, 2018), one generator
 * a worker, no system call per number. Not for tokens or ids: those come from getrandom(2).
 */
#ifndef TINYLB_BASE_RNG_H
#define TINYLB_BASE_RNG_H

#include <stdint.h>

struct rng {
	uint64_t s[4];
};

/* A root seed from the kernel, never 0. Returns 0, or -1 with errno set. */
int rng_root_seed(uint64_t *seed) __attribute__((warn_unused_result));

/*
 * Derives a stream of its own from the root seed and who asks: the worker's slot, its generation
 * and how often the slot was respawned. To be called after the fork: two processes must never share
 * a stream, and a respawned one must not replay its predecessor's.
 */
void rng_seed(struct rng *rng, uint64_t root, uint32_t slot, uint32_t generation, uint32_t respawn);

/* 64 random bits. */
uint64_t rng_next(struct rng *rng);

/* Unbiased in [0, bound), bound > 0 (Lemire 2019, "Fast random integer generation in an interval").
 */
uint32_t rng_below(struct rng *rng, uint32_t bound);

#endif
