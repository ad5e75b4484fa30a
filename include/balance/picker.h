/*
 * Picks one backend of a pool for a request. Pure: no socket, no clock; whoever calls brings the
 * random numbers. One file an algorithm.
 */
#ifndef TINYLB_BALANCE_PICKER_H
#define TINYLB_BALANCE_PICKER_H

#include <stddef.h>
#include <stdint.h>

#include "base/rng.h"

#define PICKER_NONE SIZE_MAX

/* What a pick may look at. */
struct pick {
	struct rng *rng;
	const size_t *tried; /* backends that this request must not get again */
	size_t tried_count;
};

struct picker;

/* One algorithm. */
struct picker_kind {
	const char *name;
	/* Makes a picker over `count` backends with these weights (0 to 256, the array is the
	 * caller's); NULL when memory is short. */
	struct picker *(*create)(const unsigned *weights, size_t count);
	/* An index, or PICKER_NONE when no backend with a weight above 0 is left. */
	size_t (*pick)(struct picker *picker, const struct pick *pick);
	void (*destroy)(struct picker *picker); /* NULL is fine */
};

/* Weighted random, exact in distribution: Walker's alias table as built by Vose (1991). O(count) to
 * build, two steps to pick. */
extern const struct picker_kind picker_random;

/* The kind with this name, or NULL. picker_kinds is all of them, ended by NULL. */
const struct picker_kind *picker_find(const char *name);
extern const struct picker_kind *const picker_kinds[];

#endif
