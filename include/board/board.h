/*
 * The board: memory that the master and all workers share. It has a place for each worker process,
 * written by that worker but for a few words of others. Every cell but `passed` has one writer, and
 * there are no locks: who dies in the middle leaves nothing behind that others wait for.
 */
#ifndef TINYLB_BOARD_BOARD_H
#define TINYLB_BOARD_BOARD_H

#include <stdatomic.h>
#include <stdint.h>

#include "base/pulse.h"

enum board_counter {
	BOARD_ACCEPTED, /* connections of clients */
	BOARD_REQUESTS, /* that have ended, in whatever way */
	BOARD_1XX,      /* their answers by class; BOARD_1XX + status / 100 - 1, up to BOARD_5XX */
	BOARD_2XX,
	BOARD_3XX,
	BOARD_4XX,
	BOARD_5XX,
	BOARD_CONNECT_ERRORS, /* attempts to connect to a backend that failed */
	BOARD_BACKEND_ERRORS, /* requests that ended because of what a backend did or did not */
	BOARD_CLIENT_ERRORS,  /* requests that ended because of their client */
	BOARD_COUNTERS
};

/*
 * Times from the first byte of a request to the head of its answer: bucket 0 has those below 64 us,
 * bucket 2n+1 those below 64 * 1.5 * 2^n us and bucket 2n+2 those below 64 * 2 * 2^n us, the last
 * one all from 33.5 s on. See board_latency_below.
 */
#define BOARD_LATENCY_BUCKETS  40
#define BOARD_LATENCY_FIRST_US UINT64_C(64)

/* What was counted, in memory of one's own. */
struct board_tally {
	uint64_t counts[BOARD_COUNTERS];
	uint64_t latency[BOARD_LATENCY_BUCKETS];
};

/* The same on the board. */
struct board_cells {
	_Atomic uint64_t counts[BOARD_COUNTERS];
	_Atomic uint64_t latency[BOARD_LATENCY_BUCKETS];
};

struct board_place {
	/* written by the worker */
	_Alignas(64) struct pulse pulse;
	_Atomic uint64_t clients; /* connected now */
	_Atomic uint32_t pid;
	_Atomic uint32_t takes; /* 1: connections that siblings pass to it */
	_Atomic uint32_t taken; /* as many of `passed` as it has taken */
	struct board_cells cells;
	/* Connections passed to it. It has many writers, who add one, or take their one back. */
	_Alignas(64) _Atomic uint32_t passed;
	/* written by the master */
	_Alignas(64) _Atomic uint32_t generation; /* 0: nobody has this place */
	_Atomic uint32_t slot;
	_Atomic uint32_t rows, column; /* rows_id of those that it has a column in; and which */
};

struct board;
/* Makes a board with so many places. NULL with errno. */
struct board *board_new(uint32_t places) __attribute__((warn_unused_result));
/* Maps the board behind `fd`, which is the board's from now on. NULL with errno, and `fd` stays the
 * caller's; EPROTO: it is no board, or that of another version. */
struct board *board_attach(int fd) __attribute__((warn_unused_result));
/* Unmaps it here; NULL is fine. */
void board_free(struct board *board);

/* Its memory (close-on-exec), for board_attach; how many places; each of them by number. */
int board_fd(const struct board *board);
uint32_t board_size(const struct board *board);
struct board_place *board_place_at(struct board *board, uint32_t number);
uint32_t board_number(const struct board *board, const struct board_place *place);

/* Only for the master: gives a worker that is about to start a place, all zeros. NULL: none is
 * free. */
struct board_place *board_take(struct board *board, uint32_t generation, uint32_t slot)
	__attribute__((warn_unused_result));

/* Only for the master, when the worker is dead: adds what it counted to the board's total and to
 * `retired` (or NULL), and frees the place. */
void board_retire(struct board *board, struct board_place *place, struct board_tally *retired);

/* Adds what a place has counted so far; all that was ever counted, by the living and the dead,
 * which never goes back. */
void board_add_place(const struct board_place *place, struct board_tally *tally);
void board_total(struct board *board, struct board_tally *total);

/* The upper end of a bucket in microseconds; UINT64_MAX for the last one. */
uint64_t board_latency_below(unsigned bucket);

static inline unsigned board_latency_bucket(uint64_t us)
{
	unsigned power, bucket;

	if (us < BOARD_LATENCY_FIRST_US)
		return 0;
	power = 63 - (unsigned)__builtin_clzll(us);
	bucket = 2 * (power - 6) + (unsigned)(us >> (power - 1) & 1) + 1;
	return bucket < BOARD_LATENCY_BUCKETS ? bucket : BOARD_LATENCY_BUCKETS - 1;
}

/* For the one writer of a cell: no other can come between. */
static inline void board_count(_Atomic uint64_t *cell)
{
	uint64_t n = atomic_load_explicit(cell, memory_order_relaxed);

	atomic_store_explicit(cell, n + 1, memory_order_relaxed);
}

static inline void board_set(_Atomic uint64_t *cell, uint64_t value)
{
	atomic_store_explicit(cell, value, memory_order_relaxed);
}

#endif
