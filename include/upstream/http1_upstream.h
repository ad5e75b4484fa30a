/*
 * Backends that speak HTTP/1: what struct upstream_ops asks, done on connections that serve one
 * request at a time and are kept for the next one.
 */
#ifndef TINYLB_UPSTREAM_HTTP1_UPSTREAM_H
#define TINYLB_UPSTREAM_HTTP1_UPSTREAM_H

#include "upstream/backend_stream.h"

extern const struct upstream_ops http1_upstream_ops;

/* Sets up what the connections of a worker share in its context; and frees it, with the connections
 * that are idle. */
void http1_upstream_init(struct upstream_context *upstream);
void http1_upstream_fini(struct upstream_context *upstream);

/* Closes all that are idle. */
void http1_upstream_close_idle(struct upstream_context *upstream);

#endif
