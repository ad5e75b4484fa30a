/*
 * The pick of a backend: by the pool's picker or by what the request says, within the retry budget,
 * and with a place taken there.
 */
#include "config.h"

#include "upstream/select.h"

#include <assert.h>

#include "base/log.h"
#include "upstream/affinity.h"
#include "upstream/availability.h"
#include "upstream/capacity.h"
#include "upstream/load.h"
#include "upstream/queue.h"
#include "upstream/retry_budget.h"

/* How often another worker may take the last place before this one gives up for now. */
#define RACES_MAX 8

static void announce_pick(const struct selection *s)
{
	static const char text[] = "Proxying request to %.*s";

	if (s->pool->upstream->settings->log_picks)
		log_notice(text, SLICE_ARGS(selection_backend(s)->url));
	else if (log_wants(LOG_LEVEL_DEBUG))
		log_debug(text, SLICE_ARGS(selection_backend(s)->url));
}

/* The first backend is always allowed; another one only within the retry budget. */
static bool may_send(const struct selection *s)
{
	uint64_t now_us = s->pool->upstream->loop->now_us;

	if (s->tried_count > 0)
		return retry_budget_take(s->pool, now_us);
	retry_budget_count(s->pool, now_us);
	return true;
}

static size_t ask(struct selection *s, struct pick *query)
{
	struct pool *pool = s->pool;

	if (pool->by_request || s->own != PICKER_NONE)
		return affinity_pick(s, query);
	return pool->kind->pick(pool->picker, query);
}

static size_t choose(struct selection *s)
{
	struct pool *pool = s->pool;
	struct pick query = {
		.rng = &pool->upstream->rng,
		.tried = s->tried,
		.tried_count = s->tried_count,
		.view = &pool->view,
	};
	size_t picked;

	if (s->tried_count >= (size_t)pool->settings->retry.attempts)
		return PICKER_NONE;
	picked = ask(s, &query);
	if (picked != PICKER_NONE || pool->view.is_full == NULL || pool->limited)
		return picked;
	/* In a pool without limits only ramps hold requests back. To exceed a ramp is better than
	 * to refuse the request. */
	pool->view.is_full = NULL;
	picked = ask(s, &query);
	pool->view.is_full = capacity_is_full;
	return picked;
}

/* Takes a place at the backend `picked`, and gives up the former one. False: another worker has
 * taken the last place since; nothing has changed then. */
static bool take_place(struct selection *s, size_t picked)
{
	size_t former = s->backend;
	bool counted = s->counted;

	assert(picked < s->pool->settings->backend_count);
	s->backend = picked;
	if (!load_acquire(s)) {
		s->backend = former;
		return false;
	}
	if (!counted)
		return true;
	s->backend = former;
	load_release(s);
	s->backend = picked;
	s->counted = true;
	return true;
}

bool select_backend(struct selection *s)
{
	bool paid = false;

	assert(s->pool != NULL);
	availability_refresh(s->pool);
	for (int i = 0; i < RACES_MAX; i++) {
		size_t picked = choose(s);

		if (picked == PICKER_NONE || (!paid && !may_send(s)))
			return false;
		paid = true;
		if (!take_place(s, picked))
			continue;
		assert(s->tried_count < RETRY_ATTEMPTS_MAX);
		s->tried[s->tried_count++] = picked;
		announce_pick(s);
		return true;
	}
	return false;
}

void select_init(struct selection *s, struct pool *pool, struct request *request,
	struct slice client_ip, bool trusted)
{
	list_init(&s->link);
	s->pool = pool;
	s->request = request;
	s->client_ip = client_ip;
	s->queued_us = 0;
	s->picked_us = 0;
	s->fed_us = 0;
	s->backend = PICKER_NONE;
	s->session = PICKER_NONE;
	s->own = PICKER_NONE;
	s->tried_count = 0;
	s->trusted = trusted;
	s->counted = s->bound = s->unbound = s->secure = false;
}

void select_end(struct selection *s)
{
	assert(!s->counted || s->backend != PICKER_NONE);
	if (!s->counted) {
		queue_leave(s);
		return;
	}
	assert(list_is_empty(&s->link));
	load_release(s);
	if (!queue_is_empty(&s->pool->queue))
		queue_look_soon(s->pool);
}
