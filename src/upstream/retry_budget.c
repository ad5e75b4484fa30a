/*
 * The retry budget of a pool. All workers count on the board. A worker adds up what all have
 * counted only when it wants to retry. Without a place on the board a worker has a budget of its
 * own.
 */
#include "config.h"

#include "upstream/retry_budget.h"

#include "base/log.h"
#include "board/budget.h"

#define SAY_EVERY_US UINT64_C(1000000)

void retry_budget_count(struct pool *pool, uint64_t now_us)
{
	budget_note(&budget_slot(pool->cells->seconds, now_us)->requests);
}

static struct budget_sum sum_all(const struct pool *pool, uint64_t now_us)
{
	struct rows *rows = pool->upstream->rows;
	uint32_t row = pool->settings->row;
	struct budget_sum sum = { 0 };

	if (rows == NULL || row == ROWS_NONE) {
		budget_add(pool->cells->seconds, now_us, &sum);
		return sum;
	}
	for (uint32_t column = 0; column < rows_columns_used(rows); column++)
		budget_add(rows_pool(rows, row, column)->seconds, now_us, &sum);
	return sum;
}

static void say_spent(struct pool *pool, const struct budget_sum *sum, uint64_t now_us)
{
	if (pool->spent_said_us != 0 && now_us - pool->spent_said_us < SAY_EVERY_US)
		return;
	pool->spent_said_us = now_us;
	log_warnx("pool %s: the retry budget is spent: %llu of the last %llu requests were sent "
		  "again",
		pool->settings->name, (unsigned long long)sum->retries,
		(unsigned long long)sum->requests);
}

static bool is_within(const struct pool *pool, const struct budget_sum *sum)
{
	const struct retry_settings *retry = &pool->settings->retry;

	return budget_allows(sum, (unsigned)retry->budget, (unsigned)retry->budget_rate);
}

bool retry_budget_is_spent(const struct pool *pool, uint64_t now_us)
{
	struct budget_sum sum = sum_all(pool, now_us);

	return !is_within(pool, &sum);
}

bool retry_budget_take(struct pool *pool, uint64_t now_us)
{
	struct budget_sum sum = sum_all(pool, now_us);

	if (!is_within(pool, &sum)) {
		say_spent(pool, &sum, now_us);
		return false;
	}
	budget_note(&budget_slot(pool->cells->seconds, now_us)->retries);
	return true;
}
