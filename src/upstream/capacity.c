/*
 * Looks whether a backend is full. The board sees to it that a backend never has more than it may:
 * rows_enter_within.
 */
#include "config.h"

#include "upstream/capacity.h"

#include <assert.h>

#include "upstream/selection.h"

static unsigned part_of(uint32_t connections, uint32_t workers)
{
	uint32_t part = connections / (workers > 0 ? workers : 1);

	return connections == 0 || part > CAPACITY_IDLE_MOST ? CAPACITY_IDLE_MOST : part;
}

void capacity_init(struct pool *pool)
{
	const struct upstream_context *upstream = pool->upstream;
	const struct pool_settings *settings = pool->settings;

	for (size_t i = 0; i < settings->backend_count; i++) {
		struct capacity *limits = &pool->backends[i].capacity;

		limits->idle = CAPACITY_IDLE_MOST;
		/* Where nothing is counted there are no limits. */
		if (upstream->rows == NULL || settings->row == ROWS_NONE ||
			pool->backends[i].row == ROWS_NONE)
			continue;
		limits->requests = (uint32_t)settings->backends[i].max_requests;
		limits->connections = (uint32_t)settings->backends[i].max_connections;
		limits->idle = part_of(limits->connections, upstream->workers);
		pool->limited |= limits->requests > 0 || limits->connections > 0;
	}
	if (pool->limited)
		pool->view.is_full = capacity_is_full;
}

bool capacity_is_busy(const struct pool *pool, size_t index)
{
	const struct backend *b = &pool->backends[index];

	return b->capacity.requests > 0 &&
	       rows_sum(pool->upstream->rows, ROWS_IN_FLIGHT, b->row) >= b->capacity.requests;
}

bool capacity_is_full(const struct picker_view *view, size_t index)
{
	const struct pool *pool = view->context;
	const struct backend *b = &pool->backends[index];
	const struct capacity *limits = &b->capacity;
	const struct rows *rows = pool->upstream->rows;

	if (capacity_is_busy(pool, index))
		return true;
	if (b->idle_count > 0)
		return false;
	if (limits->ramp > 0 && limits->connecting >= limits->ramp)
		return true;
	return limits->connections > 0 && b->private_idle_count == 0 &&
	       rows_sum(rows, ROWS_CONNECTIONS, b->row) >= limits->connections;
}

static bool was_tried(const struct selection *s, size_t index)
{
	for (size_t i = 0; i < s->tried_count; i++)
		if (s->tried[i] == index)
			return true;
	return false;
}

enum capacity_room capacity_room(const struct selection *s)
{
	const struct pool *pool = s->pool;
	const struct health *health = &pool->availability.health;
	enum capacity_room room = CAPACITY_NOBODY;

	if (s->tried_count >= (size_t)pool->settings->retry.attempts)
		return CAPACITY_NOBODY;
	for (size_t i = 0; i < health->count; i++) {
		if (health->weights[i] == 0 || was_tried(s, i))
			continue;
		if (!capacity_is_full(&pool->view, i))
			return CAPACITY_ROOM;
		room = CAPACITY_FULL;
	}
	return room;
}

bool capacity_open(const struct pool *pool, struct backend *backend)
{
	const struct upstream_context *upstream = pool->upstream;

	if (backend->capacity.connections > 0)
		return rows_enter_within(upstream->rows, ROWS_CONNECTIONS, backend->row,
			upstream->column, backend->capacity.connections);
	rows_enter(backend->load.connections);
	return true;
}

void capacity_ramp(struct pool *pool, struct backend *backend)
{
	if (backend->capacity.ramp == 0)
		pool->ramps++;
	assert(pool->ramps <= pool->settings->backend_count);
	backend->capacity.ramp = 1;
	pool->view.is_full = capacity_is_full;
}

static bool is_in_slow_start(const struct pool *pool, const struct backend *backend)
{
	assert(backend->pool == pool);
	return pool->availability.reports[backend - pool->backends].share < HEALTH_FULL_SHARE;
}

void capacity_connected(struct pool *pool, struct backend *backend)
{
	struct capacity *limits = &backend->capacity;

	if (limits->ramp == 0)
		return;
	limits->ramp = limits->ramp < CAPACITY_RAMP_MOST ? limits->ramp * 2 : CAPACITY_RAMP_MOST;
	if (limits->ramp < CAPACITY_RAMP_MOST || is_in_slow_start(pool, backend))
		return;
	limits->ramp = 0;
	assert(pool->ramps > 0);
	if (--pool->ramps == 0 && !pool->limited)
		pool->view.is_full = NULL;
}
