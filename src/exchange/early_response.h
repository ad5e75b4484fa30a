/*
 * A response that is whole before the backend has all of its request. Some applications answer 202
 * and read on: so the rest of the request goes on to the backend as long as it takes it. A request
 * that was cut is not told as a success.
 */
#ifndef TINYLB_EXCHANGE_EARLY_RESPONSE_H
#define TINYLB_EXCHANGE_EARLY_RESPONSE_H

#include "exchange_parts.h"

/* The response to a request with content is whole, and was sent to the client. True: the request is
 * not, and goes on (RESPONSE_WHOLE). False: the exchange is over. */
bool early_response_begin(struct exchange *x) __attribute__((warn_unused_result));

/* In RESPONSE_WHOLE: more of the request was sent, or taken. True: the exchange goes on. False: the
 * backend has the whole request or takes no more of it, and the exchange is over. */
bool early_response_look(struct exchange *x) __attribute__((warn_unused_result));

/* In RESPONSE_WHOLE: the backend ended its connection (0), or that failed (an errno); the client
 * ended its sending side; nothing moves for timeouts.response. The exchange is over. */
void early_response_backend_ended(struct exchange *x, int error);
void early_response_client_ended(struct exchange *x);
void early_response_stalled(struct exchange *x);

#endif
