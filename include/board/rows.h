/*
 * What is known of each backend and each pool, on the board behind the places of the workers, for
 * all processes together. A backend has a *row* for as long as any generation has it: a reload and
 * an upgrade keep it. A worker has a *column*, in which nobody else writes; the health words are
 * the monitor's, all else is the master's. There are no locks.
 */
#ifndef TINYLB_BOARD_ROWS_H
#define TINYLB_BOARD_ROWS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/slice.h"
#include "board/row.h"

struct rows;

/* Only for the master: makes rows on the board, in place of those that were there, with the
 * secret and the health words of those that have the same keys. A process that has the old
 * rows goes on with them. NULL with errno. */
struct rows *rows_new(struct board *board, uint32_t rows, uint32_t pools, uint32_t columns)
	__attribute__((warn_unused_result));
/* Those that are on the board already. NULL with errno; ENOENT: none are. Until rows_settle
 * every row that is in use stays so. */
struct rows *rows_attach(struct board *board) __attribute__((warn_unused_result));
/* Only for the master: takes over the rows of `former`, where there is room, with what is known of
 * them. They stay in use until rows_settle, however often this was done. */
void rows_carry_over(struct rows *rows, const struct rows *former);
/* The same ones, for somebody else to free. */
struct rows *rows_share(struct rows *rows);
/* NULL is fine. */
void rows_free(struct rows *rows);

/* Which rows of this board they are: later ones have a higher number. */
uint32_t rows_id(const struct rows *rows);

uint32_t rows_size(const struct rows *rows);
uint32_t rows_columns(const struct rows *rows);

/* What a backend, or a pool (with an empty url), is known by. `ordinal` tells apart what has the
 * same URL. */
uint64_t rows_key(struct slice pool, struct slice url, unsigned ordinal);

/* Only for the master: the row (of a pool: rows_take_pool) with this key, or a new one. ROWS_NONE:
 * there is no room. Each take wants a drop. *is_new (unless NULL): nobody had it before. */
uint32_t rows_take(struct rows *rows, uint64_t key, bool *is_new);
uint32_t rows_take_pool(struct rows *rows, uint64_t key);
void rows_drop(struct rows *rows, uint32_t row);
void rows_drop_pool(struct rows *rows, uint32_t pool);
/* Only for the master, after rows_attach: nobody of before uses rows any more. */
void rows_settle(struct rows *rows);

/* Only for the master: a free column, or ROWS_NONE. And when its worker is dead: adds what it
 * counted to the totals, and zeroes its gauges. */
uint32_t rows_take_column(struct rows *rows);
void rows_retire(struct rows *rows, uint32_t column);

/* 16 random bytes, the same for all processes; a reload and an upgrade keep them. */
const unsigned char *rows_secret(const struct rows *rows);

/* Health words. Only the monitor sets them, but for that of a new row; it publishes when it has set
 * some: then the version is another one. */
struct rows_health rows_health(const struct rows *rows, uint32_t row);
void rows_set_health(struct rows *rows, uint32_t row, struct rows_health health);
void rows_publish(struct rows *rows);
/* What only the monitor reads and writes, and finds again after whatever ended it. */
struct rows_notes *rows_notes(struct rows *rows, uint32_t row);
uint32_t rows_version(const struct rows *rows);

/* A worker's own cells. */
_Atomic uint32_t *rows_gauge(
	struct rows *rows, enum rows_gauge gauge, uint32_t row, uint32_t column);
struct rows_cells *rows_cells(struct rows *rows, uint32_t row, uint32_t column);
struct rows_pool *rows_pool(const struct rows *rows, uint32_t pool, uint32_t column);
struct rows_alarms *rows_alarms(struct rows *rows, uint32_t column);

/* Of all workers. Columns from rows_columns_used on have never been used. */
uint32_t rows_columns_used(const struct rows *rows);
uint32_t rows_sum(const struct rows *rows, enum rows_gauge gauge, uint32_t row);
/*
 * Enters one's own gauge if all workers together have no more than `most` then. False: they would,
 * or it seems so because another one has tried at the same moment; nothing has changed.
 *
 * Never are more than `most` in, not by one. Each who wants in counts itself first, then adds up
 * all columns, with a full fence in between, and steps back where that is too much (Dekker). Of
 * those that are in at any moment one was the last to come behind its fence: its sum had all
 * others. Who steps back can only make others step back, too: then neither is in, and they try
 * again. A worker that dies in between is in until the master retires its column.
 */
bool rows_enter_within(struct rows *rows, enum rows_gauge gauge, uint32_t row, uint32_t column,
	uint32_t most) __attribute__((warn_unused_result));
/* The same with those that wait for a backend of a pool. */
bool rows_queue_within(struct rows *rows, uint32_t pool, uint32_t column, uint32_t most)
	__attribute__((warn_unused_result));
/* Since when the first waits in the queues of all other workers for this pool; who waits since
 * `after_us` or longer does not count. 0: nobody waits. */
uint64_t rows_oldest(const struct rows *rows, uint32_t pool, uint32_t column, uint64_t after_us);
/* All that was ever counted, by the living and the dead; it never goes back. */
void rows_total(const struct rows *rows, uint32_t row, struct rows_tally *total);

/* A worker has seen `row` fail, and counted that: wakes the monitor, once until that looks. */
void rows_alarm(struct rows *rows, uint32_t column, uint32_t row);
/* For the monitor: becomes readable when a worker wakes it; and to be called as it looks, before
 * it looks. The descriptor is the rows'. */
int rows_alarm_fd(const struct rows *rows);
void rows_hear(struct rows *rows);

#endif
