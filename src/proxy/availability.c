/*
 * Priorities: the group with the lowest number serves. Where too few of it are well the next one
 * helps, and so on; where all groups together have too few, everybody is taken (health.h says who).
 */
#include "config.h"

#include "availability.h"

#include "base/memory.h"
#include "context.h"
#include "pool.h"

#define BACKOFF_MS_FIRST 250
#define BACKOFF_MS_MOST  8000

/* Backups are behind all priorities. */
#define GROUPS (SETTINGS_PRIORITY_MAX + 2)

struct group {
	size_t members; /* that have a weight and are not closed */
	size_t ready;
};

int availability_init(struct pool *pool)
{
	const struct pool_settings *settings = pool->settings;
	struct availability *s = &pool->availability;
	size_t count = settings->backend_count;
	unsigned *weights = mem_zalloc(count, sizeof *weights);
	int result = -1;

	s->reports = mem_zalloc(count, sizeof *s->reports);
	if (weights != NULL && s->reports != NULL) {
		for (size_t i = 0; i < count; i++)
			weights[i] = (unsigned)settings->backends[i].weight;
		result = health_init(&s->health, weights, count, (unsigned)settings->panic);
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

/* What the monitor knows. */
static struct health_report heard(const struct pool *pool, const struct backend *backend)
{
	static const enum health_state states[] = {
		[ROWS_READY] = HEALTH_READY,
		[ROWS_EJECTED] = HEALTH_EJECTED,
		[ROWS_DOWN] = HEALTH_EJECTED,
		[ROWS_SILENT] = HEALTH_EJECTED,
		[ROWS_REFUSING] = HEALTH_REFUSING,
		[ROWS_EMPTY] = HEALTH_CLOSED,
	};
	struct rows_health health = { ROWS_READY, ROWS_FULL_SHARE, 0 };

	if (pool->proxy->rows != NULL && backend->row != ROWS_NONE)
		health = rows_health(pool->proxy->rows, backend->row);
	return (struct health_report){ states[health.state], health.share };
}

/* And what this worker has seen; `due_us` becomes the time at which that ends. */
static struct health_report look(
	struct pool *pool, struct backend *backend, uint64_t now_us, uint64_t *due_us)
{
	struct health_report report = heard(pool, backend);
	struct connect_backoff *refusal = &backend->connect_backoff;

	if (refusal->until_us <= now_us)
		refusal->until_us = 0;
	if (refusal->until_us != 0 && report.state < HEALTH_REFUSING)
		report.state = HEALTH_REFUSING;
	if (refusal->until_us != 0 && refusal->until_us < *due_us)
		*due_us = refusal->until_us;
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

/* Closes those that have to wait for their turn, and those before them that are not well. Where
 * nobody is well enough all stay open. */
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
	struct availability *s = &pool->availability;
	struct group groups[GROUPS] = { { 0 } };

	s->version = pool->proxy->rows != NULL ? rows_version(pool->proxy->rows) : 0;
	s->due_us = UINT64_MAX;
	s->well_count = 0;
	for (size_t i = 0; i < pool->settings->backend_count; i++) {
		const struct backend_settings *b = &pool->settings->backends[i];
		struct group *group = &groups[group_of(b)];

		s->reports[i] = look(pool, &pool->backends[i], now_us, &s->due_us);
		pool->backends[i].is_well = b->weight > 0 && s->reports[i].state == HEALTH_READY;
		if (b->drain)
			s->reports[i].state = HEALTH_CLOSED;
		if (b->weight == 0 || s->reports[i].state == HEALTH_CLOSED)
			continue;
		group->members++;
		group->ready += s->reports[i].state == HEALTH_READY;
		s->well_count += s->reports[i].state == HEALTH_READY;
	}
	take_turns(pool, groups);
	/* Where memory is short the old weights stay: `usable` counts nevertheless. */
	if (health_update(&s->health, s->reports))
		(void)pool->kind->reweigh(pool->picker, s->health.weights);
}

void availability_refused(struct pool *pool, struct backend *backend, uint64_t now_us)
{
	struct connect_backoff *refusal = &backend->connect_backoff;

	/* Many requests may have found the same. */
	if (refusal->until_us > now_us)
		return;
	refusal->ms = refusal->ms == 0 ? BACKOFF_MS_FIRST : refusal->ms * 2;
	if (refusal->ms > BACKOFF_MS_MOST)
		refusal->ms = BACKOFF_MS_MOST;
	refusal->until_us = now_us + UINT64_C(1000) * refusal->ms;
	pool->availability.due_us = 0;
}

void availability_answered(struct backend *backend)
{
	backend->connect_backoff.ms = 0;
}
