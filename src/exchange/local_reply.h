/* Responses that are made here, in place of one of a backend. */
#ifndef TINYLB_EXCHANGE_LOCAL_REPLY_H
#define TINYLB_EXCHANGE_LOCAL_REPLY_H

#include "exchange_parts.h"
#include "settings/routes.h"

/* Ends the exchange with a response of this status; if one of a backend has begun, visibly in the
 * middle of that. `detail` is a phrase for its body; NULL: none. */
void local_reply_send(struct exchange *x, int status, enum reason reason, const char *detail);

/* Ends the exchange as a route says: with its answer, or with its redirect. */
void local_reply_by_route(struct exchange *x, const struct route_settings *route);

#endif
