/* The head of a request, which the exchange owns in fields as long as it lives. */
#ifndef TINYLB_EXCHANGE_REQUEST_HEAD_H
#define TINYLB_EXCHANGE_REQUEST_HEAD_H

#include "exchange_parts.h"

/* Copies the head's bytes and fields into the exchange. 0, or -1 when memory is short. */
int request_head_copy(struct exchange *x, const struct request *request, const char *head)
	__attribute__((warn_unused_result));

/* The id of the request: that of a trusted client, if it may stand in the log, or a new one. */
struct escaped request_head_id(struct exchange *x, bool trusted);

#endif
