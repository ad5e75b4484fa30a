/* Builds the alias table: with two stacks of backends, those that have less than a column's worth
 * left and those that have more. */
#include "config.h"

#include "alias.h"

#include <assert.h>

#include "base/memory.h"

/* The table while it is built. `shares` are what is still to be placed of each backend, in coins;
 * the two stacks of backends with less and with at least one column's worth grow towards each
 * other. */
struct build {
	uint64_t *shares;
	uint32_t *stack;
	uint32_t small;
	uint32_t large;
};

static void build_push(struct build *b, uint32_t i, uint32_t total)
{
	if (b->shares[i] < total)
		b->stack[b->small++] = i;
	else
		b->stack[--b->large] = i;
}

/* Fills each column with less than its worth from a backend that has more. The shares always sum to
 * what the open columns hold, so while one is short another has some to give. */
static void build_columns(struct alias *t, struct build *b)
{
	while (b->small > 0) {
		uint32_t poor = b->stack[--b->small];
		uint32_t rich;

		assert(b->large < t->count);
		rich = b->stack[b->large++];
		t->columns[poor].threshold = (uint32_t)b->shares[poor];
		t->columns[poor].alias = rich;
		b->shares[rich] -= t->total - b->shares[poor];
		build_push(b, rich, t->total);
	}
	for (; b->large < t->count; b->large++) {
		uint32_t i = b->stack[b->large];

		t->columns[i].threshold = t->total;
		t->columns[i].alias = i;
	}
}

static int build_table(struct alias *t)
{
	struct build b = { .large = t->count };
	int result = -1;

	b.shares = mem_zalloc(t->count, sizeof *b.shares);
	b.stack = mem_zalloc(t->count, sizeof *b.stack);
	if (b.shares == NULL || b.stack == NULL)
		goto out;
	for (uint32_t i = 0; i < t->count; i++) {
		b.shares[i] = (uint64_t)t->columns[i].weight * t->count;
		build_push(&b, i, t->total);
	}
	build_columns(t, &b);
	result = 0;
out:
	mem_free(b.shares);
	mem_free(b.stack);
	return result;
}

struct alias *alias_new(const unsigned *weights, size_t count)
{
	struct alias *t;
	uint64_t total = 0;

	for (size_t i = 0; i < count; i++)
		total += weights[i];
	if (count > UINT32_MAX || total > UINT32_MAX)
		return NULL;
	t = mem_alloc(sizeof *t + count * sizeof t->columns[0]);
	if (t == NULL)
		return NULL;
	t->count = (uint32_t)count;
	t->total = (uint32_t)total;
	for (size_t i = 0; i < count; i++)
		t->columns[i] = (struct alias_column){ .weight = weights[i] };
	if (total > 0 && build_table(t) == -1) {
		mem_free(t);
		return NULL;
	}
	return t;
}

void alias_free(struct alias *t)
{
	mem_free(t);
}

int alias_renew(struct alias **table, const unsigned *weights)
{
	struct alias *t = alias_new(weights, (*table)->count);

	if (t == NULL)
		return -1;
	alias_free(*table);
	*table = t;
	return 0;
}
