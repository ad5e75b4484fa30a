/* The states of an exchange, and back-pressure: the same both ways. */
#include "config.h"

#include "phase.h"

#include "base/log.h"

static const char *name_of_response(enum response_phase phase)
{
	static const char *const names[] = {
		[RESPONSE_HEAD] = "head", [RESPONSE_BODY] = "body", [RESPONSE_TUNNEL] = "tunnel"
	};

	return names[phase];
}

static const char *name_of_attempt(enum attempt_state state)
{
	static const char *const names[] = { [ATTEMPT_NONE] = "none",
		[ATTEMPT_CONNECTING] = "connecting",
		[ATTEMPT_SENT] = "sent",
		[ATTEMPT_HEARD] = "heard" };

	return names[state];
}

void phase_log_response(const struct exchange *x, enum response_phase phase)
{
	log_debug("request %.*s: response %s -> %s", SLICE_ARGS(x->record.id),
		name_of_response(x->response.phase), name_of_response(phase));
}

void phase_log_attempt(const struct exchange *x, enum attempt_state state)
{
	log_debug("request %.*s: attempt %s -> %s", SLICE_ARGS(x->record.id),
		name_of_attempt(x->attempt.state), name_of_attempt(state));
}

size_t phase_unsent(const struct exchange *x)
{
	const struct backend_stream *stream = x->attempt.stream;

	return x->downstream.ops->unsent(x->downstream.context) +
	       (stream != NULL ? stream->ops->unsent(stream) : 0);
}

bool phase_is_taken(struct exchange *x)
{
	size_t before = x->response.unsent;

	x->response.unsent = phase_unsent(x);
	return x->response.unsent > 0 && (before == 0 || x->response.unsent < before);
}

void phase_throttle_client(struct exchange *x)
{
	const struct backend_stream *stream = x->attempt.stream;

	x->response.unsent = 0;
	if (!stream->ops->is_full(stream))
		return;
	x->downstream.ops->pause(x->downstream.context);
	x->response.unsent = phase_unsent(x);
}

void phase_throttle_backend(struct exchange *x)
{
	struct backend_stream *stream = x->attempt.stream;

	x->response.unsent = 0;
	if (!x->downstream.ops->is_full(x->downstream.context))
		return;
	stream->ops->pause(stream);
	x->response.unsent = phase_unsent(x);
}
