/*
 * The draws that hit somebody who must not be picked are thrown away, and so is what they said: the
 * ones that are kept have their chances given that they are allowed, which is how the walk over all
 * of them chooses too.
 */
#include "config.h"

#include "choice.h"

#include <assert.h>

#include "balance/health.h"

/* Draws that may hit one that is not allowed before all are looked at one by one. Among 10,000 of
 * which half the weight is gone that happens for one pick in 65,536. */
#define REDRAWS 16

bool choice_sum(const struct picker_members *members, uint32_t *total)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < members->count; i++)
		sum += members->weights[i];
	*total = (uint32_t)sum;
	return members->count <= UINT32_MAX && sum <= UINT32_MAX;
}

bool choice_is_allowed(const struct pick *pick, size_t index)
{
	const struct picker_view *view = pick->view;

	for (size_t i = 0; i < pick->tried_count; i++)
		if (pick->tried[i] == index)
			return false;
	if (view == NULL)
		return true;
	if (view->usable != NULL && !health_is_usable(view->usable, index))
		return false;
	return view->is_full == NULL || !view->is_full(view, index);
}

static bool fits(const struct alias *t, const struct pick *pick, size_t except, uint32_t i)
{
	return t->columns[i].weight > 0 && i != except && choice_is_allowed(pick, i);
}

static size_t choose_of_all(const struct alias *t, const struct pick *pick, size_t except)
{
	uint32_t left = 0;
	uint32_t coin;

	for (uint32_t i = 0; i < t->count; i++)
		if (fits(t, pick, except, i))
			left += t->columns[i].weight;
	if (left == 0)
		return PICKER_NONE;
	coin = rng_below(pick->rng, left);
	for (uint32_t i = 0; i < t->count; i++) {
		if (!fits(t, pick, except, i))
			continue;
		if (coin < t->columns[i].weight)
			return i;
		coin -= t->columns[i].weight;
	}
	return PICKER_NONE;
}

size_t choice_draw(const struct alias *t, const struct pick *pick, size_t except)
{
	if (t->total == 0)
		return PICKER_NONE;
	for (int i = 0; i < REDRAWS; i++) {
		size_t index = alias_draw(t, pick->rng);

		if (index != except && choice_is_allowed(pick, index))
			return index;
	}
	return choose_of_all(t, pick, except);
}

struct candidate candidate_look(const struct pick *pick, size_t index, uint32_t weight)
{
	struct candidate c = { .index = index, .weight = weight };

	/* Pickers divide by it. */
	assert(weight > 0);
	if (pick->view != NULL && pick->view->load != NULL)
		pick->view->load(pick->view, index, &c.load);
	c.busy = (uint64_t)c.load.in_flight * PICKER_FAILURE + c.load.failing;
	return c;
}

bool candidate_is_freer(const struct candidate *a, const struct candidate *b)
{
	return (a->busy + PICKER_FAILURE) * b->weight < (b->busy + PICKER_FAILURE) * a->weight;
}
