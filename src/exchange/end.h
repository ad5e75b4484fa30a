/* The one way out of an exchange. */
#ifndef TINYLB_EXCHANGE_END_H
#define TINYLB_EXCHANGE_END_H

#include "exchange_parts.h"

/* Writes the record, lets go of the backend's side, gives up the place at the backend or in the
 * queue, ends the client's side, and frees the exchange. */
void end_exchange(struct exchange *x, enum reason reason, enum upstream_end upstream,
	enum downstream_end downstream);

/* The client went away: cancels the request. */
void end_cancelled(struct exchange *x);

/* The backend has ended the client's own stream, which had been idle, before it answered. The
 * client gets no response: its connection ends, too. So it knows that it has to log in again, and
 * may repeat the request. */
void end_unanswered(struct exchange *x);

/* Once a final response has begun: what the client got must not look whole, unless it is, and the
 * client has taken it. */
void end_aborted(struct exchange *x, enum reason reason);

/* Once a final response has begun: the exchange ends because of `reason` before request and
 * response are whole. The client is shown that its response is cut, unless that is whole. */
void end_truncated(struct exchange *x, enum reason reason);

#endif
