/* Accepts connections from listening sockets: a bounded number a turn, and no more than there is
 * room for. */
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
#include "worker/worker_start.h"

struct acceptors;

/* One socket. */
struct acceptor {
	struct list link; /* in acceptors.list */
	struct acceptors *all;
	struct event readable;
	int fd; /* owned */
	uint32_t listener;
	uint32_t stand_in;    /* id of the master's message that brought it; 0: the worker's own */
	bool gone;            /* no other worker accepts at its address */
	unsigned round;       /* how many connections a turn tries to accept */
	unsigned full_rounds; /* turns in a row in which all of `round` were there */
};

struct acceptors {
	struct loop *loop;       /* borrowed */
	struct proxy *proxy;     /* borrowed */
	struct passing *passing; /* borrowed */
	struct list list;        /* of struct acceptor, owned */
	bool paused;             /* other workers accept from this worker's own sockets */
	bool resting;            /* no room: until a client leaves, or `retry` */
	struct event retry;
	uint64_t said_us; /* monotonic: when that was logged last */
};

/* Takes over the sockets of `start`, which are bound. 0, or -1 when memory is short. */
int acceptors_init(struct acceptors *all, const struct worker_start *start, struct loop *loop,
	struct proxy *proxy, struct passing *passing) __attribute__((warn_unused_result));

/* Begins to listen and to accept. 0, or -1 with errno. */
int acceptors_listen(struct acceptors *all) __attribute__((warn_unused_result));

/* Accepts also from the socket of another worker, and takes it over, until acceptors_release with
 * the same id. -1: there is no room for more clients, or no memory, and fd stays the caller's. */
int acceptors_stand_in(struct acceptors *all, int fd, uint32_t listener, uint32_t stand_in)
	__attribute__((warn_unused_result));
void acceptors_release(struct acceptors *all, uint32_t stand_in);

/* Stops accepting from its own sockets, or begins again. Does nothing when they are closed. */
void acceptors_pause(struct acceptors *all, bool paused);

/* A client has left: there may be room again. */
void acceptors_left(struct acceptors *all);

/* No other worker accepts at the address of this listener: acceptors_leave keeps its sockets. */
void acceptors_keep(struct acceptors *all, uint32_t listener);

/* Closes the sockets of all listeners that were not kept; other workers accept what waits on them.
 * Returns whether a socket is left. */
bool acceptors_leave(struct acceptors *all);

/* Stops accepting. */
void acceptors_stop(struct acceptors *all);

/* Accepts all that waits on the sockets that are left. False: there is no room, and connections may
 * still wait. */
bool acceptors_take_waiting(struct acceptors *all);

/* Closes the sockets; duplicates elsewhere go on listening. */
void acceptors_close(struct acceptors *all);

#endif
