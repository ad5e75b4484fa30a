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

/* The backend has ended the client's own connection, idle till then. The client's connection ends
 * as that one did: so the client knows that it has to log in again, and may repeat the request. */
void end_unanswered(struct exchange *x);

/* The request, or what the client got, is not whole, because of `reason`: a final response has
 * begun. One that is whole stays so. */
void end_truncated(struct exchange *x, enum reason reason);

#endif
