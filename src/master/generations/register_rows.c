/* Each generation takes rows of its own, and drops them when it has ended: a backend that two
 * generations share keeps the same row all the time. */
#include "config.h"

#include "register_rows.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

/* There is room for twice as many backends, and for the workers of GENERATION_MAX generations. */
#define SPARE_FACTOR 2
#define ROWS_LEAST   64
#define POOLS_LEAST  16

/* The settings know nothing of the board, but have a word of their own for no row. */
_Static_assert(SETTINGS_NO_ROW == ROWS_NONE, "two words for no row that mean different ones");

static uint32_t round_up(uint32_t n, uint32_t to)
{
	return (n + to - 1) / to * to;
}

static bool give_rows(struct pool_settings *pool, struct rows *rows, bool is_first)
{
	struct slice name = slice_of_string(pool->name);
	bool is_new;

	pool->row = rows_take_pool(rows, rows_key(name, slice_of(NULL, 0), 0));
	if (pool->row == ROWS_NONE)
		return false;
	for (size_t i = 0; i < pool->backend_count; i++) {
		struct backend_settings *b = &pool->backends[i];

		b->row = rows_take(
			rows, rows_key(name, slice_of_string(b->url_text), b->ordinal), &is_new);
		if (b->row == ROWS_NONE)
			return false;
		/* Workers may begin with it before the monitor has seen it. */
		if (is_new && !is_first && pool->slow_start > 0)
			rows_set_health(rows, b->row,
				(struct rows_health){ ROWS_READY, ROWS_LEAST_SHARE, 0 });
	}
	return true;
}

static bool give_all(const struct master *m, struct generation *g)
{
	for (size_t i = 0; i < g->settings->pool_count; i++)
		if (!give_rows(&g->settings->pools[i], m->rows, m->current == NULL))
			return false;
	return true;
}

static void take_back(struct generation *g, struct rows *rows)
{
	for (size_t i = 0; i < g->settings->pool_count; i++) {
		struct pool_settings *pool = &g->settings->pools[i];

		if (pool->row != ROWS_NONE)
			rows_drop_pool(rows, pool->row);
		pool->row = ROWS_NONE;
		for (size_t j = 0; j < pool->backend_count; j++) {
			if (pool->backends[j].row != ROWS_NONE)
				rows_drop(rows, pool->backends[j].row);
			pool->backends[j].row = ROWS_NONE;
		}
	}
}

/* Makes more rows, which take the place of those there are. 0, or -1 with errno. */
static int make_rows(struct master *m, const struct generation *g)
{
	uint32_t backends = 0, pools = (uint32_t)g->settings->pool_count;
	struct rows *rows;

	for (size_t i = 0; i < pools; i++)
		backends += (uint32_t)g->settings->pools[i].backend_count;
	/* The rows that are in use now must have room, too. */
	if (m->rows != NULL)
		backends += rows_size(m->rows) / SPARE_FACTOR;
	rows = rows_new(m->board, round_up(SPARE_FACTOR * backends, ROWS_LEAST),
		round_up(SPARE_FACTOR * pools, POOLS_LEAST),
		round_up(GENERATION_MAX * g->workers, ROWS_BANK));
	if (rows == NULL)
		return -1;
	rows_free(m->rows);
	m->rows = rows;
	return 0;
}

/* True where two more generations of this size find columns. */
static bool has_columns(const struct master *m, const struct generation *g)
{
	return rows_columns(m->rows) >= 3 * g->workers;
}

/* True where the rows were made for a generation that never became the current one: the current one
 * has older rows. */
static bool are_behind(const struct master *m)
{
	return m->rows != NULL && m->current != NULL && m->current->rows != NULL &&
	       m->current->rows != m->rows;
}

int register_rows(struct master *m, struct generation *g, char *why, size_t why_size)
{
	bool behind = are_behind(m);

	assert(g->rows == NULL);
	if (behind)
		rows_carry_over(m->rows, m->current->rows);
	if (m->rows != NULL && has_columns(m, g)) {
		if (give_all(m, g)) {
			if (behind)
				rows_settle(m->rows);
			g->rows = rows_share(m->rows);
			return 0;
		}
		take_back(g, m->rows);
	}
	if (make_rows(m, g) == -1) {
		snprintf(why, why_size, "cannot make room for its backends on the board: %s",
			strerror(errno));
		return -1;
	}
	if (!give_all(m, g)) {
		take_back(g, m->rows);
		snprintf(why, why_size, "there is no room for its backends on the board");
		return -1;
	}
	rows_settle(m->rows);
	g->rows = rows_share(m->rows);
	return 0;
}

void register_rows_drop(struct generation *g)
{
	if (g->rows == NULL)
		return;
	take_back(g, g->rows);
	rows_free(g->rows);
	g->rows = NULL;
}
