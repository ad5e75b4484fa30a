/* The reading half of http1_upstream.c. */
#ifndef TINYLB_UPSTREAM_HTTP1_UPSTREAM_READ_H
#define TINYLB_UPSTREAM_HTTP1_UPSTREAM_READ_H

#include "net/connection.h"

/* What connections to backends call. */
extern const struct connection_events http1_upstream_read_events;

#endif
