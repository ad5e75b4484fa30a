/*
 * Whose turn it is: backends in a heap by when their next turn is due, earliest deadline first. One
 * of weight w is due every 1/w of a round, so its turns are spread evenly over the others'.
 */
#ifndef TINYLB_BALANCE_TURNS_H
#define TINYLB_BALANCE_TURNS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A round: the time in which a backend of weight 1 has one turn. Deadlines wrap around; no two in a
 * heap are further apart than this. */
#define TURNS_ROUND (UINT64_C(1) << 40)

struct turn {
	uint64_t due;
	uint64_t rank; /* between equal deadlines the lower one is first */
	uint32_t index;
	uint32_t weight;
};

struct turns {
	uint32_t count;
	struct turn *heap; /* the user of the turns allocates and frees it */
};

static inline uint64_t turns_step(uint32_t weight)
{
	return TURNS_ROUND / weight;
}

/* Makes a heap of `count` entries that were written in any order. */
void turns_order(struct turns *turns);

/* The first one has had its turn: its next one is a step later. O(log count). */
void turns_pass(struct turns *turns);

/* Takes the first one out; puts one in (there must be room). */
struct turn turns_pop(struct turns *turns);
void turns_push(struct turns *turns, struct turn turn);

#endif
