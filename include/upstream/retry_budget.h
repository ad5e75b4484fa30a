/* Whether requests of a pool may be sent to another backend, as its retry budget allows. */
#ifndef TINYLB_UPSTREAM_RETRY_BUDGET_H
#define TINYLB_UPSTREAM_RETRY_BUDGET_H

#include "upstream/pool.h"

/* A request is sent for the first time. `now_us` is monotonic here and below. */
void retry_budget_count(struct pool *pool, uint64_t now_us);

/* Takes one retry from what all workers may spend. False: the budget is spent, which is logged once
 * a second. */
bool retry_budget_take(struct pool *pool, uint64_t now_us);

/* Whether it is spent; takes nothing. */
bool retry_budget_is_spent(const struct pool *pool, uint64_t now_us);

#endif
