/*
 * Passes fresh connections to siblings, the other workers of the generation. The kernel deals
 * connections out by a hash, so that with few of them some workers get far more than their share. A
 * worker with clearly more clients than a sibling passes its next connections on. Each slot has an
 * inbox that the master keeps: connections in it outlive the worker.
 */
#ifndef TINYLB_WORKER_PASSING_H
#define TINYLB_WORKER_PASSING_H

#include <event2/event_struct.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/rng.h"
#include "net/loop.h"
#include "proxy/proxy.h"
#include "worker/worker_start.h"

struct passing {
	const struct worker_start *start; /* borrowed */
	struct loop *loop;                /* borrowed */
	struct proxy *proxy;              /* borrowed */
	struct event readable;            /* the inbox has connections */
	struct event retry;               /* the end of a rest */
	struct board_place **places;      /* owned, by slot; NULL: there are no siblings */
	uint64_t searched_us;             /* monotonic: when the board was searched for them */
	struct rng rng;
	int reserve;  /* a descriptor to close for one that comes, which would be lost else */
	bool resting; /* no room: until a client leaves, or `retry` */
	bool open;    /* connections are passed on */
};

/* All is borrowed. 0, or -1 when memory is short. Without siblings it does nothing. */
int passing_init(struct passing *p, const struct worker_start *start, struct loop *loop,
	struct proxy *proxy) __attribute__((warn_unused_result));
void passing_fini(struct passing *p);

/* Begins to pass connections on. */
void passing_begin(struct passing *p);

/* Passes no more. Connections from siblings are still accepted, until passing_fini, whatever the
 * limit on clients. */
void passing_end(struct passing *p);

/* Tells the siblings whether this worker has room for more. */
void passing_set_room(struct passing *p, bool room);

/* A client has left: there may be room again. */
void passing_left(struct passing *p);

/* Passes the connection `fd`, just accepted from `listener`, to a sibling that has clearly fewer
 * clients. False: there is no such sibling, and fd stays the caller's. */
bool passing_pass(struct passing *p, int fd, uint32_t listener);

#endif
