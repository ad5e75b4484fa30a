/*
 * Weighted random choice: one draw from an alias table. It does not look at what backends are
 * doing; who may be picked at all comes with each pick.
 */
#include "config.h"

#include "alias.h"
#include "balance/picker.h"
#include "base/memory.h"
#include "choice.h"

struct picker {
	struct alias *table; /* owned */
};

static struct picker *random_create(const struct picker_members *members)
{
	struct picker *p = mem_alloc(sizeof *p);

	if (p == NULL)
		return NULL;
	p->table = alias_new(members->weights, members->count);
	if (p->table != NULL)
		return p;
	mem_free(p);
	return NULL;
}

static size_t random_pick(struct picker *p, const struct pick *pick)
{
	return choice_draw(p->table, pick, PICKER_NONE);
}

static int random_reweigh(struct picker *p, const unsigned *weights)
{
	return alias_renew(&p->table, weights);
}

static void random_destroy(struct picker *p)
{
	if (p == NULL)
		return;
	alias_free(p->table);
	mem_free(p);
}

const struct picker_kind picker_random = {
	.name = "random",
	.create = random_create,
	.pick = random_pick,
	.reweigh = random_reweigh,
	.destroy = random_destroy,
};
