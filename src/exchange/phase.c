/* The names of the states, for the log. */
#include "config.h"

#include "phase.h"

#include "base/log.h"

static const char *name_of_response(enum response_phase phase)
{
	static const char *const names[] = { [RESPONSE_HEAD] = "head",
		[RESPONSE_BODY] = "body",
		[RESPONSE_WHOLE] = "whole",
		[RESPONSE_TUNNEL] = "tunnel" };

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
	log_debug("request %.*s: response %s -> %s", SLICE_ARGS(x->record.id.text),
		name_of_response(x->response.phase), name_of_response(phase));
}

void phase_log_attempt(const struct exchange *x, enum attempt_state state)
{
	log_debug("request %.*s: attempt %s -> %s", SLICE_ARGS(x->record.id.text),
		name_of_attempt(x->attempt.state), name_of_attempt(state));
}
