/*
 * Content of unknown length, which goes out in chunks, for backends that take no chunks: those of
 * HTTP/1.0, and those that answer 411. Such content is gathered; if all of it fits in what is held
 * (replay.h), the request goes out with its length.
 */
#ifndef TINYLB_EXCHANGE_GATHER_H
#define TINYLB_EXCHANGE_GATHER_H

#include "exchange_parts.h"

/* Whether the length of the content is not known. Only then are the others of use. */
static inline bool gather_concerns(const struct exchange *x)
{
	return x->request.head->body.kind == BODY_CHUNKED;
}

/* Whether all content so far is held, and not too much: it may go out with its length once it is
 * whole. */
bool gather_may_tell_length(const struct exchange *x);

/* Whether the head has to wait for the content: the backend wants the length, and more content is
 * to come. */
bool gather_is_due(const struct exchange *x);

/* From now on content is held and not sent. A client that waits for a 100 gets one. 0, or -1 when
 * memory is short. */
int gather_begin(struct exchange *x) __attribute__((warn_unused_result));

/* Whether more content has to come before the request can go out. */
bool gather_goes_on(const struct exchange *x);

/* The request is about to be sent. If its content is whole and the backend wants the length, the
 * request has that length from now on. Its trailers are lost, as RFC 9110 6.5.1 allows. */
void gather_settle(struct exchange *x);

/* A final response of this status came: notes whether the backend takes content of unknown length.
 */
void gather_learn(struct exchange *x, int status);

#endif
