/* Where the proxy says what has happened: in the access log, and in numbers on the board. */
#ifndef TINYLB_PROXY_ACCOUNT_H
#define TINYLB_PROXY_ACCOUNT_H

#include "context.h"

/* A client has come; one has gone. To be called when client_count is right again. */
void account_accept(struct proxy *proxy);
void account_leave(struct proxy *proxy);

/* A request has ended. */
void account_request(struct proxy *proxy, const struct record *record);

/* An attempt to connect to a backend has failed. */
void account_connect_error(struct proxy *proxy);

#endif
