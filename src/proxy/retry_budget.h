/* Whether a pool's requests may be sent to yet another backend, as its retry budget has it. */
#ifndef TINYLB_PROXY_RETRY_BUDGET_H
#define TINYLB_PROXY_RETRY_BUDGET_H

#include "pool.h"

/* A request is sent for the first time. */
void retry_budget_count(struct pool *pool, uint64_t now_us);

/* Takes one retry from what all workers may spend. False where there is none left, which the log is
 * told once a second. */
bool retry_budget_take(struct pool *pool, uint64_t now_us);

/* Whether there is none left, for who does not want one yet. */
bool retry_budget_is_spent(const struct pool *pool, uint64_t now_us);

#endif
