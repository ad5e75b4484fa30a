/* Keeps what a worker buffers within limits.buffers, at the cost of peers that take nothing. */
#ifndef TINYLB_PROXY_RELIEF_H
#define TINYLB_PROXY_RELIEF_H

struct proxy;

/* Where more is buffered than limits.buffers allows, ends those exchanges and clients that took
 * nothing for the longest. Never one on which something moved in the last second. */
void relief_look(struct proxy *proxy);

#endif
