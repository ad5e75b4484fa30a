/*
 * Weighted random choice: one draw from an alias table. It does not look at what backends are
 * doing; who may be picked at all comes with each pick.
 */
#include "config.h"

#include "choice.h"
#include "drawn.h"

static size_t random_pick(struct picker *p, const struct pick *pick)
{
	return choice_draw(p->table, pick, PICKER_NONE);
}

const struct picker_kind picker_random = {
	.name = "random",
	.create = drawn_create,
	.pick = random_pick,
	.reweigh = drawn_reweigh,
	.destroy = drawn_destroy,
};
