/*
 * The backend with the fewest requests in flight for its weight, of all in a pool of up to four and
 * of four weighted draws in a larger one. In the model of Mitzenmacher (2001) the mean time at a
 * load of 0.9 is 1.78 service times with four draws, 1.19 with 16, 2.61 with two; at 0.99 it is
 * 3.24. So much for numbers of just now: with those of five service times ago the more draws there
 * are the more workers meet at the same few backends (M. Mitzenmacher, How useful is old
 * information?, 2000), and in the simulation (tests/bench/README) five draws or more are worse than
 * round_robin, which looks at nothing.
 *
 * The one with the very fewest would get the next request of every worker, as long as those see old
 * numbers. So it is drawn, by weight, among all that would be below the best if they had one
 * request less: those that one request makes or breaks.
 */
#include "config.h"

#include <assert.h>

#include "choice.h"
#include "drawn.h"

#define DRAWS 4

/* Fills in all that may be picked; returns how many. */
static size_t look_at_all(
	const struct alias *t, const struct pick *pick, struct candidate candidates[DRAWS])
{
	size_t n = 0;

	assert(t->count <= DRAWS);
	for (uint32_t i = 0; i < t->count; i++)
		if (t->columns[i].weight > 0 && choice_is_allowed(pick, i))
			candidates[n++] = candidate_look(pick, i, t->columns[i].weight);
	return n;
}

/* The same one may come twice: that it came by its weight makes up for the weight. */
static size_t look_at_some(
	const struct alias *t, const struct pick *pick, struct candidate candidates[DRAWS])
{
	for (size_t n = 0; n < DRAWS; n++) {
		size_t index = choice_draw(t, pick, PICKER_NONE);

		if (index == PICKER_NONE)
			return 0;
		candidates[n] = candidate_look(pick, index, t->columns[index].weight);
	}
	return DRAWS;
}

static const struct candidate *find_best(const struct candidate *candidates, size_t n)
{
	const struct candidate *best = &candidates[0];

	assert(n > 0);
	for (size_t i = 1; i < n; i++)
		if (candidate_is_freer(&candidates[i], best))
			best = &candidates[i];
	return best;
}

/* Whether one request less would put it below the best. */
static bool is_near(const struct candidate *c, const struct candidate *best)
{
	return c->busy * best->weight < (best->busy + PICKER_FAILURE) * c->weight;
}

static size_t draw_near(
	struct rng *rng, const struct candidate *candidates, size_t n, bool by_weight)
{
	const struct candidate *best = find_best(candidates, n);
	uint32_t total = 0;
	uint32_t coin;

	for (size_t i = 0; i < n; i++)
		if (is_near(&candidates[i], best))
			total += by_weight ? (uint32_t)candidates[i].weight : 1;
	coin = rng_below(rng, total);
	for (size_t i = 0;; i++) {
		uint32_t lot = by_weight ? (uint32_t)candidates[i].weight : 1;

		if (!is_near(&candidates[i], best))
			continue;
		if (coin < lot)
			return candidates[i].index;
		coin -= lot;
	}
}

static size_t least_pick(struct picker *p, const struct pick *pick)
{
	struct candidate candidates[DRAWS];
	bool all = p->table->count <= DRAWS;
	size_t n;

	if (pick->view == NULL || pick->view->load == NULL)
		return choice_draw(p->table, pick, PICKER_NONE);
	n = all ? look_at_all(p->table, pick, candidates)
		: look_at_some(p->table, pick, candidates);
	return n == 0 ? PICKER_NONE : draw_near(pick->rng, candidates, n, all);
}

const struct picker_kind picker_least_requests = {
	.name = "least_requests",
	.create = drawn_create,
	.pick = least_pick,
	.reweigh = drawn_reweigh,
	.destroy = drawn_destroy,
};
