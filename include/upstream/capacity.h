/*
 * How much a backend may have at a time: requests and connections of all workers together, if the
 * settings have limits; and how many connections this worker may be making to a backend that has
 * just come back. Pools with neither pay nothing: no code asks.
 */
#ifndef TINYLB_UPSTREAM_CAPACITY_H
#define TINYLB_UPSTREAM_CAPACITY_H

#include <stdbool.h>
#include <stdint.h>

#include "balance/picker.h"

struct backend;
struct pool;
struct selection;

/*
 * A request or connection over a limit is refused when it would be entered on the
 * board (rows_enter_within). Whether a backend is full is looked at before that, so that another
 * one is picked.
 *
 * A ramp begins with one connection at a time: when a connection was refused, when the monitor says
 * that the backend refuses, and with a slow start. Each connection that is made doubles it, up to
 * CAPACITY_RAMP_MOST. There it ends, or stays until the slow start is over. Requests that a ramp
 * holds back go to other backends. If all others are full too, they wait in a pool with limits; a
 * pool without limits ignores the ramp.
 */
#define CAPACITY_RAMP_MOST 64

/* Idle connections that one worker keeps for each backend. Of a backend with a limit it keeps its
 * part, so that one worker's idle connections cannot starve the others. */
#define CAPACITY_IDLE_MOST 512

/* Reads the limits of the settings; to be called when the backends have their rows. */
void capacity_init(struct pool *pool);

/* For struct picker_view: whether the backend has all that it may have, of requests or of
 * connections. */
bool capacity_is_full(const struct picker_view *view, size_t index);

/* Whether the backend has all the requests that it may have: then none may be sent, not even on a
 * connection that is there. */
bool capacity_is_busy(const struct pool *pool, size_t index);

/* Whether any backend is left for the request. */
enum capacity_room {
	CAPACITY_NOBODY, /* none may be picked that was not tried */
	CAPACITY_FULL,   /* some may, but they are full */
	CAPACITY_ROOM,   /* one at least has room */
};
enum capacity_room capacity_room(const struct selection *selection);

/* Counts a connection that is about to be opened. False: it would be one too many, and is not
 * counted. */
bool capacity_open(const struct pool *pool, struct backend *backend)
	__attribute__((warn_unused_result));

/* A ramp begins, anew if there is one; a connection was made. */
void capacity_ramp(struct pool *pool, struct backend *backend);
void capacity_connected(struct pool *pool, struct backend *backend);

#endif
