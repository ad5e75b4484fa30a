/* Keeps what a worker buffers within limits.buffers, at the cost of peers that take nothing. */
#ifndef TINYLB_PROXY_OVERLOAD_H
#define TINYLB_PROXY_OVERLOAD_H

struct proxy;

/* Where more is buffered than limits.buffers allows, ends those exchanges and clients that stalled
 * for the longest, a second at least. May end the client whose head is being read. */
void overload_look(struct proxy *proxy);

#endif
