/*
 * The pick of a backend: by the pool's picker or by what the request says, within the retry budget,
 * and with a place taken there.
 */
#include "config.h"

#include "affinity.h"
#include "base/log.h"
#include "exchange.h"
#include "retry_budget.h"

/* How often another worker may be faster before this one waits. */
#define RACES_MAX 8

static void announce_pick(const struct exchange *x)
{
	static const char text[] = "Proxying request to %.*s";

	if (x->proxy->settings->log_picks)
		log_notice(text, SLICE_ARGS(exchange_backend(x)->url));
	else if (log_wants(LOG_LEVEL_DEBUG))
		log_debug(text, SLICE_ARGS(exchange_backend(x)->url));
}

/* To the first backend always; to another one as the budget has it. */
static bool may_send(struct exchange *x)
{
	uint64_t now_us = x->proxy->loop->now_us;

	if (x->tried_count > 0)
		return retry_budget_take(x->pool, now_us);
	retry_budget_count(x->pool, now_us);
	return true;
}

static size_t ask(struct exchange *x, const struct request *request, struct pick *query)
{
	struct pool *pool = x->pool;

	return pool->by_request ? affinity_pick(x, request, query)
				: pool->kind->pick(pool->picker, query);
}

static size_t choose(struct exchange *x, const struct request *request)
{
	struct pool *pool = x->pool;
	struct pick query = {
		.rng = &x->proxy->rng,
		.tried = x->tried,
		.tried_count = x->tried_count,
		.view = &pool->view,
	};
	size_t picked;

	if (x->tried_count >= (size_t)pool->settings->retry.attempts)
		return PICKER_NONE;
	picked = ask(x, request, &query);
	if (picked != PICKER_NONE || pool->view.is_full == NULL || pool->limited)
		return picked;
	/* Better a ramp that is not kept to than nobody. */
	pool->view.is_full = NULL;
	picked = ask(x, request, &query);
	pool->view.is_full = capacity_is_full;
	return picked;
}

/* Takes a place with the backend. Another worker may have had the last one since it was chosen. */
static bool take_place(struct exchange *x, size_t picked)
{
	size_t former = x->backend;
	bool counted = x->counted;

	x->backend = picked;
	if (!load_acquire(x)) {
		x->backend = former;
		x->counted = counted;
		return false;
	}
	if (!counted)
		return true;
	x->backend = former;
	load_release(x);
	x->backend = picked;
	x->counted = true;
	return true;
}

bool exchange_pick(struct exchange *x, const struct request *request)
{
	bool paid = false;

	exchange_look_at_pool(x->pool);
	for (int i = 0; i < RACES_MAX; i++) {
		size_t picked = choose(x, request);

		if (picked == PICKER_NONE || (!paid && !may_send(x)))
			return false;
		paid = true;
		if (!take_place(x, picked))
			continue;
		x->tried[x->tried_count++] = picked;
		x->first_address = exchange_backend(x)->address;
		x->addresses_tried = 0;
		x->own_fault = false;
		announce_pick(x);
		return true;
	}
	return false;
}
