/*
 * Weighted random choice by Walker's alias table, built as Vose (1991) does but in whole numbers:
 * the chance of each backend is its weight over the total, exactly. It knows nothing of health;
 * what a request must not get again comes with each pick.
 */
#include "config.h"

#include <stdbool.h>

#include "balance/picker.h"
#include "base/memory.h"

/* Draws that may hit a backend already tried before the rest is looked at one by one. */
#define REDRAWS 4

/*
 * Every column is drawn equally often. Of `total` coins that can fall in it, the first `threshold`
 * stand for the column's own backend and the rest for its alias. So a backend of weight w owns w *
 * count of the total * count pairs of column and coin.
 */
struct column {
	uint32_t threshold;
	uint32_t alias;
	uint32_t weight;
};

struct picker {
	uint32_t count;
	uint32_t total; /* of the weights */
	struct column columns[];
};

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
static void build_columns(struct picker *p, struct build *b)
{
	while (b->small > 0) {
		uint32_t poor = b->stack[--b->small];
		uint32_t rich = b->stack[b->large++];

		p->columns[poor].threshold = (uint32_t)b->shares[poor];
		p->columns[poor].alias = rich;
		b->shares[rich] -= p->total - b->shares[poor];
		build_push(b, rich, p->total);
	}
	for (; b->large < p->count; b->large++) {
		uint32_t i = b->stack[b->large];

		p->columns[i].threshold = p->total;
		p->columns[i].alias = i;
	}
}

static int build_table(struct picker *p)
{
	struct build b = { .large = p->count };
	int result = -1;

	b.shares = mem_zalloc(p->count, sizeof *b.shares);
	b.stack = mem_zalloc(p->count, sizeof *b.stack);
	if (b.shares == NULL || b.stack == NULL)
		goto out;
	for (uint32_t i = 0; i < p->count; i++) {
		b.shares[i] = (uint64_t)p->columns[i].weight * p->count;
		build_push(&b, i, p->total);
	}
	build_columns(p, &b);
	result = 0;
out:
	mem_free(b.shares);
	mem_free(b.stack);
	return result;
}

static struct picker *random_create(const unsigned *weights, size_t count)
{
	struct picker *p;
	uint64_t total = 0;

	for (size_t i = 0; i < count; i++)
		total += weights[i];
	if (count > UINT32_MAX || total > UINT32_MAX)
		return NULL;
	p = mem_alloc(sizeof *p + count * sizeof p->columns[0]);
	if (p == NULL)
		return NULL;
	p->count = (uint32_t)count;
	p->total = (uint32_t)total;
	for (size_t i = 0; i < count; i++)
		p->columns[i] = (struct column){ .weight = weights[i] };
	if (total > 0 && build_table(p) == -1) {
		mem_free(p);
		return NULL;
	}
	return p;
}

static bool is_tried(const struct pick *pick, size_t index)
{
	for (size_t i = 0; i < pick->tried_count; i++)
		if (pick->tried[i] == index)
			return true;
	return false;
}

static size_t draw(const struct picker *p, struct rng *rng)
{
	uint32_t i;

	/* Where there is no choice no number is spent. */
	if (p->count == 1)
		return 0;
	i = rng_below(rng, p->count);
	return rng_below(rng, p->total) < p->columns[i].threshold ? i : p->columns[i].alias;
}

/* Chooses among those not tried by walking over all of them. */
static size_t choose_untried(const struct picker *p, const struct pick *pick)
{
	uint32_t left = 0;
	uint32_t coin;

	for (uint32_t i = 0; i < p->count; i++)
		if (!is_tried(pick, i))
			left += p->columns[i].weight;
	if (left == 0)
		return PICKER_NONE;
	coin = rng_below(pick->rng, left);
	for (uint32_t i = 0; i < p->count; i++) {
		if (is_tried(pick, i))
			continue;
		if (coin < p->columns[i].weight)
			return i;
		coin -= p->columns[i].weight;
	}
	return PICKER_NONE;
}

/* A draw that hits a tried backend is thrown away, and so is what it said: the ones that are kept
 * have their chances given that they are untried, which is how choose_untried chooses too. */
static size_t random_pick(struct picker *p, const struct pick *pick)
{
	if (p->total == 0)
		return PICKER_NONE;
	if (pick->tried_count == 0)
		return draw(p, pick->rng);
	for (int i = 0; i < REDRAWS; i++) {
		size_t index = draw(p, pick->rng);

		if (!is_tried(pick, index))
			return index;
	}
	return choose_untried(p, pick);
}

static void random_destroy(struct picker *p)
{
	mem_free(p);
}

const struct picker_kind picker_random = {
	.name = "random",
	.create = random_create,
	.pick = random_pick,
	.destroy = random_destroy,
};
