/*
 * Walker's alias table: a weighted random draw in two steps, whatever the number of backends. Built
 * as Vose does (A linear algorithm for generating random numbers with a given distribution, 1991)
 * but in whole numbers, so that the chance of each backend is exactly its weight over the total.
 */
#ifndef TINYLB_BALANCE_ALIAS_H
#define TINYLB_BALANCE_ALIAS_H

#include <stddef.h>
#include <stdint.h>

#include "base/rng.h"

/*
 * Every column is drawn equally often. Of `total` coins that can fall in it, the first `threshold`
 * stand for the column's own backend and the rest for its alias. So a backend of weight w owns w *
 * count of the total * count pairs of column and coin.
 */
struct alias_column {
	uint32_t threshold;
	uint32_t alias;
	uint32_t weight;
};

struct alias {
	uint32_t count;
	uint32_t total; /* of the weights */
	struct alias_column columns[];
};

/* NULL when memory is short or the total does not fit. */
struct alias *alias_new(const unsigned *weights, size_t count);
void alias_free(struct alias *table); /* NULL is fine */

/* Puts a new table in the place of *table; -1: memory is short, and nothing has changed. */
int alias_renew(struct alias **table, const unsigned *weights) __attribute__((warn_unused_result));

/* An index; the total must not be 0. */
static inline size_t alias_draw(const struct alias *table, struct rng *rng)
{
	uint32_t i;

	/* Where there is no choice no number is spent. */
	if (table->count == 1)
		return 0;
	i = rng_below(rng, table->count);
	return rng_below(rng, table->total) < table->columns[i].threshold ? i
									  : table->columns[i].alias;
}

#endif
