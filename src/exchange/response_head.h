/* What becomes of the head of a response on its way from the backend to the user. */
#ifndef TINYLB_EXCHANGE_RESPONSE_HEAD_H
#define TINYLB_EXCHANGE_RESPONSE_HEAD_H

#include "exchange/exchange.h"

/* Rewrites what the backend that was picked last says of its own address (http/location.h), and
 * lets it have a Via. New values stand in the context's scratch, for the callback that is
 * running. False: there is no room for them, and the head must not go on. */
bool response_head_rewrite(struct exchange *x, struct response *head)
	__attribute__((warn_unused_result));

#endif
