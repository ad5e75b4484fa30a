/* Where the proxy says what has happened: in the access log, and in numbers on the board. */
#ifndef TINYLB_PROXY_COUNTERS_H
#define TINYLB_PROXY_COUNTERS_H

#include "context.h"

/* A client has come; one has gone. To be called when client_count is right again. */
void counters_accept(struct proxy *proxy);
void counters_leave(struct proxy *proxy);

/* A request has ended. */
void counters_request(struct proxy *proxy, const struct record *record);

/* An attempt to connect to a backend has failed. */
void counters_connect_error(struct proxy *proxy);

#endif
