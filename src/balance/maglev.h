/*
 * The lookup table of Maglev (D. Eisenbud and others, Maglev: a fast and reliable software network
 * load balancer, 2016): each backend has an order of its own in which it wants the places, and in
 * turn each takes the first free one of its order. When one backend is gone nearly all places of
 * the others stay theirs.
 */
#ifndef TINYLB_BALANCE_MAGLEV_H
#define TINYLB_BALANCE_MAGLEV_H

#include <assert.h>
#include <stddef.h>
#include <stdint.h>

#include "balance/picker.h"

struct maglev {
	uint32_t places;  /* a prime */
	uint16_t *narrow; /* owned; indices, where 16 bits hold them */
	uint32_t *wide;   /* owned; otherwise */
};

/* Weights are numbers of turns. 0, or -1 when memory is short; then maglev_fini is fine too. The
 * sum of weights must not be 0. O(places log count). */
int maglev_init(struct maglev *table, const struct picker_members *members)
	__attribute__((warn_unused_result));
void maglev_fini(struct maglev *table);

/* Spreads the bits of any number over 64. */
uint64_t maglev_mix(uint64_t x);

/* The backend at the place that these 64 random bits stand for. */
static inline size_t maglev_find(const struct maglev *table, uint64_t bits)
{
	uint64_t place = (bits >> 32) * table->places >> 32;

	assert(place < table->places);
	return table->narrow != NULL ? table->narrow[place] : table->wide[place];
}

#endif
