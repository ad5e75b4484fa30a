/*
 * Whether it is the client that an exchange waits for. What happens then says nothing about the
 * backend: a client alone must not be able to make one look bad.
 */
#ifndef TINYLB_EXCHANGE_BLAME_H
#define TINYLB_EXCHANGE_BLAME_H

#include "exchange_parts.h"

/* Whether the backend has taken all that came of a request that is not whole. There must be a
 * stream. */
bool blame_request_is_owed(const struct exchange *x);

/* Whether the client has not taken what was sent to it, or has kept the backend from sending for a
 * second or more in all: a backend may give up then. */
bool blame_response_is_held_up(const struct exchange *x);

/* The backend closed before it answered, and no kept connection was the reason. Counts that as its
 * failure, unless the request is owed; and once for each request: one on which a backend has closed
 * may be the reason that the next one closes, too. */
void blame_backend_closed(struct exchange *x);

#endif
