/*
 * A pool of four backends as one worker uses it, for tests of src/upstream: settings that a test
 * edits before pools_start, a loop that is nothing but a clock, and rows on a board. On those the
 * test plays the monitor and another worker, whose cells lie in another bank of columns. No socket,
 * no event base.
 */
#ifndef TINYLB_TESTS_POOLS_H
#define TINYLB_TESTS_POOLS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "upstream/availability.h"
#include "upstream/capacity.h"
#include "upstream/load.h"
#include "upstream/pool_setup.h"
#include "upstream/queue.h"
#include "upstream/select.h"

#define POOLS_BACKENDS 4
#define POOLS_BEGIN_US UINT64_C(5000000000)
#define POOLS_MS       UINT64_C(1000)
#define POOLS_SECOND   UINT64_C(1000000)

/* Columns on the board: of this worker, and of the other one. */
#define POOLS_OWN   1
#define POOLS_OTHER 17

static struct {
	struct board *board;
	struct rows *rows;
	struct loop loop;
	struct settings settings;
	struct pool_settings app;
	struct backend_settings backends[POOLS_BACKENDS];
	struct upstream_context upstream;
	struct pool pools[2]; /* the first one is set up by pools_start */
	struct request request;
} w;

/* For cmocka: before each test. */
static inline int pools_begin(void **state)
{
	static char urls[POOLS_BACKENDS][16] = { "http://a", "http://b", "http://c", "http://d" };
	static char name[] = "app", hash_on[] = "client", cookie[] = "sid";

	(void)state;
	memset(&w, 0, sizeof w);
	w.board = board_new(4);
	w.rows = w.board != NULL ? rows_new(w.board, 16, 4, 40) : NULL;
	if (w.rows == NULL)
		return -1;
	while (rows_take_column(w.rows) != POOLS_OTHER)
		;
	(void)rows_take_pool(w.rows, 1);
	(void)rows_take(w.rows, 1, NULL);
	w.loop = (struct loop){ .now_us = POOLS_BEGIN_US, .awake = true };
	w.loop.pulse = &w.loop.own_pulse;
	w.app = (struct pool_settings){ .name = name,
		.balance = BALANCE_RANDOM,
		.hash_on = hash_on,
		.sticky = { .cookie = cookie },
		.retry = { .attempts = 2 },
		.backends = w.backends,
		.backend_count = POOLS_BACKENDS,
		.row = rows_take_pool(w.rows, 2) };
	for (unsigned i = 0; i < POOLS_BACKENDS; i++) {
		struct backend_settings *b = &w.backends[i];

		b->url_text = urls[i];
		b->weight = 1;
		b->row = rows_take(w.rows, 2 + i, NULL);
		b->addresses = calloc(1, addresses_size(1, true));
		addresses_write(b->addresses, 1, &(struct address){ .len = 1 }, 1);
	}
	w.settings = (struct settings){ .pools = &w.app, .pool_count = 1 };
	w.upstream = (struct upstream_context){ .loop = &w.loop,
		.settings = &w.settings,
		.rows = w.rows,
		.column = POOLS_OWN,
		.workers = 2,
		.pools = w.pools };
	rng_seed(&w.upstream.rng, 1, 2, 3, 4);
	return 0;
}

/* Makes the pool of the settings. */
static inline void pools_start(void)
{
	assert_int_equal(pool_setup_init_one(&w.pools[0], &w.upstream, &w.app), 0);
}

/* For cmocka: after each test. */
static inline int pools_end(void **state)
{
	(void)state;
	if (w.pools[0].settings != NULL)
		pool_setup_fini_one(&w.pools[0]);
	for (unsigned i = 0; i < POOLS_BACKENDS; i++)
		free(w.backends[i].addresses);
	rows_free(w.rows);
	board_free(w.board);
	return 0;
}

/* The monitor says something of a backend. */
static inline void pools_tell(size_t backend, enum rows_state state, unsigned share)
{
	rows_set_health(w.rows, w.backends[backend].row, (struct rows_health){ state, share, 1 });
	rows_publish(w.rows);
}

/* The other worker has so much at a backend. */
static inline void pools_set_other(enum rows_gauge gauge, size_t backend, uint32_t n)
{
	atomic_store(rows_gauge(w.rows, gauge, w.backends[backend].row, POOLS_OTHER), n);
}

/* What this worker has there, by the board. */
static inline uint32_t pools_own(enum rows_gauge gauge, size_t backend)
{
	return atomic_load(rows_gauge(w.rows, gauge, w.backends[backend].row, POOLS_OWN));
}

/* The cells of the pool. */
static inline struct rows_pool *pools_cells(uint32_t column)
{
	return rows_pool(w.rows, w.app.row, column);
}

/* A choice in the pool begins, of a client without an address. */
static inline void pools_select(struct selection *s)
{
	select_init(s, &w.pools[0], &w.request, slice_of(NULL, 0), false);
}

#endif
