/* What the head of a response says of the backend's address, in terms of the user's. */
#ifndef TINYLB_EXCHANGE_RESPONSE_HEAD_H
#define TINYLB_EXCHANGE_RESPONSE_HEAD_H

#include "exchange_parts.h"
#include "http/location.h"

/* Rewrites what the backend that was picked last says of itself (http/location.h). The new values
 * stand in the context's scratch, for the callback that is running. False: there is no room for
 * them, and the head must not go on. */
bool response_head_rewrite(struct exchange *x, struct response *head)
	__attribute__((warn_unused_result));

/* Makes a head ready to go on: as above, and with a Via if the pool's responses get one. */
static inline bool response_head_prepare(struct exchange *x, struct response *head)
{
	head->via = x->selection.pool->settings->via != VIA_OFF;
	return !location_is_in(&head->fields) || response_head_rewrite(x, head);
}

#endif
