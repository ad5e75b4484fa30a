/*
 * The request's content on its way to the backend: under back-pressure, at no less than the least
 * rate, and held in part as long as it may have to be sent again.
 */
#include "config.h"

#include "exchange/exchange.h"

#include <assert.h>

#include "attempt.h"
#include "backlog.h"
#include "early_response.h"
#include "gather.h"
#include "local_reply.h"
#include "phase.h"
#include "replay.h"
#include "request_rate.h"
#include "tunnel.h"

bool exchange_takes_content(const struct exchange *x)
{
	if (x->response.phase == RESPONSE_TUNNEL)
		return true;
	return !x->request.done && x->attempt.stream != NULL;
}

/* While a response comes both sides may want to talk slowly: its rate does not matter, and stall.h
 * ends what does not move. When it has ended the rest of the request has no reason to be slow. */
static bool is_too_slow(struct exchange *x)
{
	return !x->request.done && x->response.phase != RESPONSE_BODY && request_rate_look(x);
}

/* Some of it was sent to the backend. Once it is whole, its rate and the client's reading are of no
 * interest. */
static void sent(struct exchange *x)
{
	if (x->response.phase == RESPONSE_WHOLE && !early_response_look(x))
		return;
	if (is_too_slow(x)) {
		if (x->response.phase == RESPONSE_WHOLE)
			early_response_too_slow(x);
		else
			local_reply_send(x, 408, REASON_CLIENT_TIMEOUT,
				"the request's body came too slowly");
		return;
	}
	if (x->attempt.state != ATTEMPT_CONNECTING)
		phase_alive(x);
	if (x->request.done)
		x->response.unsent = 0; /* more waits than at the last look */
	else
		backlog_throttle_client(x);
}

/* Sends content, or gathers it: then it goes out with the head, once it is whole or too much. */
static int send_content(struct exchange *x, const struct content *content)
{
	struct backend_stream *stream = x->attempt.stream;

	if (!x->attempt.gathering)
		return stream->ops->send_content(stream, content);
	return gather_goes_on(x) ? 0 : attempt_send_gathered(x);
}

void exchange_request_content(struct exchange *x, const struct content *content)
{
	assert(exchange_takes_content(x));
	if (x->response.phase == RESPONSE_TUNNEL) {
		x->request.done |= content->end;
		(void)tunnel_from_client(x, content);
		return;
	}
	replay_hold(x, content);
	x->request.content += content->len;
	x->request.done = content->end;
	x->selection.fed_us = x->context->loop->now_us;
	if (send_content(x, content) == -1)
		local_reply_send(x, 503, REASON_NO_MEMORY, NULL);
	else
		sent(x);
}

size_t exchange_request_splice_room(const struct exchange *x)
{
	const struct backend_stream *stream = x->attempt.stream;

	/* What is held must pass through memory. */
	if (stream == NULL || x->request.replay.holding)
		return 0;
	return stream->ops->splice_room(stream);
}

void exchange_request_spliced(struct exchange *x, size_t len, bool end)
{
	struct backend_stream *stream = x->attempt.stream;

	if (x->response.phase == RESPONSE_TUNNEL) {
		x->request.done |= end;
		tunnel_spliced_from_client(x, len, end);
		return;
	}
	assert(!x->request.done && !x->request.replay.holding);
	x->request.content += len;
	x->request.done = end;
	x->selection.fed_us = x->context->loop->now_us;
	if (stream->ops->send_spliced(stream, len, end) == -1)
		local_reply_send(x, 503, REASON_NO_MEMORY, NULL);
	else
		sent(x);
}

void exchange_request_bad(struct exchange *x, int status, const char *why)
{
	local_reply_send(x, status, REASON_BAD_REQUEST, why);
}
