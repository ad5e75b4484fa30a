/*
 * Smooth weighted round robin: earliest deadline first (as fair queueing does: L. Zhang, Virtual
 * clock, 1990). In each round a backend has as many turns as its weight says, at even distances.
 * The first turns are drawn: workers that went through the same order in step would all come to the
 * same backend at once.
 *
 * O(log count) a pick. A backend that must not be picked is passed over when its turn comes. Only a
 * pool with no backend that may be picked is gone through, so a caller that knows that all are full
 * does not ask.
 */
#include "config.h"

#include <assert.h>

#include "balance/picker.h"
#include "base/memory.h"
#include "choice.h"
#include "turns.h"

struct picker {
	struct turns turns;
	struct turn *heap; /* owned; room for all */
	uint64_t *due;     /* owned; of each backend while weights change */
	uint32_t *weights; /* owned */
	uint32_t count;
	bool begun; /* deadlines are set */
	struct rng rng;
};

static void robin_destroy(struct picker *p)
{
	if (p == NULL)
		return;
	mem_free(p->heap);
	mem_free(p->due);
	mem_free(p->weights);
	mem_free(p);
}

static struct picker *robin_create(const struct picker_members *members)
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
	p->heap = mem_zalloc(count + 1, sizeof *p->heap);
	p->due = mem_zalloc(count + 1, sizeof *p->due);
	p->weights = mem_zalloc(count + 1, sizeof *p->weights);
	if (p->heap == NULL || p->due == NULL || p->weights == NULL) {
		robin_destroy(p);
		return NULL;
	}
	for (size_t i = 0; i < count; i++)
		p->weights[i] = members->weights[i];
	p->turns.heap = p->heap;
	return p;
}

/* Makes the heap of what stands in `due`. */
static void set_turns(struct picker *p)
{
	p->turns.count = 0;
	for (uint32_t i = 0; i < p->count; i++)
		if (p->weights[i] > 0)
			p->heap[p->turns.count++] = (struct turn){
				.due = p->due[i],
				.rank = i,
				.index = i,
				.weight = p->weights[i],
			};
	turns_order(&p->turns);
}

/* Only now there is somebody who brings random numbers. */
static void begin(struct picker *p, struct rng *rng)
{
	rng_seed(&p->rng, rng_next(rng), 0, 0, 0);
	for (uint32_t i = 0; i < p->count; i++)
		if (p->weights[i] > 0)
			p->due[i] = rng_next(&p->rng) % turns_step(p->weights[i]);
	set_turns(p);
	p->begun = true;
}

static bool is_tried(const struct pick *pick, size_t index)
{
	for (size_t i = 0; i < pick->tried_count; i++)
		if (pick->tried[i] == index)
			return true;
	return false;
}

/*
 * Puts back those that were taken out, which stand behind the heap, last one first. Who was tried
 * keeps its turn, for another request; who may not be used loses it, lest it has a row of them to
 * make up for; but when all lose, nobody does.
 */
static void put_back(struct picker *p, const struct pick *pick, uint32_t taken, bool pass)
{
	for (uint32_t i = 0; i < taken; i++) {
		assert(p->turns.count < p->count);
		struct turn turn = p->heap[p->turns.count];

		if (pass && !is_tried(pick, turn.index))
			turn.due += turns_step(turn.weight);
		turns_push(&p->turns, turn);
	}
}

static size_t robin_pick(struct picker *p, const struct pick *pick)
{
	size_t picked = PICKER_NONE;
	uint32_t taken = 0;

	if (!p->begun)
		begin(p, pick->rng);
	for (; p->turns.count > 0 && picked == PICKER_NONE; taken++)
		if (choice_is_allowed(pick, p->heap[0].index)) {
			picked = p->heap[0].index;
			turns_pass(&p->turns);
			break;
		} else {
			struct turn turn = turns_pop(&p->turns);

			p->heap[p->turns.count] = turn;
		}
	put_back(p, pick, taken, picked != PICKER_NONE);
	return picked;
}

/* Who stays keeps its place: what is left of its step grows or shrinks with the step. Newcomers
 * begin anywhere. */
static int robin_reweigh(struct picker *p, const unsigned *weights)
{
	uint64_t now = p->turns.count > 0 ? p->heap[0].due : 0;

	for (uint32_t i = 0; i < p->turns.count; i++)
		p->due[p->heap[i].index] = p->heap[i].due - now;
	for (uint32_t i = 0; i < p->count; i++) {
		uint32_t old = p->weights[i];

		p->weights[i] = weights[i];
		if (!p->begun || weights[i] == 0 || weights[i] == old)
			continue;
		if (old == 0)
			p->due[i] = rng_next(&p->rng) % turns_step(weights[i]);
		else
			p->due[i] = p->due[i] * old / weights[i];
	}
	if (p->begun)
		set_turns(p);
	return 0;
}

const struct picker_kind picker_round_robin = {
	.name = "round_robin",
	.create = robin_create,
	.pick = robin_pick,
	.reweigh = robin_reweigh,
	.destroy = robin_destroy,
};
