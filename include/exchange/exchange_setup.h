/* Sets up what the exchanges of one worker share, and takes it down. */
#ifndef TINYLB_EXCHANGE_EXCHANGE_SETUP_H
#define TINYLB_EXCHANGE_EXCHANGE_SETUP_H

#include "exchange/exchange_context.h"

/* Of `context` the members above "runtime" must be set, and the rest be zero. Sets the members of
 * context->upstream that are the exchange's to set: its events. Takes over `access_log`, a
 * descriptor or -1: off. 0, or -1 when memory is short: then access_log stays the caller's, and
 * nothing is left to be freed. */
int exchange_setup_init(struct exchange_context *context, int access_log)
	__attribute__((warn_unused_result));

/* No exchange may be left. */
void exchange_setup_fini(struct exchange_context *context);

#endif
