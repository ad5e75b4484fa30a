/*
 * Takes connections from listening sockets, a bounded number a turn, and no more than there is room
 * for.
 */
#ifndef TINYLB_WORKER_ACCEPTOR_H
#define TINYLB_WORKER_ACCEPTOR_H

#include <event2/event_struct.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/list.h"
#include "net/loop.h"
#include "passing.h"
#include "proxy/proxy.h"
#include "worker/worker.h"

struct acceptors;

/* One socket. */
struct acceptor {
	struct list link; /* in acceptors.list */
	struct acceptors *all;
	struct event readable;
	int fd; /* owned */
	uint32_t listener;
	uint32_t foster;      /* the id of what the master said; 0: this worker's own */
	bool gone;            /* nobody else accepts at its address */
	unsigned round;       /* connections that are tried at a time */
	unsigned full_rounds; /* how often in a row so many were there */
};

struct acceptors {
	struct loop *loop;       /* borrowed */
	struct proxy *proxy;     /* borrowed */
	struct passing *passing; /* borrowed */
	struct list list;        /* of struct acceptor, owned */
	bool paused;             /* what waits on this worker's own sockets is for others */
	bool resting; /* full, or out of descriptors or memory: until one leaves, or for `retry` */
	struct event retry;
	uint64_t said_us; /* when that was logged last */
};

/* Takes over the sockets of `start`, which are bound. 0, or -1 when memory is short. */
int acceptors_init(struct acceptors *all, const struct worker_start *start, struct loop *loop,
	struct proxy *proxy, struct passing *passing) __attribute__((warn_unused_result));

/* Begins to listen and to accept. 0, or -1 with errno. */
int acceptors_listen(struct acceptors *all) __attribute__((warn_unused_result));

/* Accepts from one more socket, which it takes over, until acceptors_release. -1: there is no room
 * for more clients or no memory, and fd stays the caller's. */
int acceptors_adopt(struct acceptors *all, int fd, uint32_t listener, uint32_t foster)
	__attribute__((warn_unused_result));
void acceptors_release(struct acceptors *all, uint32_t foster);

/* Accepts no more from its own sockets, or again; harmless when they are closed. */
void acceptors_pause(struct acceptors *all, bool paused);

/* A client has left: there may be room again. */
void acceptors_left(struct acceptors *all);

/* Nobody else accepts at the address of this listener: acceptors_leave keeps it. */
void acceptors_keep(struct acceptors *all, uint32_t listener);

/* Closes the sockets of all other listeners: what waits on them is for others. Returns whether one
 * is left. */
bool acceptors_leave(struct acceptors *all);

/* Stops accepting. */
void acceptors_stop(struct acceptors *all);

/* Accepts what waits on the sockets that are left. Returns false where something may still wait and
 * there is no room for it. */
bool acceptors_take_waiting(struct acceptors *all);

/* Closes the sockets; duplicates elsewhere go on listening. */
void acceptors_close(struct acceptors *all);

#endif
