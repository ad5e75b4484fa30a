/*
 * The one place that decides who may be picked. A pick itself only looks at a bit; counting who is
 * left is done here, when the state of a backend changes, which is rare beside picks.
 */
#include "config.h"

#include "balance/health.h"

#include <assert.h>
#include <string.h>

#include "balance/picker.h"
#include "base/memory.h"

static size_t words_for(size_t count)
{
	return (count + 63) / 64;
}

int health_init(struct health *h, const unsigned *weights, size_t count, unsigned panic_percent)
{
	*h = (struct health){ .count = count, .panic_percent = panic_percent };
	h->base = mem_zalloc(count + 1, sizeof *h->base);
	h->weights = mem_zalloc(count + 1, sizeof *h->weights);
	h->usable = mem_zalloc(words_for(count) + 1, sizeof *h->usable);
	if (h->base == NULL || h->weights == NULL || h->usable == NULL) {
		health_fini(h);
		return -1;
	}
	for (size_t i = 0; i < count; i++) {
		h->base[i] = h->weights[i] = weights[i];
		if (weights[i] == 0)
			continue;
		h->usable[i / 64] |= UINT64_C(1) << i % 64;
		h->usable_count++;
	}
	return 0;
}

void health_fini(struct health *h)
{
	mem_free(h->base);
	mem_free(h->weights);
	mem_free(h->usable);
	*h = (struct health){ 0 };
}

/* The worst state that is still good enough. */
static enum health_state find_limit(struct health *h, const struct health_report *reports)
{
	size_t in_state[HEALTH_CLOSED + 1] = { 0 };
	size_t open = 0;

	for (size_t i = 0; i < h->count; i++) {
		assert(reports[i].state <= HEALTH_CLOSED);
		if (h->base[i] > 0)
			in_state[reports[i].state]++;
	}
	for (int state = HEALTH_READY; state < HEALTH_CLOSED; state++)
		open += in_state[state];
	h->panic = in_state[HEALTH_READY] * 100 < open * h->panic_percent;
	if (!h->panic)
		return HEALTH_READY;
	return in_state[HEALTH_READY] + in_state[HEALTH_EJECTED] > 0 ? HEALTH_EJECTED
								     : HEALTH_REFUSING;
}

/* A share of a small weight is a whole number only when all weights are multiplied. They are by as
 * much as fits into the 32 bits that their sum has. */
static uint64_t find_scale(const struct health *h, const struct health_report *reports)
{
	uint64_t total = 0;
	uint64_t scale = 1;
	bool starting = false;

	for (size_t i = 0; i < h->count; i++) {
		total += h->base[i];
		if (reports[i].share < HEALTH_FULL_SHARE)
			starting = true;
	}
	while (starting && scale < HEALTH_FULL_SHARE && total * scale * 2 <= UINT32_MAX)
		scale *= 2;
	return scale;
}

static unsigned weigh(unsigned base, unsigned share, uint64_t scale)
{
	uint64_t weight = base * scale * share / HEALTH_FULL_SHARE;

	assert(share >= 1 && share <= HEALTH_FULL_SHARE && weight <= UINT32_MAX);
	return weight > 0 ? (unsigned)weight : 1;
}

bool health_update(struct health *h, const struct health_report *reports)
{
	enum health_state limit = find_limit(h, reports);
	uint64_t scale = find_scale(h, reports);
	bool changed = false;

	h->usable_count = 0;
	memset(h->usable, 0, words_for(h->count) * sizeof *h->usable);
	for (size_t i = 0; i < h->count; i++) {
		unsigned weight = 0;

		if (h->base[i] > 0 && reports[i].state <= limit) {
			weight = weigh(h->base[i], reports[i].share, scale);
			h->usable[i / 64] |= UINT64_C(1) << i % 64;
			h->usable_count++;
		}
		changed |= weight != h->weights[i];
		h->weights[i] = weight;
	}
	return changed;
}
