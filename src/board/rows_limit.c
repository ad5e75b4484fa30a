/*
 * What workers share without locks: places of which there are only so many, and whose turn it is.
 */
#include "config.h"

#include <assert.h>

#include "board/rows.h"

static uint32_t queued(const struct rows *rows, uint32_t pool)
{
	uint32_t sum = 0;

	for (uint32_t column = 0; column < rows_columns_used(rows); column++)
		sum += atomic_load_explicit(
			&rows_pool(rows, pool, column)->queued, memory_order_relaxed);
	return sum;
}

bool rows_enter_within(
	struct rows *rows, enum rows_gauge gauge, uint32_t row, uint32_t column, uint32_t most)
{
	_Atomic uint32_t *own = rows_gauge(rows, gauge, row, column);

	/* In the settings 0 stands for any number. */
	assert(most > 0);
	rows_enter(own);
	atomic_thread_fence(memory_order_seq_cst);
	if (rows_sum(rows, gauge, row) <= most)
		return true;
	rows_leave(own);
	return false;
}

bool rows_queue_within(struct rows *rows, uint32_t pool, uint32_t column, uint32_t most)
{
	_Atomic uint32_t *own = &rows_pool(rows, pool, column)->queued;

	rows_enter(own);
	atomic_thread_fence(memory_order_seq_cst);
	if (queued(rows, pool) <= most)
		return true;
	rows_leave(own);
	return false;
}

uint64_t rows_oldest(const struct rows *rows, uint32_t pool, uint32_t column, uint64_t after_us)
{
	uint64_t oldest = UINT64_MAX;

	for (uint32_t other = 0; other < rows_columns_used(rows); other++) {
		uint64_t since = atomic_load_explicit(
			&rows_pool(rows, pool, other)->oldest_us, memory_order_relaxed);

		if (other != column && since > after_us && since < oldest)
			oldest = since;
	}
	return oldest != UINT64_MAX ? oldest : 0;
}
