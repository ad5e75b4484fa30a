/*
 * Passes bytes on both ways. Only the deadline for a tunnel in which nothing moves remains. A
 * backend may switch before the content of the request is whole: what is left of that still comes
 * from the client, and is framed (RFC 9110 7.8).
 */
#include "config.h"

#include "tunnel.h"

#include <assert.h>

#include "backlog.h"
#include "end.h"
#include "phase.h"

void tunnel_open(struct exchange *x)
{
	deadline_stop(&x->deadline);
	phase_set_response(x, RESPONSE_TUNNEL);
	phase_alive(x);
	/* What the client sent behind its request has waited for this. */
	x->downstream.ops->resume(x->downstream.context);
}

static void end_orderly(struct exchange *x)
{
	end_exchange(x, REASON_UPGRADED, UPSTREAM_CLOSE, DOWNSTREAM_DONE);
}

static void end_abruptly(struct exchange *x, enum upstream_end upstream)
{
	end_exchange(x, REASON_UPGRADED, upstream, DOWNSTREAM_ABORT);
}

/* Both sides have ended, and all is out. */
static bool is_over(const struct exchange *x)
{
	return x->response.client_ended && x->response.backend_ended && backlog_unsent(x) == 0;
}

/* Something was sent to the backend; -1: memory was short for it. False: the exchange is over. */
static bool sent_to_backend(struct exchange *x, int result)
{
	const struct backend_stream *stream = x->attempt.stream;

	if (result == -1) {
		end_exchange(x, REASON_NO_MEMORY, UPSTREAM_CLOSE, DOWNSTREAM_ABORT);
		return false;
	}
	/* A side that takes nothing any more is not heard of while it is paused. */
	if (!stream->ops->is_open(stream)) {
		end_abruptly(x, UPSTREAM_CLOSE);
		return false;
	}
	backlog_throttle_client(x);
	return true;
}

static bool sent_to_client(struct exchange *x, int result)
{
	if (result == -1) {
		end_exchange(x, REASON_NO_MEMORY, UPSTREAM_CLOSE, DOWNSTREAM_ABORT);
		return false;
	}
	if (!x->downstream.ops->is_open(x->downstream.context)) {
		end_abruptly(x, UPSTREAM_CLOSE);
		return false;
	}
	backlog_throttle_backend(x);
	return true;
}

bool tunnel_from_client(struct exchange *x, const struct content *content)
{
	struct backend_stream *stream = x->attempt.stream;

	assert(x->response.phase == RESPONSE_TUNNEL);
	phase_alive(x);
	return sent_to_backend(x, stream->ops->send_content(stream, content));
}

bool tunnel_from_backend(struct exchange *x, const struct content *content)
{
	assert(x->response.phase == RESPONSE_TUNNEL);
	phase_alive(x);
	x->response.content += content->len;
	return sent_to_client(x, x->downstream.ops->send_content(x->downstream.context, content));
}

void tunnel_spliced_from_client(struct exchange *x, size_t len, bool end)
{
	struct backend_stream *stream = x->attempt.stream;

	assert(x->response.phase == RESPONSE_TUNNEL);
	phase_alive(x);
	(void)sent_to_backend(x, stream->ops->send_spliced(stream, len, end));
}

bool tunnel_spliced_from_backend(struct exchange *x, size_t len)
{
	phase_alive(x);
	x->response.content += len;
	return sent_to_client(
		x, x->downstream.ops->send_spliced(x->downstream.context, len, false));
}

/* One of the two took what waited for it. True: the exchange goes on. */
static bool drained(struct exchange *x)
{
	const struct backend_stream *stream = x->attempt.stream;

	phase_alive(x);
	if (!x->downstream.ops->is_open(x->downstream.context) || !stream->ops->is_open(stream))
		end_abruptly(x, UPSTREAM_CLOSE);
	else if (is_over(x))
		end_orderly(x);
	else
		return true;
	return false;
}

void tunnel_client_drained(struct exchange *x)
{
	struct backend_stream *stream = x->attempt.stream;

	if (drained(x) && !x->downstream.ops->is_full(x->downstream.context))
		stream->ops->resume(stream);
}

void tunnel_backend_drained(struct exchange *x)
{
	const struct backend_stream *stream = x->attempt.stream;

	if (drained(x) && !stream->ops->is_full(stream))
		x->downstream.ops->resume(x->downstream.context);
}

void tunnel_client_ended(struct exchange *x, int error)
{
	struct backend_stream *stream = x->attempt.stream;

	x->response.client_ended = true;
	/* A reset goes on as one; and a part of the request must not look whole. */
	if (error != 0 || !x->request.done)
		end_abruptly(x, UPSTREAM_RESET);
	else if (is_over(x))
		end_orderly(x);
	else
		stream->ops->finish(stream);
}

void tunnel_backend_ended(struct exchange *x, int error)
{
	x->response.backend_ended = true;
	if (error != 0)
		end_abruptly(x, UPSTREAM_CLOSE);
	else if (is_over(x))
		end_orderly(x);
	else
		x->downstream.ops->finish(x->downstream.context);
}

void tunnel_expired(struct deadline *deadline)
{
	end_exchange(exchange_of_deadline(deadline), REASON_TUNNEL_TIMEOUT, UPSTREAM_CLOSE,
		DOWNSTREAM_ABORT);
}
