/*
 * How many retries there may be: a share of the requests of the last ten seconds, and some more a
 * second. Each worker counts its own in a ring of seconds on the board, and all of them are added
 * up where one wants to retry: backends that fail get no more because they fail everywhere.
 */
#ifndef TINYLB_BOARD_BUDGET_H
#define TINYLB_BOARD_BUDGET_H

#include <stdbool.h>
#include <stdint.h>

#include "board/row.h"

/* Requests and retries of this many seconds count, the present one included. */
#define BUDGET_SECONDS 10

struct budget_sum {
	uint64_t requests;
	uint64_t retries;
};

/* The slot for what happens now (of the monotonic clock), emptied where it held an older second.
 * Only for the one writer of the ring. */
struct rows_second *budget_slot(struct rows_second ring[ROWS_SECONDS], uint64_t now_us);

static inline void budget_note(_Atomic uint32_t *cell)
{
	uint32_t n = atomic_load_explicit(cell, memory_order_relaxed);

	atomic_store_explicit(cell, n + 1, memory_order_relaxed);
}

/* Adds what a ring has of the last seconds. Another process may be writing to it. */
void budget_add(
	const struct rows_second ring[ROWS_SECONDS], uint64_t now_us, struct budget_sum *sum);

/* Whether one more retry is within `percent` of the requests and `rate` a second. */
bool budget_allows(const struct budget_sum *sum, unsigned percent, unsigned rate);

#endif
