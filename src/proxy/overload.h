/* Keeps what a worker buffers within limits.buffers, at the cost of peers that take nothing. */
#ifndef TINYLB_PROXY_OVERLOAD_H
#define TINYLB_PROXY_OVERLOAD_H

#include "downstream/downstream_context.h"

struct overload {
	struct downstream_context *downstream; /* borrowed */
	uint64_t look_us;                      /* the next look, monotonic */
	uint64_t say_us;                       /* the next message */
};

/* Looks at the end of each turn of the loop in which more is buffered than limits.buffers: ends
 * those heads, clients and exchanges that have stalled for the longest, a second at least. */
void overload_init(struct overload *overload, struct downstream_context *downstream);
void overload_fini(const struct overload *overload);

#endif
