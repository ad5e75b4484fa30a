/*
 * Passing fresh connections to siblings. The kernel deals connections out by a hash, so that of few
 * some workers have far more than their share; one that is well above a sibling hands the next ones
 * on. Each slot has an inbox that the master keeps: what is in it outlives the worker.
 */
#ifndef TINYLB_WORKER_PASSING_H
#define TINYLB_WORKER_PASSING_H

#include <event2/event_struct.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/rng.h"
#include "net/loop.h"
#include "proxy/proxy.h"
#include "worker/worker.h"

struct passing {
	const struct worker_start *start; /* borrowed */
	struct loop *loop;                /* borrowed */
	struct proxy *proxy;              /* borrowed */
	struct event readable;            /* the inbox */
	struct event retry;               /* where that waits for room */
	struct board_place **places;      /* owned, by slot; NULL: there are no siblings */
	uint64_t searched_us;             /* when the board was searched for them */
	struct rng rng;
	int reserve;  /* a descriptor to give up for one that comes: it must not be lost */
	bool resting; /* full, or no reserve could be had: until a client leaves, or for `retry` */
	bool open;    /* connections are passed and taken */
};

/* 0, or -1 when memory is short. Harmless where there are no siblings. */
int passing_init(struct passing *p, const struct worker_start *start, struct loop *loop,
	struct proxy *proxy) __attribute__((warn_unused_result));
void passing_fini(struct passing *p);

/* Begins to pass and to take. */
void passing_begin(struct passing *p);

/* Passes no more. What others have sent is still taken, until passing_fini, also by one that is
 * full. */
void passing_end(struct passing *p);

/* Tells the siblings whether this worker has room for more. */
void passing_set_room(struct passing *p, bool room);

/* A client has left: there may be room again. */
void passing_left(struct passing *p);

/* Gives the connection `fd`, just accepted from `listener`, to a sibling that has clearly fewer
 * clients. False: there is none, and it stays the caller's. */
bool passing_pass(struct passing *p, int fd, uint32_t listener);

#endif
