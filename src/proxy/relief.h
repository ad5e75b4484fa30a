/* Keeps what a worker buffers within limits.buffers, at the cost of peers that take nothing. */
#ifndef TINYLB_PROXY_RELIEF_H
#define TINYLB_PROXY_RELIEF_H

#include "context.h"

/* For relief_look alone: what it does. */
void relief_give(struct proxy *proxy);

/* Where more is buffered than limits.buffers allows, ends those exchanges and clients that stalled
 * for the longest, a second at least. May end the client whose head is being read. */
static inline void relief_look(struct proxy *proxy)
{
	if (proxy->loop->buffered > proxy->loop->buffered_most)
		relief_give(proxy);
}

#endif
