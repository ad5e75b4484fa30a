/*
 * To count is a load and a store: each cell has one writer. Only pickers that ask add the cells up,
 * for the few backends that they choose between.
 */
#include "config.h"

#include "upstream/load.h"

#include <assert.h>

#include "upstream/availability.h"
#include "upstream/selection.h"

#define SECOND_US UINT64_C(1000000)

/* A new time counts for an eighth of the mean, so the mean is that of the last dozen responses. */
#define MEAN_OF 8

static uint32_t faded(const struct fading *f, uint64_t now_us)
{
	uint64_t age = now_us - f->at_us;

	return age < SECOND_US ? (uint32_t)(f->value * (SECOND_US - age) / SECOND_US) : 0;
}

static void add(struct fading *f, uint32_t amount, uint64_t now_us)
{
	assert(now_us >= f->at_us);
	f->value = faded(f, now_us) + amount;
	f->at_us = now_us;
}

void load_init(struct load *load, struct rows *rows, uint32_t row, uint32_t column)
{
	static _Atomic uint32_t nowhere[ROWS_GAUGES];
	static struct rows_cells no_cells;

	if (rows == NULL || row == ROWS_NONE) {
		load->in_flight = &nowhere[ROWS_IN_FLIGHT];
		load->connections = &nowhere[ROWS_CONNECTIONS];
		load->cells = &no_cells;
		return;
	}
	load->in_flight = rows_gauge(rows, ROWS_IN_FLIGHT, row, column);
	load->connections = rows_gauge(rows, ROWS_CONNECTIONS, row, column);
	load->cells = rows_cells(rows, row, column);
}

bool load_acquire(struct selection *s)
{
	const struct upstream_context *upstream = s->pool->upstream;
	const struct backend *backend = selection_backend(s);
	struct load *load = &selection_backend(s)->load;

	if (backend->capacity.requests == 0)
		rows_enter(load->in_flight);
	else if (!rows_enter_within(upstream->rows, ROWS_IN_FLIGHT, backend->row, upstream->column,
			 backend->capacity.requests))
		return false;
	s->counted = true;
	rows_enter(&s->pool->cells->in_flight);
	board_count(&load->cells->counts[ROWS_REQUESTS]);
	if (s->pool->view.load != NULL)
		add(&load->recent, PICKER_FAILURE, upstream->loop->now_us);
	return true;
}

void load_release(struct selection *s)
{
	if (!s->counted)
		return;
	s->counted = false;
	rows_leave(selection_backend(s)->load.in_flight);
	rows_leave(&s->pool->cells->in_flight);
}

static void alarm_monitor(const struct upstream_context *upstream, const struct backend *backend)
{
	if (upstream->rows != NULL && backend->row != ROWS_NONE)
		rows_alarm(upstream->rows, upstream->column, backend->row);
}

static void note_latency(struct load *load, uint64_t us)
{
	uint32_t sample = us < UINT32_MAX / MEAN_OF ? (uint32_t)us + 1 : UINT32_MAX / MEAN_OF;

	if (load->latency_us == 0)
		load->latency_us = sample;
	else
		load->latency_us += sample / MEAN_OF - load->latency_us / MEAN_OF;
}

void load_responded(const struct selection *s, struct backend *backend, int status)
{
	const struct upstream_context *upstream = s->pool->upstream;
	struct rows_cells *cells = backend->load.cells;
	uint64_t since_us = s->fed_us > s->picked_us ? s->fed_us : s->picked_us;
	uint64_t us = upstream->loop->now_us - since_us;

	board_count(&cells->counts[ROWS_RESPONSES]);
	board_count(&cells->latency[board_latency_bucket(us)]);
	if (status >= 500) {
		board_count(&cells->counts[ROWS_5XX]);
		if (s->pool->settings->eject.on_5xx)
			alarm_monitor(upstream, backend);
	}
	if (s->pool->view.load != NULL)
		note_latency(&backend->load, us);
	availability_responded(backend);
}

void load_failed(const struct selection *s, enum rows_count what)
{
	const struct upstream_context *upstream = s->pool->upstream;
	struct backend *backend = selection_backend(s);

	board_count(&backend->load.cells->counts[what]);
	add(&backend->load.failing, PICKER_FAILURE, upstream->loop->now_us);
	if (what == ROWS_CONNECT_FAILED)
		availability_refused(s->pool, backend, upstream->loop->now_us);
	alarm_monitor(upstream, backend);
}

void load_of(const struct picker_view *view, size_t index, struct picker_load *load)
{
	const struct pool *pool = view->context;
	const struct backend *backend = &pool->backends[index];
	const struct upstream_context *upstream = pool->upstream;
	uint64_t now_us = upstream->loop->now_us;

	if (upstream->rows != NULL && backend->row != ROWS_NONE)
		load->in_flight = rows_sum(upstream->rows, ROWS_IN_FLIGHT, backend->row);
	load->recent = faded(&backend->load.recent, now_us);
	load->failing = faded(&backend->load.failing, now_us);
	load->latency_us = backend->load.latency_us;
}

uint64_t load_in_flight(const struct picker_view *view)
{
	const struct pool *pool = view->context;
	struct rows *rows = pool->upstream->rows;
	uint32_t row = pool->settings->row;
	uint64_t sum = 0;

	if (rows == NULL || row == ROWS_NONE)
		return 0;
	for (uint32_t column = 0; column < rows_columns_used(rows); column++)
		sum += atomic_load_explicit(
			&rows_pool(rows, row, column)->in_flight, memory_order_relaxed);
	return sum;
}
