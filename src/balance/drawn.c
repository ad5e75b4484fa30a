/* The life of a picker that is an alias table and nothing else. */
#include "config.h"

#include "drawn.h"

#include "base/memory.h"

struct picker *drawn_create(const struct picker_members *members)
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

int drawn_reweigh(struct picker *p, const unsigned *weights)
{
	return alias_renew(&p->table, weights);
}

void drawn_destroy(struct picker *p)
{
	if (p == NULL)
		return;
	alias_free(p->table);
	mem_free(p);
}
