/*
 * The less busy of two backends drawn by weight. M. Mitzenmacher, The power of two choices in
 * randomized load balancing (2001): queues become short doubly exponentially. As every draw is
 * random, workers that see the same stale numbers do not all run to the same backend.
 */
#include "config.h"

#include "choice.h"
#include "drawn.h"

/*
 * Two idle ones are equal whatever their weights: else one of a large weight would get all that
 * comes one at a time. Between equals recent requests decide, and when they say nothing the first
 * draw does, for that is a coin that knows the weights.
 */
static bool second_is_better(const struct candidate *first, const struct candidate *second)
{
	if (first->busy != 0 || second->busy != 0) {
		if (candidate_is_freer(first, second))
			return false;
		if (candidate_is_freer(second, first))
			return true;
	}
	return second->load.recent * first->weight < first->load.recent * second->weight;
}

static size_t two_pick(struct picker *p, const struct pick *pick)
{
	const struct alias *t = p->table;
	size_t a = choice_draw(t, pick, PICKER_NONE);
	struct candidate first, second;
	size_t b;

	if (a == PICKER_NONE || pick->view == NULL || pick->view->load == NULL)
		return a;
	b = choice_draw(t, pick, a);
	if (b == PICKER_NONE)
		return a;
	first = candidate_look(pick, a, t->columns[a].weight);
	second = candidate_look(pick, b, t->columns[b].weight);
	return second_is_better(&first, &second) ? b : a;
}

const struct picker_kind picker_two_choices = {
	.name = "two_choices",
	.create = drawn_create,
	.pick = two_pick,
	.reweigh = drawn_reweigh,
	.destroy = drawn_destroy,
};
