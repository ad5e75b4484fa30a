/*
 * The hot and cold rule of Prequal (B. Wydrowski, R. Kleinberg, S. Rumble, A. Archer, Load is not
 * what you should balance, 2024) on three weighted draws. A backend is hot when it has more
 * requests in flight for its weight than most have; of cold ones the one that answers fastest gets
 * the request, and when all are hot the least busy. Prequal asks its backends; a balancer sees both
 * figures itself.
 */
#include "config.h"

#include <assert.h>

#include "alias.h"
#include "balance/picker.h"
#include "base/memory.h"
#include "choice.h"

#define DRAWS 3

/* Hot is what lies above this quantile, in 1/256: 0.6, the lowest that Prequal found good. It knows
 * latencies at each load; here they are means of the past, so a queue says more. */
#define HOT_QUANTILE 154

/* One pick in so many takes its first draw as long as that is cold: nobody's latency is known only
 * from long ago, and a slow one that has become fast is found. */
#define EXPLORE_ONE_IN 16

struct picker {
	struct alias *table; /* owned */
	uint32_t members;    /* with a weight above 0 */
	/* What the quantile is now, in 1/256 of PICKER_FAILURE: each draw moves it up or down by
	 * steps whose ratio is that of the two sides (H. Robbins, S. Monro, 1951). */
	uint64_t threshold;
};

/* What a pick is between: a candidate and how busy it is for a backend of average weight. */
struct draw {
	struct candidate candidate;
	uint64_t busy;
};

static uint32_t count_members(const struct alias *t)
{
	uint32_t members = 0;

	for (uint32_t i = 0; i < t->count; i++)
		members += t->columns[i].weight > 0;
	return members;
}

static struct picker *latency_create(const struct picker_members *members)
{
	struct picker *p = mem_zalloc(1, sizeof *p);

	if (p == NULL)
		return NULL;
	p->table = alias_new(members->weights, members->count);
	if (p->table == NULL) {
		mem_free(p);
		return NULL;
	}
	p->members = count_members(p->table);
	return p;
}

static bool is_hot(const struct picker *p, const struct draw *d)
{
	return d->busy * 256 > p->threshold;
}

/* Steps grow with what they follow, so that a crowd is known for one within some dozens of draws.
 */
static void learn(struct picker *p, const struct draw *d)
{
	uint64_t step = p->threshold / 1024 + 64;

	if (is_hot(p, d))
		p->threshold += step * HOT_QUANTILE / 16;
	else if (p->threshold > step * (256 - HOT_QUANTILE) / 16)
		p->threshold -= step * (256 - HOT_QUANTILE) / 16;
	else
		p->threshold = 0;
}

/* One that nobody has heard of is fast as long as it is idle; with a request on its way, which may
 * never come back, it waits for that. */
static uint64_t expected_us(const struct candidate *c)
{
	if (c->load.latency_us != 0)
		return c->load.latency_us;
	return c->busy == 0 ? 0 : UINT64_MAX;
}

static bool is_better(const struct picker *p, const struct draw *a, const struct draw *b)
{
	bool hot = is_hot(p, a);

	if (hot != is_hot(p, b))
		return !hot;
	if (!hot && expected_us(&a->candidate) != expected_us(&b->candidate))
		return expected_us(&a->candidate) < expected_us(&b->candidate);
	return candidate_is_freer(&a->candidate, &b->candidate);
}

static size_t draw_one(struct picker *p, const struct pick *pick, size_t except, struct draw *d)
{
	size_t index = choice_draw(p->table, pick, except);

	if (index == PICKER_NONE)
		return index;
	d->candidate = candidate_look(pick, index, p->table->columns[index].weight);
	assert(p->members > 0);
	d->busy = d->candidate.busy * p->table->total / p->members / d->candidate.weight;
	return index;
}

static size_t latency_pick(struct picker *p, const struct pick *pick)
{
	struct draw best, other;
	size_t first;

	if (pick->view == NULL || pick->view->load == NULL)
		return choice_draw(p->table, pick, PICKER_NONE);
	first = draw_one(p, pick, PICKER_NONE, &best);
	if (first == PICKER_NONE)
		return first;
	learn(p, &best);
	if (rng_below(pick->rng, EXPLORE_ONE_IN) == 0 && !is_hot(p, &best))
		return first;
	for (int i = 1; i < DRAWS; i++) {
		if (draw_one(p, pick, first, &other) == PICKER_NONE)
			break;
		learn(p, &other);
		if (is_better(p, &other, &best))
			best = other;
	}
	return best.candidate.index;
}

static int latency_reweigh(struct picker *p, const unsigned *weights)
{
	if (alias_renew(&p->table, weights) == -1)
		return -1;
	p->members = count_members(p->table);
	return 0;
}

static void latency_destroy(struct picker *p)
{
	if (p == NULL)
		return;
	alias_free(p->table);
	mem_free(p);
}

const struct picker_kind picker_latency = {
	.name = "latency",
	.create = latency_create,
	.pick = latency_pick,
	.reweigh = latency_reweigh,
	.destroy = latency_destroy,
};
