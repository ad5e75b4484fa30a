/*
 * xoshiro256** and what turns it into a stream for each worker and a number below a bound. It keeps
 * no state of its own: the caller brings the generator.
 */
#include "config.h"

#include "base/rng.h"

#include <assert.h>
#include <errno.h>
#include <sys/random.h>
#include <sys/types.h>

/* The step of splitmix64 (Steele, Lea and Flood 2014): 2^64 over the golden ratio. */
#define GOLDEN 0x9e3779b97f4a7c15u

static uint64_t rotate_left(uint64_t x, int n)
{
	return (x << n) | (x >> (64 - n));
}

/* The finalizer of splitmix64: a bijection, so different inputs stay different. */
static uint64_t mix(uint64_t z)
{
	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
	return z ^ (z >> 31);
}

int rng_root_seed(uint64_t *seed)
{
	uint64_t drawn = 0;

	while (drawn == 0) {
		ssize_t n = getrandom(&drawn, sizeof drawn, 0);

		if (n == -1 && errno != EINTR)
			return -1;
		if (n != (ssize_t)sizeof drawn)
			drawn = 0;
	}
	*seed = drawn;
	return 0;
}

void rng_seed(struct rng *rng, uint64_t root, uint32_t slot, uint32_t generation, uint32_t respawn)
{
	/* One after the other, not mix(slot) ^ mix(generation): there equal numbers would cancel.
	 */
	uint64_t state = mix(root + GOLDEN);

	state = mix(state ^ ((uint64_t)slot << 32 | generation));
	state = mix(state ^ respawn);
	/* Four outputs of splitmix64 are never all 0, the one state that xoshiro must not have. */
	for (int i = 0; i < 4; i++) {
		state += GOLDEN;
		rng->s[i] = mix(state);
	}
}

uint64_t rng_next(struct rng *rng)
{
	uint64_t *s = rng->s;
	uint64_t result = rotate_left(s[1] * 5, 7) * 9;
	uint64_t shifted = s[1] << 17;

	s[2] ^= s[0];
	s[3] ^= s[1];
	s[1] ^= s[2];
	s[0] ^= s[3];
	s[2] ^= shifted;
	s[3] = rotate_left(s[3], 45);
	return result;
}

uint32_t rng_below(struct rng *rng, uint32_t bound)
{
	uint64_t product = (rng_next(rng) >> 32) * bound;

	assert(bound > 0);
	/* The low half below 2^32 mod bound: one of the draws that some results have too many of.
	 * The first comparison spares nearly every call the division. */
	if ((uint32_t)product < bound) {
		uint32_t surplus = -bound % bound;

		while ((uint32_t)product < surplus)
			product = (rng_next(rng) >> 32) * bound;
	}
	return (uint32_t)(product >> 32);
}
