/*
 * A picker chooses one backend of a pool for a request. It uses no socket and no clock: the caller
 * gives it random numbers and what is known of the backends. Each algorithm is a file that defines
 * one struct picker_kind.
 */
#ifndef TINYLB_BALANCE_PICKER_H
#define TINYLB_BALANCE_PICKER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/rng.h"

#define PICKER_NONE SIZE_MAX

/* One request or failure of just now, in the unit of picker_load.recent and .failing. */
#define PICKER_FAILURE 256

/* What one backend is doing, for all workers together, as far as the caller knows. Zeros mean that
 * nothing is known; they are allowed. */
struct picker_load {
	uint32_t in_flight;  /* requests that it has now; counted from the pick on, not from
				connecting */
	uint32_t recent;     /* requests that it got, each PICKER_FAILURE at first and nothing after
				a second */
	uint32_t failing;    /* failures that it had, in the same unit */
	uint32_t latency_us; /* estimate of what an answer takes at such a load; 0: not known */
};

/* What is known of the backends of a pool. Every member may be NULL. */
struct picker_view {
	const void *context; /* the callbacks' own */
	/* A bit for each backend that may be picked, the lowest of [0] for the first: those of
	 * struct health. NULL: all. */
	const uint64_t *usable;
	/* Whether a backend that may be picked has all the requests now that it may have. */
	bool (*is_full)(const struct picker_view *view, size_t index);
	/* Fills in `load`, which is all zeros. Asked only for the few backends that a pick is
	 * between. */
	void (*load)(const struct picker_view *view, size_t index, struct picker_load *load);
	/* Requests that all backends have now; only the bound of `hash` asks. */
	uint64_t (*in_flight)(const struct picker_view *view);
};

/* What a pick may look at. */
struct pick {
	struct rng *rng;
	const size_t *tried; /* backends that this request must not get again */
	size_t tried_count;
	const struct picker_view *view; /* NULL: nothing is known, and all may be picked */
	uint64_t key; /* for `hash`: of any quality, but equal for what shall meet again */
};

/* The backends of a pool when its picker is made; the arrays are the caller's. */
struct picker_members {
	const unsigned *weights; /* 0 to PICKER_WEIGHT_MAX */
	const uint64_t *ids; /* for `hash`: a hash of what each one is called; NULL: its index */
	size_t count;
};

/* Weights of the settings go to 256; health_update multiplies them. */
#define PICKER_WEIGHT_MAX 65536u

struct picker;

/* One algorithm. */
struct picker_kind {
	const char *name;
	/* NULL when memory is short, or the weights' sum does not fit into 32 bits. */
	struct picker *(*create)(const struct picker_members *members);
	/* An index, or PICKER_NONE when no backend with a weight above 0 is left. */
	size_t (*pick)(struct picker *picker, const struct pick *pick);
	/* Takes as many other weights: those of struct health whenever it has changed. O(count).
	 * Returns 0, or -1 when memory was short: the old weights stay. Picks are right even then,
	 * because `usable` counts too, but slower. */
	int (*reweigh)(struct picker *picker, const unsigned *weights);
	void (*destroy)(struct picker *picker); /* NULL is fine */
};

/* Weighted random, exact in distribution: Walker's alias table as built by Vose (1991). O(count) to
 * build, two steps to pick. */
extern const struct picker_kind picker_random;

/* Smooth weighted round robin, each worker in an order of its own; O(log count) (Zhang 1990). */
extern const struct picker_kind picker_round_robin;

/* Draws two distinct backends by weight and picks the one with fewer requests in flight for its
 * weight. Between equals it picks the one with fewer recent requests (Mitzenmacher 2001). */
extern const struct picker_kind picker_two_choices;

/* Picks the backend with the fewest requests in flight for its weight: of all when there are up to
 * 4, else of 4 weighted draws. It is random among those that are as good but for one request. */
extern const struct picker_kind picker_least_requests;

/* Draws three backends by weight and picks the fastest of those that are not busier than most, else
 * the least busy (Prequal 2024). One pick in 16 takes its first draw, as long as that is not busy.
 */
extern const struct picker_kind picker_latency;

/* The same key, the same backend, as long as that may be picked and has less than 1.5 times its
 * share of what is in flight (Maglev 2016, bounded loads 2016). Draws no random numbers. */
extern const struct picker_kind picker_hash;

#endif
