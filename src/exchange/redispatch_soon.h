/* Has redispatch.c look, as long as requests are with backends. */
#ifndef TINYLB_EXCHANGE_REDISPATCH_SOON_H
#define TINYLB_EXCHANGE_REDISPATCH_SOON_H

#include "exchange/exchange_context.h"

/* A request was sent: a look is due half a second from now, unless one is already. */
static inline void redispatch_soon(struct exchange_context *context)
{
	if (!deadline_is_running(&context->redispatch))
		deadline_start(&context->redispatch, &context->wait_redispatch, context->loop);
}

#endif
