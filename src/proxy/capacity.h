/*
 * How much a backend may have at a time: requests and connections of all workers together, where
 * the settings have limits; and how many connections this worker may be making to one that has just
 * come back. Pools without either pay nothing: nobody asks.
 */
#ifndef TINYLB_PROXY_CAPACITY_H
#define TINYLB_PROXY_CAPACITY_H

#include <stdbool.h>
#include <stdint.h>

#include "balance/picker.h"

struct backend;
struct exchange;
struct pool;
struct proxy;

/*
 * Of one backend. What is over a limit is refused at the moment at which it would be entered
 * (rows_enter_within); that a backend is full is looked at before, to choose another one.
 *
 * A ramp begins with one connection at a time when a connection was refused, when the monitor says
 * that the backend refuses, and with a slow start. Each connection that is made doubles that, up to
 * CAPACITY_RAMP_MOST, where it ends, or stays until the slow start is over. What it holds back goes
 * to other backends. Where all others are full too, it waits in a pool with limits, and in one
 * without it does not heed the ramp.
 */
struct capacity {
	uint32_t requests; /* 0: any number; the same below */
	uint32_t connections;
	unsigned idle;       /* connections that this worker keeps: its part of them at the most */
	unsigned ramp;       /* connections that may be in the making; 0: any number */
	unsigned connecting; /* and are */
};

#define CAPACITY_RAMP_MOST 64

/* Idle connections that one worker keeps for each backend. A backend with a limit gets its part of
 * that from each worker, lest those that one does not use leave none to another. */
#define CAPACITY_IDLE_MOST 512

void capacity_init(struct pool *pool);

/* For struct picker_view. */
bool capacity_is_full(const struct picker_view *view, size_t index);

/* Whether anybody is left for the request. */
enum capacity_room {
	CAPACITY_NOBODY, /* who may be picked, and was not tried */
	CAPACITY_FULL,   /* but they have all they may have */
	CAPACITY_ROOM,
};
enum capacity_room capacity_room(const struct exchange *x);

/* Counts a connection that is about to be opened. False: it would be one too many. */
bool capacity_open(struct proxy *proxy, struct backend *backend)
	__attribute__((warn_unused_result));

/* A ramp begins, anew where there is one; and: a connection was made. */
void capacity_ramp(struct pool *pool, struct backend *backend);
void capacity_connected(struct pool *pool, struct backend *backend);

#endif
