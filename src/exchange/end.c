/* How an exchange ends, whatever ends it. */
#include "config.h"

#include "end.h"

#include <assert.h>

#include "exchange/counters.h"
#include "free_list.h"
#include "replay.h"
#include "upstream/select.h"

/* The status of a response that no client was there to get, as nginx logs it. */
#define STATUS_CLIENT_CLOSED 499

static void write_record(struct exchange *x, enum reason reason)
{
	const struct selection *s = &x->selection;

	x->record.reason = reason;
	x->record.bytes = x->response.content;
	if (s->backend != PICKER_NONE)
		x->record.backend = selection_backend(s)->log_name;
	counters_request(x->context, &x->record);
}

void end_exchange(struct exchange *x, enum reason reason, enum upstream_end upstream,
	enum downstream_end downstream)
{
	struct backend_stream *stream = x->attempt.stream;

	write_record(x, reason);
	deadline_stop(&x->deadline);
	replay_drop(x);
	if (stream != NULL)
		stream->ops->end(stream, upstream);
	/* Behind the end of the stream: another request may take the place at once. */
	select_end(&x->selection);
	x->downstream.ops->end(x->downstream.context, downstream);
	free_list_put(x);
}

void end_cancelled(struct exchange *x)
{
	bool begun = x->response.phase != RESPONSE_HEAD;

	if (x->record.status == 0)
		x->record.status = STATUS_CLIENT_CLOSED;
	end_exchange(x, REASON_CLIENT_CLOSED, UPSTREAM_CLOSE,
		begun ? DOWNSTREAM_ABORT : DOWNSTREAM_GONE);
}

void end_unanswered(struct exchange *x)
{
	x->record.status = 502;
	end_exchange(x, REASON_BACKEND_CLOSED, UPSTREAM_CLOSE, DOWNSTREAM_GONE);
}

void end_aborted(struct exchange *x, enum reason reason)
{
	bool taken = x->response.phase == RESPONSE_WHOLE &&
		     x->downstream.ops->unsent(x->downstream.context) == 0;

	assert(x->response.phase != RESPONSE_HEAD);
	end_exchange(x, reason, UPSTREAM_CLOSE, taken ? DOWNSTREAM_DONE : DOWNSTREAM_ABORT);
}

void end_truncated(struct exchange *x, enum reason reason)
{
	static const enum downstream_end how[] = { [RESPONSE_BODY] = DOWNSTREAM_TRUNCATED,
		[RESPONSE_WHOLE] = DOWNSTREAM_DONE,
		[RESPONSE_TUNNEL] = DOWNSTREAM_ABORT };

	assert(x->response.phase != RESPONSE_HEAD);
	end_exchange(x, reason, UPSTREAM_CLOSE, how[x->response.phase]);
}
