/*
 * The forms of what rows.h keeps on the board: of a backend, of a pool, and of a worker's alarms.
 */
#ifndef TINYLB_BOARD_ROW_H
#define TINYLB_BOARD_ROW_H

#include <stdatomic.h>
#include <stdint.h>

#include "board/board.h"

#define ROWS_NONE UINT32_MAX

/* --- of a backend --- */

/* As the monitor sees it, from best to worst. */
enum rows_state {
	ROWS_READY,
	ROWS_EJECTED,  /* too many requests to it failed */
	ROWS_DOWN,     /* it answers its checks, but does not pass */
	ROWS_SILENT,   /* it answers no check */
	ROWS_REFUSING, /* it takes no connections */
	ROWS_EMPTY,    /* its name has no address */
};

#define ROWS_FULL_SHARE  256
#define ROWS_LEAST_SHARE 26 /* a slow start begins with a tenth */

struct rows_health {
	enum rows_state state;
	unsigned share; /* of its weight, 1 to ROWS_FULL_SHARE: less in a slow start */
	uint64_t epoch; /* goes up with each change of state; 40 bits */
};

/* What a backend has now. */
enum rows_gauge {
	ROWS_IN_FLIGHT,   /* requests, from the pick on */
	ROWS_CONNECTIONS, /* open or being opened, idle ones too */
	ROWS_GAUGES
};

/* What happened to it. */
enum rows_count {
	ROWS_REQUESTS,  /* as often as it was picked */
	ROWS_RESPONSES, /* heads of final answers, of whatever status */
	ROWS_5XX,       /* of those, with a status of 500 or more */
	ROWS_CONNECT_FAILED,
	ROWS_CUT,          /* closed or reset before the end of an answer */
	ROWS_TIMED_OUT,    /* no answer in time */
	ROWS_BAD_RESPONSE, /* one that is not HTTP */
	ROWS_COUNTS = 8    /* one is unused: it fills a line */
};

/* 16 columns share a cache line: adding up the gauges of 16 workers reads one line. */
#define ROWS_BANK 16
struct rows_line {
	_Alignas(64) _Atomic uint32_t columns[ROWS_BANK];
};

/* Of one backend and one worker. The histogram is that of board_latency_bucket, to the heads of
 * answers, from the pick on. */
struct rows_cells {
	_Alignas(64) _Atomic uint64_t counts[ROWS_COUNTS];
	_Atomic uint64_t latency[BOARD_LATENCY_BUCKETS];
};

struct rows_tally {
	uint64_t counts[ROWS_COUNTS];
	uint64_t latency[BOARD_LATENCY_BUCKETS];
};

/* --- of a pool --- */

#define ROWS_SECONDS 16
struct rows_second {
	_Atomic uint32_t second; /* of the monotonic clock; what follows is of it alone */
	_Atomic uint32_t requests;
	_Atomic uint32_t retries;
};

/* Of one pool and one worker. */
struct rows_pool {
	_Alignas(64) _Atomic uint64_t oldest_us; /* since when the first waits; 0: none does */
	_Atomic uint32_t queued;                 /* requests that wait for a backend */
	_Atomic uint32_t in_flight;              /* requests that have one */
	struct rows_second seconds[ROWS_SECONDS];
};

/* --- of a worker --- */

#define ROWS_ALARMS 30
struct rows_alarms {
	_Alignas(64) _Atomic uint32_t count; /* alarms so far; the last of them stand in `rows` */
	_Atomic uint32_t heard;              /* `looks` when it last woke the monitor, plus 1 */
	_Atomic uint32_t rows[ROWS_ALARMS];
};

/* Of the monitor. */
struct rows_notes {
	_Atomic uint64_t until_us, well_us, next_ms; /* as in struct eject */
	_Atomic uint64_t against;                    /* as in struct rise_fall */
};

/* A worker's own gauges: no other process writes them meanwhile. What was zeroed stays zero. */
static inline void rows_enter(_Atomic uint32_t *gauge)
{
	uint32_t n = atomic_load_explicit(gauge, memory_order_relaxed);

	atomic_store_explicit(gauge, n + 1, memory_order_relaxed);
}

static inline void rows_leave(_Atomic uint32_t *gauge)
{
	uint32_t n = atomic_load_explicit(gauge, memory_order_relaxed);

	if (n > 0)
		atomic_store_explicit(gauge, n - 1, memory_order_relaxed);
}

#endif
