/* A binary heap. */
#include "config.h"

#include "turns.h"

#include <assert.h>

static bool is_before(const struct turn *a, const struct turn *b)
{
	if (a->due != b->due)
		return (int64_t)(a->due - b->due) < 0;
	return a->rank < b->rank;
}

static void sift_down(struct turns *t, uint32_t at)
{
	struct turn moving = t->heap[at];

	for (;;) {
		uint32_t child = 2 * at + 1;

		if (child >= t->count)
			break;
		if (child + 1 < t->count && is_before(&t->heap[child + 1], &t->heap[child]))
			child++;
		if (!is_before(&t->heap[child], &moving))
			break;
		t->heap[at] = t->heap[child];
		at = child;
	}
	t->heap[at] = moving;
}

void turns_order(struct turns *t)
{
	for (uint32_t i = t->count / 2; i-- > 0;)
		sift_down(t, i);
}

void turns_pass(struct turns *t)
{
	assert(t->count > 0);
	t->heap[0].due += turns_step(t->heap[0].weight);
	sift_down(t, 0);
}

struct turn turns_pop(struct turns *t)
{
	struct turn first = t->heap[0];

	assert(t->count > 0);
	t->heap[0] = t->heap[--t->count];
	if (t->count > 0)
		sift_down(t, 0);
	return first;
}

void turns_push(struct turns *t, struct turn turn)
{
	uint32_t at = t->count++;

	while (at > 0 && is_before(&turn, &t->heap[(at - 1) / 2])) {
		t->heap[at] = t->heap[(at - 1) / 2];
		at = (at - 1) / 2;
	}
	t->heap[at] = turn;
}
