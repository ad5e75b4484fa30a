/*
 * Equal keys meet at the same backend. A key is looked up in a Maglev table, which is made once.
 * A backend that must not be picked stays in it: the key is hashed again, and again, so exactly the
 * keys of the backends that are away move, evenly over the others, and come back with them.
 *
 * A popular key must not overload its backend: one that has 1.5 times its share of the requests in
 * flight takes no more, and the key goes on as if it was away (V. Mirrokni, M. Thorup, M.
 * Zadimoghaddam, Consistent hashing with bounded loads, 2016).
 */
#include "config.h"

#include <assert.h>

#include "balance/picker.h"
#include "base/memory.h"
#include "choice.h"
#include "maglev.h"

/* Hashes of one key. When three quarters of the weight are away all of them miss for one key in
 * 100 million; such keys are told by looking at all. */
#define HASHES 64

/* What a share of 1 is in `shares`. */
#define WHOLE_SHARE 65536u

/* So many requests are nobody's overload: a pool with little to do keeps keys together. */
#define ALWAYS_IN_FLIGHT 4

struct picker {
	struct maglev table;
	uint32_t count;
	uint64_t total;    /* of the weights */
	uint32_t *weights; /* owned; those of now */
	uint32_t *base;    /* owned; those that the table was made with */
	uint32_t *shares;  /* owned; weight over base, of the largest such */
};

static void hash_destroy(struct picker *p)
{
	if (p == NULL)
		return;
	maglev_fini(&p->table);
	mem_free(p->weights);
	mem_free(p->base);
	mem_free(p->shares);
	mem_free(p);
}

static int hash_reweigh(struct picker *p, const unsigned *weights)
{
	uint64_t most = 0;

	p->total = 0;
	for (uint32_t i = 0; i < p->count; i++) {
		p->weights[i] = weights[i];
		p->total += weights[i];
		if (p->base[i] > 0 && (uint64_t)weights[i] * WHOLE_SHARE / p->base[i] > most)
			most = (uint64_t)weights[i] * WHOLE_SHARE / p->base[i];
	}
	for (uint32_t i = 0; i < p->count && most > 0; i++)
		if (p->base[i] > 0)
			p->shares[i] = (uint32_t)((uint64_t)weights[i] * WHOLE_SHARE / p->base[i] *
						  WHOLE_SHARE / most);
	return 0;
}

static struct picker *hash_create(const struct picker_members *members)
{
	size_t count = members->count;
	uint32_t total;
	struct picker *p;

	if (!choice_sum(members, &total))
		return NULL;
	p = mem_zalloc(1, sizeof *p);
	if (p == NULL)
		return NULL;
	p->count = (uint32_t)count;
	p->weights = mem_zalloc(count + 1, sizeof *p->weights);
	p->base = mem_zalloc(count + 1, sizeof *p->base);
	p->shares = mem_zalloc(count + 1, sizeof *p->shares);
	if (p->weights == NULL || p->base == NULL || p->shares == NULL ||
		(total > 0 && maglev_init(&p->table, members) == -1)) {
		hash_destroy(p);
		return NULL;
	}
	for (size_t i = 0; i < count; i++)
		p->base[i] = members->weights[i];
	return hash_reweigh(p, members->weights) == 0 ? p : NULL;
}

/* In a slow start only some keys come yet, always the same ones. */
static bool takes_key(const struct picker *p, const struct pick *pick, size_t i, uint64_t bits)
{
	return p->weights[i] > 0 && (uint32_t)(bits % WHOLE_SHARE) < p->shares[i] &&
	       choice_is_allowed(pick, i);
}

static bool has_room(const struct picker *p, const struct candidate *c, uint64_t in_flight)
{
	uint64_t busy = c->busy / PICKER_FAILURE + 1;

	return busy <= ALWAYS_IN_FLIGHT ||
	       (busy - 1) * 2 * p->total < 3 * (in_flight + 1) * c->weight;
}

/* By weight, with the key for the coin. */
static size_t choose_of_all(const struct picker *p, const struct pick *pick)
{
	uint64_t left = 0;
	uint64_t coin;

	for (uint32_t i = 0; i < p->count; i++)
		if (choice_is_allowed(pick, i))
			left += p->weights[i];
	if (left == 0)
		return PICKER_NONE;
	coin = maglev_mix(pick->key) % left;
	for (uint32_t i = 0; i < p->count; i++) {
		if (!choice_is_allowed(pick, i))
			continue;
		if (coin < p->weights[i])
			return i;
		coin -= p->weights[i];
	}
	return PICKER_NONE;
}

static size_t hash_pick(struct picker *p, const struct pick *pick)
{
	const struct picker_view *view = pick->view;
	bool bounded = view != NULL && view->load != NULL && view->in_flight != NULL;
	uint64_t in_flight = bounded ? view->in_flight(view) : 0;
	uint64_t bits = maglev_mix(pick->key);
	struct candidate best = { .index = PICKER_NONE };

	if (p->total == 0)
		return PICKER_NONE;
	for (int i = 0; i < HASHES; i++, bits = maglev_mix(bits + 1)) {
		size_t index = maglev_find(&p->table, bits);
		struct candidate c;

		assert(index < p->count);
		if (!takes_key(p, pick, index, bits))
			continue;
		if (!bounded)
			return index;
		c = candidate_look(pick, index, p->weights[index]);
		if (has_room(p, &c, in_flight))
			return index;
		if (best.index == PICKER_NONE || candidate_is_freer(&c, &best))
			best = c;
	}
	return best.index != PICKER_NONE ? best.index : choose_of_all(p, pick);
}

const struct picker_kind picker_hash = {
	.name = "hash",
	.create = hash_create,
	.pick = hash_pick,
	.reweigh = hash_reweigh,
	.destroy = hash_destroy,
};
