/*
 * What backends are doing: counted for all workers on the board, and what this worker alone has
 * seen of late. Pickers ask here.
 */
#ifndef TINYLB_UPSTREAM_LOAD_H
#define TINYLB_UPSTREAM_LOAD_H

#include <stdint.h>

#include "balance/picker.h"
#include "board/rows.h"

struct backend;
struct load;
struct selection;

/* Finds the cells of a backend. With ROWS_NONE, or without `rows`, what is counted is lost. */
void load_init(struct load *load, struct rows *rows, uint32_t row, uint32_t column);

/* Takes a place at the backend that was picked; false: it has all the requests that it may have,
 * and nothing has changed. load_release gives the place up; harmless without one. */
bool load_acquire(struct selection *selection) __attribute__((warn_unused_result));
void load_release(struct selection *selection);

/* In place of a status that must not count: the client has not sent the whole request. */
#define LOAD_NO_STATUS 0

/* The backend, which was picked for the request, has given a final response of this status. Its
 * latency is counted from when it was picked, or from when content was sent to it last. */
void load_responded(const struct selection *selection, struct backend *backend, int status);

/* The backend that was picked last has failed. */
void load_failed(const struct selection *selection, enum rows_count what);

/* For struct picker_view; its context is the pool. */
void load_of(const struct picker_view *view, size_t index, struct picker_load *load);
uint64_t load_in_flight(const struct picker_view *view);

#endif
