/*
 * Priorities: the group with the lowest number serves. If too few of it are well, the next group
 * helps, and so on. If all groups together have too few, all backends are taken, in the order that
 * health.h gives.
 */
#include "config.h"

#include "upstream/availability.h"

#include <assert.h>

#include "base/memory.h"
#include "upstream/capacity.h"
#include "upstream/pool.h"

#define BACKOFF_MS_FIRST 250
#define BACKOFF_MS_MOST  8000

/* The group of the backups comes after all priorities. */
#define GROUPS (SETTINGS_PRIORITY_MAX + 2)

struct group {
	size_t members; /* backends that have a weight and are not closed */
	size_t ready;
};

int availability_init(struct pool *pool)
{
	const struct pool_settings *settings = pool->settings;
	struct availability *a = &pool->availability;
	size_t count = settings->backend_count;
	unsigned *weights = mem_zalloc(count, sizeof *weights);
	int result = -1;

	a->reports = mem_zalloc(count, sizeof *a->reports);
	if (weights != NULL && a->reports != NULL) {
		for (size_t i = 0; i < count; i++)
			weights[i] = (unsigned)settings->backends[i].weight;
		result = health_init(&a->health, weights, count, (unsigned)settings->panic);
	}
	mem_free(weights);
	return result;
}

void availability_fini(struct pool *pool)
{
	health_fini(&pool->availability.health);
	mem_free(pool->availability.reports);
}

static unsigned group_of(const struct backend_settings *backend)
{
	return backend->backup ? GROUPS - 1 : (unsigned)backend->priority;
}

/* Whether the word is one that a monitor writes. */
static bool is_valid(const struct rows_health *health)
{
	return health->state <= ROWS_EMPTY && health->share >= 1 &&
	       health->share <= ROWS_FULL_SHARE;
}

/* What the monitor says. A word that is not valid says nothing. */
static struct health_report from_monitor(const struct pool *pool, const struct backend *backend)
{
	static const enum health_state states[] = {
		[ROWS_READY] = HEALTH_READY,
		[ROWS_EJECTED] = HEALTH_EJECTED,
		[ROWS_DOWN] = HEALTH_EJECTED,
		[ROWS_SILENT] = HEALTH_EJECTED,
		[ROWS_REFUSING] = HEALTH_REFUSING,
		[ROWS_EMPTY] = HEALTH_CLOSED,
	};
	struct rows_health health = { ROWS_READY, ROWS_FULL_SHARE, 0 }, told;

	if (pool->upstream->rows != NULL && backend->row != ROWS_NONE) {
		told = rows_health(pool->upstream->rows, backend->row);
		if (is_valid(&told))
			health = told;
	}
	return (struct health_report){ states[health.state], health.share };
}

/* The same with what this worker has seen; lowers *due_us to the time when that ends. */
static struct health_report report_on(
	struct pool *pool, struct backend *backend, uint64_t now_us, uint64_t *due_us)
{
	struct health_report report = from_monitor(pool, backend);
	struct connect_backoff *backoff = &backend->connect_backoff;

	if (backoff->until_us <= now_us)
		backoff->until_us = 0;
	if (backoff->until_us != 0 && report.state < HEALTH_REFUSING)
		report.state = HEALTH_REFUSING;
	if (backoff->until_us != 0 && backoff->until_us < *due_us)
		*due_us = backoff->until_us;
	if (report.state == HEALTH_REFUSING ||
		(report.share < HEALTH_FULL_SHARE && backend->capacity.ramp == 0))
		capacity_ramp(pool, backend);
	if (backend_address_count(backend) == 0)
		report.state = HEALTH_CLOSED;
	return report;
}

static bool is_enough(const struct pool *pool, const struct group *group)
{
	return group->ready > 0 &&
	       group->ready * 100 >= group->members * (size_t)pool->settings->panic;
}

/* Closes the groups whose turn it is not, and in the groups before the last one that serves the
 * backends that are not ready. If no group is enough, all stay open. */
static void take_turns(struct pool *pool, const struct group groups[GROUPS])
{
	const struct backend_settings *backends = pool->settings->backends;
	struct health_report *reports = pool->availability.reports;
	unsigned last = 0;

	while (last < GROUPS && !is_enough(pool, &groups[last]))
		last++;
	if (last == GROUPS)
		return;
	for (size_t i = 0; i < pool->settings->backend_count; i++) {
		unsigned group = group_of(&backends[i]);

		if (group > last || (group < last && reports[i].state != HEALTH_READY))
			reports[i].state = HEALTH_CLOSED;
	}
}

void availability_renew(struct pool *pool, uint64_t now_us)
{
	struct availability *a = &pool->availability;
	struct group groups[GROUPS] = { { 0 } };

	a->version = pool->upstream->rows != NULL ? rows_version(pool->upstream->rows) : 0;
	a->due_us = UINT64_MAX;
	a->well_count = 0;
	for (size_t i = 0; i < pool->settings->backend_count; i++) {
		const struct backend_settings *b = &pool->settings->backends[i];
		struct group *group = &groups[group_of(b)];

		a->reports[i] = report_on(pool, &pool->backends[i], now_us, &a->due_us);
		pool->backends[i].is_well = b->weight > 0 && a->reports[i].state == HEALTH_READY;
		if (b->drain)
			a->reports[i].state = HEALTH_CLOSED;
		if (b->weight == 0 || a->reports[i].state == HEALTH_CLOSED)
			continue;
		group->members++;
		group->ready += a->reports[i].state == HEALTH_READY;
		a->well_count += a->reports[i].state == HEALTH_READY;
	}
	take_turns(pool, groups);
	/* Without memory the picker keeps the old weights, which is slower but right: it looks at
	 * `usable`, too. */
	if (health_update(&a->health, a->reports))
		(void)pool->kind->reweigh(pool->picker, a->health.weights);
}

void availability_refresh(struct pool *pool)
{
	const struct upstream_context *upstream = pool->upstream;
	uint32_t version = upstream->rows != NULL ? rows_version(upstream->rows) : 0;
	uint64_t now_us = upstream->loop->now_us;

	if (version != pool->availability.version || now_us >= pool->availability.due_us)
		availability_renew(pool, now_us);
}

void availability_refused(struct pool *pool, struct backend *backend, uint64_t now_us)
{
	struct connect_backoff *backoff = &backend->connect_backoff;

	assert(backend->pool == pool);
	/* Requests that were connecting at the same time all fail: that counts once. */
	if (backoff->until_us > now_us)
		return;
	backoff->ms = backoff->ms == 0 ? BACKOFF_MS_FIRST : backoff->ms * 2;
	if (backoff->ms > BACKOFF_MS_MOST)
		backoff->ms = BACKOFF_MS_MOST;
	backoff->until_us = now_us + UINT64_C(1000) * backoff->ms;
	pool->availability.due_us = 0;
}

void availability_responded(struct backend *backend)
{
	backend->connect_backoff.ms = 0;
}
