/*
 * Logins that hold for a connection (http/login.h): the stream of a request that tries one, or of a
 * response that offers one, becomes a private stream of the client's connection
 * (private_streams.h), and serves its further requests to that pool.
 */
#ifndef TINYLB_EXCHANGE_OWN_STREAM_H
#define TINYLB_EXCHANGE_OWN_STREAM_H

#include "exchange_parts.h"
#include "http/login.h"

/* The pool is known: if the client has a private stream there, its backend is to be picked. */
void own_stream_find_backend(struct exchange *x);
static inline void own_stream_begin(struct exchange *x)
{
	x->request.login = login_is_tried(&x->request.head->fields);
	if (x->private_streams->first != NULL)
		own_stream_find_backend(x);
}

/* Takes the client's own stream to the backend that was picked. NULL: it has none, or that has
 * ended. One to another backend of the pool is closed: the login on it is of no use. */
struct backend_stream *own_stream_take_again(struct exchange *x);
static inline struct backend_stream *own_stream_take(struct exchange *x)
{
	return x->selection.own != PICKER_NONE ? own_stream_take_again(x) : NULL;
}

/* The request is about to be sent; the head of its final response came. */
static inline void own_stream_note_request(struct exchange *x)
{
	if (x->request.login)
		private_streams_add(x->private_streams, x->attempt.stream);
}
static inline void own_stream_note_response(struct exchange *x, const struct response *head)
{
	if (login_is_offered(&head->fields))
		private_streams_add(x->private_streams, x->attempt.stream);
}

#endif
