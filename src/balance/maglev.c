/* Fills the table. What a backend is called decides on its order and on whose turn is first, so
 * another order of the settings makes no difference. */
#include "config.h"

#include "maglev.h"

#include <assert.h>

#include "base/memory.h"
#include "turns.h"

/* The paper wants a hundred places for each backend, so that shares are right within a percent. The
 * last size is enough for 10,000; with more of them shares become less exact, not wrong. */
static const uint32_t sizes[] = { 65537, 131101, 262147, 524309, 1048583 };

#define SIZES       (sizeof sizes / sizeof sizes[0])
#define PLACES_EACH 100
#define NARROW_MAX  UINT16_MAX /* as an index: not used */
#define SECOND_HASH UINT64_C(0x9e3779b97f4a7c15)

/* The order of one backend: place, place + skip, place + 2 skip, ... */
struct order {
	uint32_t place;
	uint32_t skip;
};

struct build {
	struct turns turns;
	struct order *orders;
	uint64_t *taken; /* a bit for each place */
};

uint64_t maglev_mix(uint64_t x)
{
	x = (x ^ x >> 33) * UINT64_C(0xff51afd7ed558ccd);
	x = (x ^ x >> 33) * UINT64_C(0xc4ceb9fe1a85ec53);
	return x ^ x >> 33;
}

static uint32_t find_size(size_t count)
{
	size_t i = 0;

	while (i + 1 < SIZES && sizes[i] < count * PLACES_EACH)
		i++;
	return sizes[i];
}

static void set_orders(
	struct build *b, const struct maglev *t, const struct picker_members *members)
{
	for (size_t i = 0; i < members->count; i++) {
		uint64_t id = maglev_mix(members->ids != NULL ? members->ids[i] : i + 1);

		b->orders[i].place = (uint32_t)(id % t->places);
		b->orders[i].skip = (uint32_t)(maglev_mix(id ^ SECOND_HASH) % (t->places - 1)) + 1;
		if (members->weights[i] > 0)
			b->turns.heap[b->turns.count++] = (struct turn){
				.due = turns_step(members->weights[i]),
				.rank = id,
				.index = (uint32_t)i,
				.weight = members->weights[i],
			};
	}
	turns_order(&b->turns);
}

static uint32_t take_place(struct build *b, uint32_t index, uint32_t places)
{
	struct order *o = &b->orders[index];

	for (;;) {
		uint32_t place = o->place;
		uint64_t bit = UINT64_C(1) << place % 64;

		o->place = place >= places - o->skip ? place - (places - o->skip) : place + o->skip;
		if ((b->taken[place / 64] & bit) != 0)
			continue;
		b->taken[place / 64] |= bit;
		return place;
	}
}

static void fill(struct maglev *t, struct build *b)
{
	/* With a weight above 0 somebody has a turn. */
	assert(b->turns.count > 0);
	for (uint32_t i = 0; i < t->places; i++) {
		uint32_t index = b->turns.heap[0].index;
		uint32_t place = take_place(b, index, t->places);

		if (t->narrow != NULL)
			t->narrow[place] = (uint16_t)index;
		else
			t->wide[place] = index;
		turns_pass(&b->turns);
	}
}

int maglev_init(struct maglev *t, const struct picker_members *members)
{
	struct build b = { 0 };
	int result = -1;

	*t = (struct maglev){ .places = find_size(members->count) };
	if (members->count <= NARROW_MAX)
		t->narrow = mem_zalloc(t->places, sizeof *t->narrow);
	else
		t->wide = mem_zalloc(t->places, sizeof *t->wide);
	b.turns.heap = mem_zalloc(members->count, sizeof *b.turns.heap);
	b.orders = mem_zalloc(members->count, sizeof *b.orders);
	b.taken = mem_zalloc(t->places / 64 + 1, sizeof *b.taken);
	if ((t->narrow != NULL || t->wide != NULL) && b.turns.heap != NULL && b.orders != NULL &&
		b.taken != NULL) {
		set_orders(&b, t, members);
		fill(t, &b);
		result = 0;
	}
	mem_free(b.turns.heap);
	mem_free(b.orders);
	mem_free(b.taken);
	return result;
}

void maglev_fini(struct maglev *t)
{
	mem_free(t->narrow);
	mem_free(t->wide);
	*t = (struct maglev){ 0 };
}
