/* The end of a worker: it accepts no more, its clients leave, and then the loop stops. */
#ifndef TINYLB_WORKER_DRAIN_H
#define TINYLB_WORKER_DRAIN_H

#include <event2/event_struct.h>
#include <stddef.h>
#include <stdint.h>

#include "acceptor.h"
#include "base/channel.h"
#include "net/loop.h"
#include "proxy/proxy.h"
#include "worker/worker_start.h"

enum drain_state {
	DRAIN_OFF,
	DRAIN_ACCEPTING, /* at addresses where no other worker accepts */
	DRAIN_CLOSED,    /* nothing is accepted; clients leave */
	DRAIN_OVER,      /* the loop stops */
};

/* All times are monotonic, in microseconds. */
struct drain {
	struct loop *loop; /* borrowed, as are the next ones */
	const struct settings *settings;
	struct proxy *proxy;
	struct acceptors *acceptors;
	struct event tick;
	enum drain_state state;
	double credit;            /* how many idle clients may be sent away now */
	uint64_t looked_us;       /* when `credit` was reckoned */
	uint64_t spread_until_us; /* idle clients are sent away one by one until then */
	uint64_t accept_until_us; /* the end of DRAIN_ACCEPTING, where there is room */
	uint64_t until_us;        /* the loop stops then, whatever is in flight */
};

/* All is borrowed. 0, or -1 when memory is short. */
int drain_init(struct drain *drain, const struct worker_start *start, struct loop *loop,
	struct proxy *proxy, struct acceptors *acceptors) __attribute__((warn_unused_result));

/* Begins. The loop stops when no client is left, or when timeouts.drain is over. Not to be called
 * twice. */
void drain_start(struct drain *drain, enum drain_reason reason);

void drain_fini(struct drain *drain);

#endif
