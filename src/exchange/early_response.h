/*
 * A response that is whole before the backend has all of its request. Some applications answer 202
 * and read on, so the rest of the request is relayed as long as the backend takes it. If the
 * request is cut, the record says so: REASON_REQUEST_CUT.
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

/* In RESPONSE_WHOLE each of these ends the exchange. */

/* The backend ended its connection (0), or that failed (an errno). */
void early_response_backend_ended(struct exchange *x, int error);

/* The client ended its sending side. */
void early_response_client_ended(struct exchange *x);

/* Nothing moved for timeouts.response. */
void early_response_stalled(struct exchange *x);

/* The rest of the request comes more slowly than limits.body_rate. */
void early_response_too_slow(struct exchange *x);

#endif
