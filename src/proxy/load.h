/*
 * What backends are doing: counted for all workers on the board, and what this worker alone has
 * seen of late. Pickers ask here.
 */
#ifndef TINYLB_PROXY_LOAD_H
#define TINYLB_PROXY_LOAD_H

#include <stdint.h>

#include "balance/picker.h"
#include "board/rows.h"

struct backend;
struct exchange;
struct pool;
struct proxy;
struct http1_upstream;

/* Something that goes down by the same amount each moment, to nothing within a second. */
struct fading {
	uint64_t at_us;
	uint32_t value;
};

/* Of one backend. */
struct load {
	/* this worker's cells on the board; borrowed */
	_Atomic uint32_t *in_flight;
	_Atomic uint32_t *connections;
	struct rows_cells *cells;
	/* what this worker has seen */
	struct fading recent;
	struct fading failing;
	uint32_t latency_us; /* a moving mean; 0: not known */
};

/* Where a backend's cells are; `row` may be ROWS_NONE, or `rows` NULL: then what is counted is
 * lost. */
void load_init(struct load *load, struct rows *rows, uint32_t row, uint32_t column);

/* The exchange has picked its backend; false: that has all the requests that it may have. And: it
 * is done with that one. */
bool load_acquire(struct exchange *x) __attribute__((warn_unused_result));
void load_release(struct exchange *x);

/* A backend that was picked for it has given a final answer. */
void load_answered(struct exchange *x, struct backend *backend, int status);

/* It has failed. */
void load_failed(struct exchange *x, enum rows_count what);

/* For struct picker_view; its context is the pool. */
void load_of(const struct picker_view *view, size_t index, struct picker_load *load);
uint64_t load_in_flight(const struct picker_view *view);

#endif
