/*
 * The cells of the rows. What is written at each request lies by column: a line of gauges has 16
 * of them side by side, to be added up at once, and the counters of a worker lie together, far from
 * those of others.
 */
#include "config.h"

#include "board/rows.h"

#include <assert.h>
#include <unistd.h>

#include "form.h"
#include "rows_form.h"

/* A reader tries so often to read between two writes: the master may have died in one. */
#define TRIES_MAX 1000

#define EPOCH_MASK (((uint64_t)1 << 40) - 1)

uint32_t rows_id(const struct rows *rows)
{
	return rows->room.id;
}

uint32_t rows_size(const struct rows *rows)
{
	return rows->header->rows;
}

uint32_t rows_columns(const struct rows *rows)
{
	return rows->header->columns;
}

static uint64_t hash_on(uint64_t hash, struct slice text)
{
	for (size_t i = 0; i < text.len; i++)
		hash = (hash ^ (unsigned char)text.data[i]) * UINT64_C(0x100000001b3);
	return hash;
}

/* FNV-1a, and the last steps of splitmix64: its low bits choose a bucket. Names end with a byte
 * that none has. */
uint64_t rows_key(struct slice pool, struct slice url, unsigned ordinal)
{
	char end[2] = { '\0', (char)ordinal };
	uint64_t hash = hash_on(UINT64_C(0xcbf29ce484222325), pool);

	hash = hash_on(hash, slice_of(end, 1));
	hash = hash_on(hash, url);
	hash = hash_on(hash, slice_of(end, 2));
	hash = (hash ^ hash >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	hash = (hash ^ hash >> 27) * UINT64_C(0x94d049bb133111eb);
	hash ^= hash >> 31;
	return hash != 0 ? hash : 1;
}

const unsigned char *rows_secret(const struct rows *rows)
{
	return rows->header->secret;
}

/* A word: the state in 8 bits, the share in 16, the epoch in 40. */
struct rows_health rows_health(const struct rows *rows, uint32_t row)
{
	uint64_t word = board_read(&rows->health[row]);

	return (struct rows_health){
		.state = (enum rows_state)(word >> 56),
		.share = (unsigned)(word >> 40 & 0xffff),
		.epoch = word & EPOCH_MASK,
	};
}

void rows_set_health(struct rows *rows, uint32_t row, struct rows_health health)
{
	assert(health.state <= ROWS_EMPTY);
	assert(health.share >= 1 && health.share <= ROWS_FULL_SHARE);
	board_set(&rows->health[row], (uint64_t)health.state << 56 | (uint64_t)health.share << 40 |
					      (health.epoch & EPOCH_MASK));
}

/* Who reads the new version reads the new words. */
void rows_publish(struct rows *rows)
{
	uint32_t version = atomic_load_explicit(&rows->header->version, memory_order_relaxed);

	atomic_store_explicit(&rows->header->version, version + 1, memory_order_release);
}

uint32_t rows_version(const struct rows *rows)
{
	return atomic_load_explicit(&rows->header->version, memory_order_acquire);
}

struct rows_notes *rows_notes(struct rows *rows, uint32_t row)
{
	return &rows->notes[row];
}

static struct rows_line *line_of(
	const struct rows *rows, enum rows_gauge gauge, uint32_t bank, uint32_t row)
{
	size_t banks = (rows->header->columns + ROWS_BANK - 1) / ROWS_BANK;

	return &rows->gauges[((size_t)gauge * banks + bank) * rows->header->rows + row];
}

_Atomic uint32_t *rows_gauge(
	struct rows *rows, enum rows_gauge gauge, uint32_t row, uint32_t column)
{
	assert(gauge < ROWS_GAUGES);
	return &line_of(rows, gauge, column / ROWS_BANK, row)->columns[column % ROWS_BANK];
}

struct rows_cells *rows_cells(struct rows *rows, uint32_t row, uint32_t column)
{
	return &rows->cells[(size_t)column * rows->header->rows + row];
}

struct rows_pool *rows_pool(const struct rows *rows, uint32_t pool, uint32_t column)
{
	return &rows->pool[(size_t)column * rows->header->pools + pool];
}

struct rows_alarms *rows_alarms(struct rows *rows, uint32_t column)
{
	return &rows->alarms[column];
}

uint32_t rows_columns_used(const struct rows *rows)
{
	return atomic_load_explicit(&rows->header->columns_used, memory_order_relaxed);
}

uint32_t rows_sum(const struct rows *rows, enum rows_gauge gauge, uint32_t row)
{
	uint32_t banks = (rows_columns_used(rows) + ROWS_BANK - 1) / ROWS_BANK;
	uint32_t sum = 0;

	for (uint32_t bank = 0; bank < banks; bank++) {
		const struct rows_line *line = line_of(rows, gauge, bank, row);

		for (unsigned i = 0; i < ROWS_BANK; i++)
			sum += atomic_load_explicit(&line->columns[i], memory_order_relaxed);
	}
	return sum;
}

static void add(const struct rows_cells *cells, struct rows_tally *tally)
{
	for (size_t i = 0; i < ROWS_COUNTS; i++)
		tally->counts[i] += board_read(&cells->counts[i]);
	for (size_t i = 0; i < BOARD_LATENCY_BUCKETS; i++)
		tally->latency[i] += board_read(&cells->latency[i]);
}

void rows_total(const struct rows *rows, uint32_t row, struct rows_tally *total)
{
	const struct rows_header *header = rows->header;
	uint32_t before, after;

	for (int i = 0; i < TRIES_MAX; i++) {
		*total = (struct rows_tally){ .counts = { 0 } };
		before = atomic_load_explicit(&header->seqlock, memory_order_acquire);
		add(&rows->retired[row], total);
		for (uint32_t column = 0; column < rows_columns_used(rows); column++)
			add(&rows->cells[(size_t)column * header->rows + row], total);
		atomic_thread_fence(memory_order_acquire);
		after = atomic_load_explicit(&header->seqlock, memory_order_relaxed);
		if (before == after && before % 2 == 0)
			return;
	}
}

/* Either the worker sees that the monitor looks anew, and wakes it, or the monitor, that looks
 * afterwards, sees the alarm. */
void rows_alarm(struct rows *rows, uint32_t column, uint32_t row)
{
	struct rows_alarms *alarms = &rows->alarms[column];
	uint32_t count = atomic_load_explicit(&alarms->count, memory_order_relaxed);
	uint32_t looks;
	const uint64_t one = 1;

	atomic_store_explicit(&alarms->rows[count % ROWS_ALARMS], row, memory_order_relaxed);
	atomic_store_explicit(&alarms->count, count + 1, memory_order_release);
	atomic_thread_fence(memory_order_seq_cst);
	looks = atomic_load_explicit(&rows->header->looks, memory_order_relaxed) + 1;
	if (atomic_load_explicit(&alarms->heard, memory_order_relaxed) == looks)
		return;
	atomic_store_explicit(&alarms->heard, looks, memory_order_relaxed);
	/* It can only fail where it is readable anyhow. */
	if (write(rows->alarm, &one, sizeof one) == -1)
		return;
}

int rows_alarm_fd(const struct rows *rows)
{
	return rows->alarm;
}

void rows_hear(struct rows *rows)
{
	uint32_t looks = atomic_load_explicit(&rows->header->looks, memory_order_relaxed);
	uint64_t count;

	/* Where nobody called there is nothing to be read. */
	if (read(rows->alarm, &count, sizeof count) == -1)
		count = 0;
	atomic_store_explicit(&rows->header->looks, looks + 1, memory_order_relaxed);
	atomic_thread_fence(memory_order_seq_cst);
}
