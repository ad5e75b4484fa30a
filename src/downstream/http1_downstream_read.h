/* The reading half of HTTP/1 towards clients. */
#ifndef TINYLB_DOWNSTREAM_HTTP1_DOWNSTREAM_READ_H
#define TINYLB_DOWNSTREAM_HTTP1_DOWNSTREAM_READ_H

#include "net/connection.h"

/* What connections of clients call. */
extern const struct connection_events http1_downstream_read_events;

#endif
