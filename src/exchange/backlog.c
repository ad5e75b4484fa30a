/* Back-pressure, the same both ways: a side that takes too little stops the reading of the other.
 */
#include "config.h"

#include "backlog.h"

size_t backlog_unsent(const struct exchange *x)
{
	const struct backend_stream *stream = x->attempt.stream;

	return x->downstream.ops->unsent(x->downstream.context) +
	       (stream != NULL ? stream->ops->unsent(stream) : 0);
}

bool backlog_look(struct exchange *x)
{
	size_t before = x->response.unsent;

	x->response.unsent = backlog_unsent(x);
	return x->response.unsent > 0 && (before == 0 || x->response.unsent < before);
}

void backlog_throttle_client(struct exchange *x)
{
	const struct backend_stream *stream = x->attempt.stream;

	x->response.unsent = 0;
	if (!stream->ops->is_full(stream))
		return;
	x->downstream.ops->pause(x->downstream.context);
	x->response.unsent = backlog_unsent(x);
}

void backlog_throttle_backend(struct exchange *x)
{
	struct backend_stream *stream = x->attempt.stream;

	x->response.unsent = 0;
	if (!x->downstream.ops->is_full(x->downstream.context))
		return;
	stream->ops->pause(stream);
	if (x->response.held_up_since_us == 0)
		x->response.held_up_since_us = x->context->loop->now_us;
	x->response.unsent = backlog_unsent(x);
}

void backlog_release_backend(struct exchange *x)
{
	struct backend_stream *stream = x->attempt.stream;

	if (x->downstream.ops->is_full(x->downstream.context))
		return;
	if (x->response.held_up_since_us != 0)
		x->response.held_up_us += x->context->loop->now_us - x->response.held_up_since_us;
	x->response.held_up_since_us = 0;
	stream->ops->resume(stream);
}
