/* The end of a worker: it accepts no more, its clients leave one by one, and then the loop stops.
 */
#ifndef TINYLB_WORKER_DRAIN_H
#define TINYLB_WORKER_DRAIN_H

#include <event2/event_struct.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "acceptor.h"
#include "base/channel.h"
#include "net/loop.h"
#include "proxy/proxy.h"
#include "worker/worker.h"

struct drain {
	struct loop *loop; /* borrowed, as are the next ones */
	const struct settings *settings;
	struct proxy *proxy;
	struct acceptors *acceptors;
	struct event tick;
	bool on;
	bool accepting;     /* at addresses that nobody else accepts at */
	double credit;      /* how many idle clients may be sent away now */
	uint64_t looked_us; /* when that was reckoned */
	uint64_t spread_until_us;
	uint64_t accept_until_us;
	uint64_t until_us;
};

/* All is borrowed. 0, or -1 when memory is short. */
int drain_init(struct drain *drain, const struct worker_start *start, struct loop *loop,
	struct proxy *proxy, struct acceptors *acceptors) __attribute__((warn_unused_result));

/* Begins; harmless when it has begun already. The loop stops when nobody is left, or when
 * timeouts.drain is over. */
void drain_start(struct drain *drain, enum drain_reason reason);

void drain_fini(struct drain *drain);

#endif
