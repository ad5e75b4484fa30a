/*
 * Content of unknown length, for backends that want to be told how long it is. The client may send
 * it in chunks that such a backend cannot read: one of HTTP/1.0, or one that answers 411. If all of
 * it fits in what is held (replay.h), the request goes out with its length.
 */
#ifndef TINYLB_EXCHANGE_GATHER_H
#define TINYLB_EXCHANGE_GATHER_H

#include "exchange_parts.h"

/* Whether the length of the content is not known. Only then anything here has to be done. */
static inline bool gather_concerns(const struct exchange *x)
{
	return x->request.head->body.kind == BODY_CHUNKED;
}

/* Whether what came of the content may go out with its length, as soon as it is whole. */
bool gather_may_tell_length(const struct exchange *x);

/* Whether the head is to wait for the content: the present backend wants the length, and more is to
 * come. */
bool gather_is_due(const struct exchange *x);

/* From now on content is held and not sent. Has a client that waits for a 100 send it. 0, or -1
 * when memory is short. */
int gather_begin(struct exchange *x) __attribute__((warn_unused_result));

/* Whether still more is to come before the request can go out. */
bool gather_goes_on(const struct exchange *x);

/* The request is about to be sent: if its content is whole, and the backend wants its length, it is
 * a request of that length from now on. Trailers are lost then, as RFC 9110 6.5.1 allows. */
void gather_settle(struct exchange *x);

/* A final response of this status: shows whether the backend takes content of unknown length. */
void gather_learn(struct exchange *x, int status);

#endif
