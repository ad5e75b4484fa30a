/*
 * Whether a backend is to blame. What happens while the exchange waits for its client says nothing
 * about the backend: a client alone must not be able to have a backend ejected.
 */
#ifndef TINYLB_EXCHANGE_BLAME_H
#define TINYLB_EXCHANGE_BLAME_H

#include "exchange_parts.h"

/* Whether the exchange waits for more of the request: the backend has taken all that came of it.
 * There must be a stream. */
bool blame_request_is_owed(const struct exchange *x);

/* Whether the client has not taken all that was sent to it, or has held the backend up for a second
 * or more in all. A backend may give up on such a client. */
bool blame_response_is_held_up(const struct exchange *x);

/* The backend closed its connection before it answered, and that was not a kept one that had become
 * stale. Counts that as the backend's failure, unless the request is owed. Only the first backend
 * on which a request fails so is counted: the request may be the reason. */
void blame_backend_closed(struct exchange *x);

#endif
