/* The rate at which the content of a request comes: limits.body_rate. */
#ifndef TINYLB_EXCHANGE_REQUEST_RATE_H
#define TINYLB_EXCHANGE_REQUEST_RATE_H

#include "exchange_parts.h"

/* The measuring begins anew: the client was kept waiting. */
void request_rate_begin(struct exchange *x);

/* Whether the content of a request that is not whole yet comes too slowly; looks at it once in ten
 * seconds. A request that comes byte by byte would hold a connection to a backend for ever. */
bool request_rate_look(struct exchange *x);

#endif
