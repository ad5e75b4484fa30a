/* The arithmetic of the retry budget. A second that is being emptied while another process reads it
 * is too old to count, before and after. */
#include "config.h"

#include "board/budget.h"

#define SECOND_US 1000000

_Static_assert(ROWS_SECONDS > BUDGET_SECONDS, "a second is used again when it is too old to count");

struct rows_second *budget_slot(struct rows_second ring[ROWS_SECONDS], uint64_t now_us)
{
	uint32_t second = (uint32_t)(now_us / SECOND_US);
	struct rows_second *slot = &ring[second % ROWS_SECONDS];

	if (atomic_load_explicit(&slot->second, memory_order_relaxed) == second)
		return slot;
	atomic_store_explicit(&slot->requests, 0, memory_order_relaxed);
	atomic_store_explicit(&slot->retries, 0, memory_order_relaxed);
	atomic_store_explicit(&slot->second, second, memory_order_release);
	return slot;
}

void budget_add(
	const struct rows_second ring[ROWS_SECONDS], uint64_t now_us, struct budget_sum *sum)
{
	uint32_t now = (uint32_t)(now_us / SECOND_US);

	for (unsigned i = 0; i < ROWS_SECONDS; i++) {
		uint32_t second = atomic_load_explicit(&ring[i].second, memory_order_acquire);

		/* Another process may be a little ahead. */
		if (now + 1 - second > BUDGET_SECONDS)
			continue;
		sum->requests += atomic_load_explicit(&ring[i].requests, memory_order_relaxed);
		sum->retries += atomic_load_explicit(&ring[i].retries, memory_order_relaxed);
	}
}

bool budget_allows(const struct budget_sum *sum, unsigned percent, unsigned rate)
{
	return sum->retries * 100 < sum->requests * percent + (uint64_t)rate * BUDGET_SECONDS * 100;
}
