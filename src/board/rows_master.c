/* What only the master does with the rows: makes them, gives rows and columns away, and counts the
 * dead. */
#include "config.h"

#include <assert.h>
#include <errno.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/random.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/memory.h"
#include "form.h"
#include "rows_form.h"

#define ROWS_MAGIC 0x73776f72626c7974u /* "tylbrows" */
#define PART_ALIGN ((size_t)4096)

/* --- where the parts are --- */

static void *part(char *base, size_t *at, size_t count, size_t size)
{
	size_t from = *at;

	*at = (from + count * size + PART_ALIGN - 1) / PART_ALIGN * PART_ALIGN;
	return base != NULL ? base + from : NULL;
}

/* Says where all parts are, and returns how much room they need. */
static size_t lay_out(struct rows *r, void *memory, const struct rows_header *form)
{
	size_t banks = (form->columns + ROWS_BANK - 1) / ROWS_BANK;
	size_t rows = form->rows, at = 0;
	char *base = memory;

	r->header = part(base, &at, 1, sizeof *r->header);
	r->health = part(base, &at, rows, sizeof *r->health);
	r->keys = part(base, &at, rows + form->pools, sizeof *r->keys);
	r->taken = part(base, &at, form->columns, sizeof *r->taken);
	r->alarms = part(base, &at, form->columns, sizeof *r->alarms);
	r->gauges = part(base, &at, ROWS_GAUGES * banks * rows, sizeof *r->gauges);
	r->pool = part(base, &at, (size_t)form->columns * form->pools, sizeof *r->pool);
	r->retired = part(base, &at, rows, sizeof *r->retired);
	r->cells = part(base, &at, form->columns * rows, sizeof *r->cells);
	r->notes = part(base, &at, rows, sizeof *r->notes);
	return at;
}

static struct rows_header form_of(uint32_t rows, uint32_t pools, uint32_t columns)
{
	return (struct rows_header){ .magic = ROWS_MAGIC,
		.rows = rows,
		.pools = pools,
		.columns = columns,
		.cells_size = sizeof(struct rows_cells),
		.pool_size = sizeof(struct rows_pool),
		.alarms_size = sizeof(struct rows_alarms),
		.notes_size = sizeof(struct rows_notes) };
}

/* --- their life --- */

static int take_up(struct rows *r)
{
	const struct rows_header *header = r->header;

	r->alarm = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (r->alarm == -1 || keys_init(&r->row_keys, r->keys, header->rows) == -1)
		return -1;
	return keys_init(&r->pool_keys, r->keys + header->rows, header->pools);
}

static struct rows *begin(struct board *board)
{
	struct rows *r = mem_zalloc(1, sizeof *r);

	if (r == NULL) {
		errno = ENOMEM;
		return NULL;
	}
	r->shares = 1;
	r->board = board;
	r->alarm = -1;
	return r;
}

static struct rows *give_up(struct rows *r)
{
	int error = errno;

	rows_free(r);
	errno = error;
	return NULL;
}

static void set_notes(struct rows_notes *to, const struct rows_notes *from)
{
	board_set(&to->until_us, board_read(&from->until_us));
	board_set(&to->well_us, board_read(&from->well_us));
	board_set(&to->next_ms, board_read(&from->next_ms));
	board_set(&to->against, board_read(&from->against));
}

void rows_carry_over(struct rows *r, const struct rows *former)
{
	assert(former != r);
	for (uint32_t row = 0; row < former->header->rows; row++) {
		uint64_t key = board_read(&former->keys[row]);
		struct rows_tally total;
		uint32_t to;

		to = key != 0 ? rows_take(r, key, NULL) : ROWS_NONE;
		if (to == ROWS_NONE)
			continue;
		board_set(&r->health[to], board_read(&former->health[row]));
		set_notes(&r->notes[to], &former->notes[row]);
		rows_total(former, row, &total);
		for (size_t i = 0; i < ROWS_COUNTS; i++)
			board_set(&r->retired[to].counts[i], total.counts[i]);
		for (size_t i = 0; i < BOARD_LATENCY_BUCKETS; i++)
			board_set(&r->retired[to].latency[i], total.latency[i]);
		/* It is in use only if it is taken again before rows_settle. */
		keys_inherit(&r->row_keys, to);
		rows_drop(r, to);
	}
}

struct rows *rows_new(struct board *board, uint32_t rows, uint32_t pools, uint32_t columns)
{
	const struct rows_header form = form_of(rows, pools, columns);
	struct rows *r = begin(board), *former;

	if (r == NULL)
		return NULL;
	if (room_make(board, lay_out(r, NULL, &form), &r->room) == -1)
		return give_up(r);
	lay_out(r, r->room.memory, &form);
	memcpy(r->header, &form, offsetof(struct rows_header, secret));
	if (take_up(r) == -1)
		return give_up(r);
	former = rows_attach(board);
	if (former != NULL) {
		memcpy(r->header->secret, former->header->secret, sizeof r->header->secret);
		rows_carry_over(r, former);
	} else if ((errno != ENOENT && errno != EPROTO) ||
		   getrandom(r->header->secret, ROWS_SECRET_SIZE, 0) == -1) {
		return give_up(r);
	}
	rows_free(former);
	room_use(board, &r->room);
	return r;
}

struct rows *rows_attach(struct board *board)
{
	struct rows *r = begin(board);
	const struct rows_header *header;
	struct rows_header form;

	if (r == NULL || room_map(board, &r->room) == -1)
		return give_up(r);
	header = r->room.memory;
	form = form_of(header->rows, header->pools, header->columns);
	if (memcmp(header, &form, offsetof(struct rows_header, secret)) != 0 ||
		lay_out(r, r->room.memory, &form) > r->room.length) {
		errno = EPROTO;
		return give_up(r);
	}
	return take_up(r) == 0 ? r : give_up(r);
}

struct rows *rows_share(struct rows *rows)
{
	assert(rows->shares > 0);
	rows->shares++;
	return rows;
}

void rows_free(struct rows *rows)
{
	if (rows == NULL)
		return;
	assert(rows->shares > 0);
	if (--rows->shares > 0)
		return;
	keys_fini(&rows->row_keys);
	keys_fini(&rows->pool_keys);
	fd_close(&rows->alarm);
	room_unmap(&rows->room);
	mem_free(rows);
}

/* --- rows --- */

static void note_used(_Atomic uint32_t *used, uint32_t number)
{
	if (number >= atomic_load_explicit(used, memory_order_relaxed))
		atomic_store_explicit(used, number + 1, memory_order_relaxed);
}

static void store(struct rows_cells *cells, const struct rows_tally *tally)
{
	for (size_t i = 0; i < ROWS_COUNTS; i++)
		board_set(&cells->counts[i], tally->counts[i]);
	for (size_t i = 0; i < BOARD_LATENCY_BUCKETS; i++)
		board_set(&cells->latency[i], tally->latency[i]);
}

uint32_t rows_take(struct rows *rows, uint64_t key, bool *is_new)
{
	static const struct rows_tally none;
	static const struct rows_notes no_notes;
	bool ignored = false, *fresh = is_new != NULL ? is_new : &ignored;
	uint32_t row = keys_take(&rows->row_keys, key, fresh);

	if (row == KEYS_NONE || !*fresh)
		return row;
	/* A former owner may have left something. Where nothing was counted there may be no memory
	 * yet, and need not be. */
	if (row < atomic_load_explicit(&rows->header->rows_used, memory_order_relaxed)) {
		store(&rows->retired[row], &none);
		set_notes(&rows->notes[row], &no_notes);
	}
	note_used(&rows->header->rows_used, row);
	rows_set_health(rows, row, (struct rows_health){ ROWS_READY, ROWS_FULL_SHARE, 0 });
	return row;
}

uint32_t rows_take_pool(struct rows *rows, uint64_t key)
{
	bool is_new;

	return keys_take(&rows->pool_keys, key, &is_new);
}

void rows_drop(struct rows *rows, uint32_t row)
{
	keys_drop(&rows->row_keys, row);
}

void rows_drop_pool(struct rows *rows, uint32_t pool)
{
	keys_drop(&rows->pool_keys, pool);
}

void rows_settle(struct rows *rows)
{
	keys_settle(&rows->row_keys);
	keys_settle(&rows->pool_keys);
}

/* --- columns --- */

uint32_t rows_take_column(struct rows *rows)
{
	for (uint32_t column = 0; column < rows->header->columns; column++) {
		if (atomic_load_explicit(&rows->taken[column], memory_order_relaxed) != 0)
			continue;
		atomic_store_explicit(&rows->taken[column], 1, memory_order_relaxed);
		note_used(&rows->header->columns_used, column);
		return column;
	}
	return ROWS_NONE;
}

static void retire_row(struct rows *rows, uint32_t row, struct rows_cells *cells)
{
	static const struct rows_tally none;
	struct rows_tally sum = none;

	if (board_read(&cells->counts[ROWS_REQUESTS]) == 0)
		return;
	for (size_t i = 0; i < ROWS_COUNTS; i++)
		sum.counts[i] =
			board_read(&cells->counts[i]) + board_read(&rows->retired[row].counts[i]);
	for (size_t i = 0; i < BOARD_LATENCY_BUCKETS; i++)
		sum.latency[i] =
			board_read(&cells->latency[i]) + board_read(&rows->retired[row].latency[i]);
	store(&rows->retired[row], &sum);
	store(cells, &none);
}

/* Goes through those counters that there is memory for: the others are zero. */
static void retire_counters(struct rows *rows, uint32_t column)
{
	struct rows_cells *first = rows_cells(rows, 0, column);
	uint32_t used = atomic_load_explicit(&rows->header->rows_used, memory_order_relaxed);
	uint64_t base = rows->room.offset + (uint64_t)((char *)first - (char *)rows->room.memory);
	uint64_t end = used * sizeof *first, known = 0; /* there is memory up to `known` */

	for (uint32_t row = 0; row < used; row++) {
		uint64_t at = row * sizeof *first;

		if (at + sizeof *first > known) {
			at = room_next(rows->board, base + at, end - at) - base;
			known = (at / PART_ALIGN + 1) * PART_ALIGN;
			row = (uint32_t)(at / sizeof *first);
		}
		if (row < used)
			retire_row(rows, row, &first[row]);
	}
}

static void zero_gauges(struct rows *rows, uint32_t column)
{
	uint32_t used = atomic_load_explicit(&rows->header->rows_used, memory_order_relaxed);

	for (uint32_t row = 0; row < used; row++)
		for (int gauge = 0; gauge < ROWS_GAUGES; gauge++) {
			_Atomic uint32_t *cell =
				rows_gauge(rows, (enum rows_gauge)gauge, row, column);

			if (atomic_load_explicit(cell, memory_order_relaxed) != 0)
				atomic_store_explicit(cell, 0, memory_order_relaxed);
		}
}

void rows_retire(struct rows *rows, uint32_t column)
{
	struct rows_header *header = rows->header;
	uint32_t seqlock = atomic_load_explicit(&header->seqlock, memory_order_relaxed) | 1;

	zero_gauges(rows, column);
	memset(rows_pool(rows, 0, column), 0, header->pools * sizeof(struct rows_pool));
	/* Who reads in between would count the dead twice, or not at all. */
	atomic_store_explicit(&header->seqlock, seqlock, memory_order_relaxed);
	atomic_thread_fence(memory_order_release);
	retire_counters(rows, column);
	atomic_store_explicit(&header->seqlock, seqlock + 1, memory_order_release);
	/* It may have died before it woke the monitor. What it has called stays counted, or the
	 * calls of who comes next would look like those that were heard. */
	atomic_store_explicit(&rows->alarms[column].heard, 0, memory_order_relaxed);
	atomic_store_explicit(&rows->taken[column], 0, memory_order_relaxed);
}
