/* Relays the rest of a request whose response is whole already, and says how that ended. */
#include "config.h"

#include "early_response.h"

#include <assert.h>

#include "blame.h"
#include "end.h"
#include "phase.h"
#include "request_rate.h"

/* Whether the backend's socket has taken the whole request. */
static bool is_delivered(const struct exchange *x)
{
	const struct backend_stream *stream = x->attempt.stream;

	return x->request.done && stream->ops->is_open(stream) && stream->ops->unsent(stream) == 0;
}

static bool takes_more(const struct exchange *x)
{
	const struct backend_stream *stream = x->attempt.stream;

	return !x->response.closes && stream->ops->is_open(stream);
}

static void end(struct exchange *x, bool cut)
{
	end_exchange(x, cut ? REASON_REQUEST_CUT : REASON_DONE, UPSTREAM_DONE, DOWNSTREAM_DONE);
}

bool early_response_begin(struct exchange *x)
{
	struct backend_stream *stream = x->attempt.stream;

	assert(x->response.phase == RESPONSE_BODY);
	/* A client that got this response in place of a 100 does not send the content. */
	if (is_delivered(x) || exchange_awaits_continue(x)) {
		end(x, false);
		return false;
	}
	if (!takes_more(x)) {
		end(x, true);
		return false;
	}
	phase_set_response(x, RESPONSE_WHOLE);
	request_rate_begin(x);
	x->downstream.ops->finish(x->downstream.context);
	if (x->request.done)
		stream->ops->finish(stream);
	return true;
}

bool early_response_look(struct exchange *x)
{
	struct backend_stream *stream = x->attempt.stream;
	bool delivered = is_delivered(x);

	assert(x->response.phase == RESPONSE_WHOLE);
	if (delivered || !takes_more(x)) {
		end(x, !delivered);
		return false;
	}
	/* The connection is not used again, so it is ended behind the request. */
	if (x->request.done)
		stream->ops->finish(stream);
	return true;
}

void early_response_backend_ended(struct exchange *x, int error)
{
	end(x, error != 0 || !is_delivered(x));
}

void early_response_client_ended(struct exchange *x)
{
	end(x, true);
}

void early_response_stalled(struct exchange *x)
{
	if (x->downstream.ops->unsent(x->downstream.context) > 0 || blame_request_is_owed(x))
		end_aborted(x, REASON_CLIENT_TIMEOUT);
	else
		end(x, !is_delivered(x));
}

void early_response_too_slow(struct exchange *x)
{
	end_exchange(x, REASON_CLIENT_TIMEOUT, UPSTREAM_CLOSE, DOWNSTREAM_DONE);
}
