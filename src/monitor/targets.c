/* A row of the board is one target, however often the settings have its backend. */
#include "config.h"

#include "targets.h"

#include <assert.h>
#include <stdatomic.h>

#include "base/memory.h"

struct target *targets_find(const struct targets *targets, uint32_t row)
{
	return row < rows_size(targets->watch->rows) ? targets->of_row[row] : NULL;
}

static void alarm_all(struct targets *targets)
{
	for (size_t i = 0; i < targets->group.count; i++)
		target_alarm(&targets->group.list[i]);
}

/* Hears one worker. */
static void hear(struct targets *targets, uint32_t column)
{
	struct rows_alarms *alarms = rows_alarms(targets->watch->rows, column);
	uint32_t count = atomic_load_explicit(&alarms->count, memory_order_acquire);
	uint32_t news = count - targets->alarms[column];

	assert(column < rows_columns(targets->watch->rows));
	targets->alarms[column] = count;
	if (news > ROWS_ALARMS) {
		alarm_all(targets);
		return;
	}
	for (; news > 0; news--) {
		struct target *t = targets_find(
			targets, atomic_load_explicit(&alarms->rows[(count - news) % ROWS_ALARMS],
					 memory_order_relaxed));

		if (t != NULL)
			target_alarm(t);
	}
}

void targets_hear(struct targets *targets)
{
	struct rows *rows = targets->watch->rows;

	rows_hear(rows);
	for (uint32_t i = 0; i < rows_columns_used(rows); i++)
		hear(targets, i);
}

uint64_t targets_due(const struct targets *targets)
{
	uint64_t due = 0;

	for (size_t i = 0; i < targets->group.count; i++)
		due = watch_earlier(due, target_due(&targets->group.list[i]));
	return due;
}

static size_t count_backends(const struct settings *settings)
{
	size_t count = 0;

	for (size_t i = 0; i < settings->pool_count; i++)
		count += settings->pools[i].backend_count;
	return count;
}

static int add_pool(struct targets *targets, const struct pool_settings *pool)
{
	for (size_t i = 0; i < pool->backend_count; i++) {
		const struct backend_settings *backend = &pool->backends[i];
		struct target *t = &targets->group.list[targets->group.count];

		if (backend->row >= rows_size(targets->watch->rows) ||
			targets->of_row[backend->row] != NULL)
			continue;
		targets->of_row[backend->row] = t;
		targets->group.count++;
		if (target_init(t, targets->watch, &targets->group, pool, backend) == -1)
			return -1;
	}
	return 0;
}

/* What workers called before there was a monitor, or while there was none, is heard too. */
static void begin_to_hear(struct targets *targets)
{
	struct rows *rows = targets->watch->rows;

	for (uint32_t i = 0; i < rows_columns(rows); i++) {
		uint32_t count =
			atomic_load_explicit(&rows_alarms(rows, i)->count, memory_order_relaxed);

		targets->alarms[i] = count > ROWS_ALARMS ? count - ROWS_ALARMS : 0;
	}
}

int targets_init(struct targets *targets, struct watch *watch, const struct settings *settings)
{
	assert(watch->rows != NULL);
	*targets = (struct targets){ .watch = watch };
	targets->group.list = mem_zalloc(count_backends(settings), sizeof(struct target));
	targets->of_row = mem_zalloc(rows_size(watch->rows), sizeof(struct target *));
	targets->alarms = mem_zalloc(rows_columns(watch->rows), sizeof *targets->alarms);
	if (targets->group.list == NULL || targets->of_row == NULL || targets->alarms == NULL)
		return -1;
	begin_to_hear(targets);
	for (size_t i = 0; i < settings->pool_count; i++)
		if (add_pool(targets, &settings->pools[i]) == -1)
			return -1;
	return 0;
}

void targets_fini(struct targets *targets)
{
	for (size_t i = 0; i < targets->group.count; i++)
		target_fini(&targets->group.list[i]);
	mem_free(targets->group.list);
	mem_free(targets->of_row);
	mem_free(targets->alarms);
}
