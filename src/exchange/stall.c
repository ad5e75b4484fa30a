/* Decides whose fault it is that nothing moves: the client's or the backend's. */
#include "config.h"

#include "stall.h"

#include "backlog.h"
#include "blame.h"
#include "early_response.h"
#include "end.h"
#include "local_reply.h"
#include "phase.h"
#include "upstream/load.h"

/* Whether it is the client that neither sends nor takes anything. One that waits for a 100 counts,
 * too: it should not wait for ever (RFC 9110 10.1.1), since not every backend sends one. */
static bool client_stalls(const struct exchange *x)
{
	return x->downstream.ops->unsent(x->downstream.context) > 0 || blame_request_is_owed(x);
}

void stall_expired(struct deadline *deadline)
{
	struct exchange *x = exchange_of_deadline(deadline);
	bool client = client_stalls(x);

	if (backlog_look(x)) { /* slowly */
		phase_alive(x);
		return;
	}
	if (x->response.phase == RESPONSE_WHOLE) {
		early_response_stalled(x);
	} else if (client && x->response.phase == RESPONSE_HEAD) {
		local_reply_send(
			x, 408, REASON_CLIENT_TIMEOUT, "the request did not arrive in time");
	} else if (client) {
		end_aborted(x, REASON_CLIENT_TIMEOUT);
	} else if (x->response.phase == RESPONSE_HEAD) {
		load_failed(&x->selection, ROWS_TIMED_OUT);
		local_reply_send(
			x, 504, REASON_BACKEND_TIMEOUT, "the backend did not answer in time");
	} else {
		/* Not counted: any client may ask for a stream of events in which nothing comes. */
		end_truncated(x, REASON_TRUNCATED);
	}
}

bool exchange_cut_stalled(struct deadline *deadline)
{
	struct exchange *x = exchange_of_deadline(deadline);

	if (backlog_unsent(x) == 0)
		return false;
	/* Little at a time does not put the deadline off. */
	if (backlog_look(x)) {
		phase_alive(x);
		return false;
	}
	if (x->response.phase == RESPONSE_HEAD)
		local_reply_send(
			x, 503, REASON_BUFFERS_FULL, "the backend takes the request too slowly");
	else
		end_aborted(x, REASON_BUFFERS_FULL);
	return true;
}
