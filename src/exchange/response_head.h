/* The head of a response, made ready for the client: references to the backend, and Via. */
#ifndef TINYLB_EXCHANGE_RESPONSE_HEAD_H
#define TINYLB_EXCHANGE_RESPONSE_HEAD_H

#include "exchange_parts.h"
#include "http/location.h"

/* Rewrites references to the backend that was picked last (http/location.h). The new values stand
 * in the context's scratch, for the callback that is running. False: there is no room for them, and
 * the head must not go on. */
bool response_head_rewrite(struct exchange *x, struct response *head)
	__attribute__((warn_unused_result));

/* The same, and says whether the head gets a Via. */
static inline bool response_head_prepare(struct exchange *x, struct response *head)
{
	head->via = x->selection.pool->settings->via != VIA_OFF;
	return !location_is_in(&head->fields) || response_head_rewrite(x, head);
}

#endif
