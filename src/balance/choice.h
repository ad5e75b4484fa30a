/*
 * What all pickers share: which members they can have, who may be picked, a weighted draw among
 * those, and which of two has less to do.
 */
#ifndef TINYLB_BALANCE_CHOICE_H
#define TINYLB_BALANCE_CHOICE_H

#include <stdbool.h>

#include "alias.h"
#include "balance/picker.h"

/* The sum of the weights. False: that, or how many there are, does not fit into 32 bits. */
bool choice_sum(const struct picker_members *members, uint32_t *total)
	__attribute__((warn_unused_result));

/* Not tried, usable and not full. Says nothing of its weight. */
bool choice_is_allowed(const struct pick *pick, size_t index);

/*
 * A backend by its weight among those that are allowed and are not `except` (or PICKER_NONE), or
 * PICKER_NONE. Draws again when it hits another one; when that goes on, which it does rarely unless
 * most of the weight must not be picked, it looks at all of them, O(count).
 */
size_t choice_draw(const struct alias *table, const struct pick *pick, size_t except);

/* A backend that a pick may end with. */
struct candidate {
	size_t index; /* PICKER_NONE: nobody */
	uint64_t weight;
	uint64_t busy; /* requests in flight and failures, in PICKER_FAILUREs */
	struct picker_load load;
};

/* Asks for its load. */
struct candidate candidate_look(const struct pick *pick, size_t index, uint32_t weight);

/* Whether a would have less to do for its weight than b if it got the request: (in flight + 1) over
 * weight. */
bool candidate_is_freer(const struct candidate *a, const struct candidate *b);

#endif
