/*
 * Whether a backend is full is looked at here; that it never has more than it may is seen to where
 * something is entered on the board.
 */
#include "config.h"

#include "limit.h"

#include "exchange.h"
#include "pool.h"

static unsigned part_of(uint32_t connections, uint32_t workers)
{
	uint32_t part = connections / (workers > 0 ? workers : 1);

	return connections == 0 || part > LIMIT_IDLE_MOST ? LIMIT_IDLE_MOST : part;
}

void limit_init(struct pool *pool)
{
	const struct proxy *proxy = pool->proxy;
	const struct pool_settings *settings = pool->settings;

	for (size_t i = 0; i < settings->backend_count; i++) {
		struct limits *limits = &pool->backends[i].limits;

		limits->idle = LIMIT_IDLE_MOST;
		/* Where nothing is counted there are no limits. */
		if (proxy->rows == NULL || settings->row == ROWS_NONE ||
			pool->backends[i].row == ROWS_NONE)
			continue;
		limits->requests = (uint32_t)settings->backends[i].max_requests;
		limits->connections = (uint32_t)settings->backends[i].max_connections;
		limits->idle = part_of(limits->connections, proxy->workers);
		pool->limited |= limits->requests > 0 || limits->connections > 0;
	}
	if (pool->limited)
		pool->view.is_full = limit_is_full;
}

bool limit_is_full(const struct picker_view *view, size_t index)
{
	const struct pool *pool = view->context;
	const struct backend *b = &pool->backends[index];
	const struct limits *limits = &b->limits;
	const struct rows *rows = pool->proxy->rows;

	if (limits->requests > 0 && rows_sum(rows, ROWS_IN_FLIGHT, b->row) >= limits->requests)
		return true;
	if (b->idle_count > 0)
		return false;
	if (limits->ramp > 0 && limits->connecting >= limits->ramp)
		return true;
	return limits->connections > 0 &&
	       rows_sum(rows, ROWS_CONNECTIONS, b->row) >= limits->connections;
}

static bool was_tried(const struct exchange *x, size_t index)
{
	for (size_t i = 0; i < x->tried_count; i++)
		if (x->tried[i] == index)
			return true;
	return false;
}

enum limit_room limit_room(const struct exchange *x)
{
	const struct pool *pool = x->pool;
	const struct health *health = &pool->standing.health;
	enum limit_room room = LIMIT_NOBODY;

	if (x->tried_count >= (size_t)x->pool->settings->retry.attempts)
		return LIMIT_NOBODY;
	for (size_t i = 0; i < health->count; i++) {
		if (health->weights[i] == 0 || was_tried(x, i))
			continue;
		if (!limit_is_full(&pool->view, i))
			return LIMIT_ROOM;
		room = LIMIT_FULL;
	}
	return room;
}

bool limit_open(struct proxy *proxy, struct backend *backend)
{
	if (backend->limits.connections > 0)
		return rows_enter_within(proxy->rows, ROWS_CONNECTIONS, backend->row, proxy->column,
			backend->limits.connections);
	rows_enter(backend->load.connections);
	return true;
}

void limit_ramp(struct pool *pool, struct backend *backend)
{
	if (backend->limits.ramp == 0)
		pool->ramps++;
	backend->limits.ramp = 1;
	pool->view.is_full = limit_is_full;
}

static bool is_in_slow_start(const struct pool *pool, const struct backend *backend)
{
	return pool->standing.reports[backend - pool->backends].share < HEALTH_FULL_SHARE;
}

void limit_connected(struct pool *pool, struct backend *backend)
{
	struct limits *limits = &backend->limits;

	if (limits->ramp == 0)
		return;
	limits->ramp = limits->ramp < LIMIT_RAMP_MOST ? limits->ramp * 2 : LIMIT_RAMP_MOST;
	if (limits->ramp < LIMIT_RAMP_MOST || is_in_slow_start(pool, backend))
		return;
	limits->ramp = 0;
	if (--pool->ramps == 0 && !pool->limited)
		pool->view.is_full = NULL;
}
