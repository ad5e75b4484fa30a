/*
 * What comes back from a backend: the exchange decides what a head means for the request, counts
 * it, and passes head and content on to the client's side.
 */
#include "config.h"

#include "upstream_events.h"

#include <assert.h>

#include "attempt.h"
#include "backlog.h"
#include "blame.h"
#include "early_response.h"
#include "end.h"
#include "gather.h"
#include "http/upgrade_offer.h"
#include "interim_rate.h"
#include "local_reply.h"
#include "own_stream.h"
#include "phase.h"
#include "replay.h"
#include "request_rate.h"
#include "response_head.h"
#include "tunnel.h"
#include "upstream/affinity.h"
#include "upstream/load.h"

/* The response does not go on: `why` is for the log. */
static void refuse(struct exchange *x, const char *why)
{
	backend_complain(
		selection_backend(&x->selection), x->context->loop->now_us, "bad response", why);
	local_reply_send(x, 502, REASON_BAD_RESPONSE, "the backend's answer was malformed");
}

static void refuse_malformed(struct exchange *x, const char *why)
{
	if (!blame_request_is_owed(x))
		load_failed(&x->selection, ROWS_BAD_RESPONSE);
	refuse(x, why);
}

static void refuse_for_memory(struct exchange *x)
{
	local_reply_send(x, 503, REASON_NO_MEMORY, NULL);
}

static void on_bad(void *owner, const char *why)
{
	if (why != NULL)
		refuse_malformed(owner, why);
	else
		refuse_for_memory(owner);
}

/* Makes a head ready and has the client's side send it. False: it could not, and the exchange is
 * over. A head that grows too long, by the client's host among others, is not malformed. */
static bool send_by(struct exchange *x, struct response *head,
	enum downstream_result (*send)(void *, struct response *, const struct set_cookie *))
{
	struct set_cookie cookie;
	char token[SESSION_TOKEN_LEN];
	bool sets = x->selection.pool->sessions != NULL;
	enum downstream_result result;

	if (!response_head_prepare(x, head)) {
		refuse(x, "the head is too long to go on");
		return false;
	}
	if (sets)
		affinity_set_cookie(&x->selection, &cookie, token);
	result = send(x->downstream.context, head, sets ? &cookie : NULL);
	if (result == DOWNSTREAM_TOO_LONG)
		refuse(x, "the head is too long to go on");
	else if (result != DOWNSTREAM_SENT)
		refuse_for_memory(x);
	return result == DOWNSTREAM_SENT;
}

static void note_head(struct exchange *x, int status)
{
	x->record.status = status;
	x->record.answered_us = x->context->loop->now_us;
	load_responded(&x->selection, selection_backend(&x->selection),
		blame_request_is_owed(x) ? LOAD_NO_STATUS : status);
}

/* Some of the response was sent to the client, but not all. False: the exchange is over. */
static bool passed_on(struct exchange *x)
{
	if (!x->downstream.ops->is_open(x->downstream.context)) {
		/* The client is gone, and while it is paused no event may tell. */
		end_cancelled(x);
		return false;
	}
	backlog_throttle_backend(x);
	return true;
}

static bool take_interim(struct exchange *x, struct response *head)
{
	x->response.interim = true;
	if (!interim_rate_take(x, head->head_len)) {
		refuse_malformed(x, "too many interim responses");
		return false;
	}
	return send_by(x, head, x->downstream.ops->send_interim) && passed_on(x);
}

static bool take_final(struct exchange *x, struct response *head)
{
	own_stream_note_response(x, head);
	if (!send_by(x, head, x->downstream.ops->send_head))
		return false;
	phase_set_response(x, RESPONSE_BODY);
	x->response.closes = !head->keep_alive;
	replay_drop(x);
	if (gather_concerns(x))
		gather_learn(x, head->status);
	note_head(x, head->status);
	return true;
}

/* NULL, or what is wrong with a 101 to this protocol (RFC 9110 7.8). */
static const char *upgrade_fault(const struct exchange *x, struct slice protocol)
{
	const struct request *request = x->request.head;
	struct slice allowed = slice_of_string(x->selection.pool->settings->upgrade);

	if (!request->upgrade)
		return "a 101 that was not asked for";
	if (!upgrade_offer_has(&request->fields, allowed, protocol))
		return "a 101 to what was not offered";
	/* The client would take it for a refusal of its content. */
	if (exchange_awaits_continue(x))
		return "a 101 where a 100 has to come first";
	return NULL;
}

static bool take_upgrade(struct exchange *x, struct response *head)
{
	const char *fault = upgrade_fault(x, head->upgrade);

	if (fault != NULL && !x->request.head->upgrade) {
		refuse_malformed(x, fault);
		return false;
	}
	if (fault != NULL) { /* The client has chosen what it offers. */
		refuse(x, fault);
		return false;
	}
	if (!send_by(x, head, x->downstream.ops->send_interim))
		return false;
	replay_drop(x);
	note_head(x, head->status);
	tunnel_open(x);
	return true;
}

static bool on_head(void *owner, struct response *head)
{
	struct exchange *x = owner;

	assert(x->response.phase == RESPONSE_HEAD);
	if (x->attempt.gathering) { /* on_heard could not send it */
		refuse_for_memory(x);
		return false;
	}
	if (head->status >= STATUSES_FIRST && (attempt_repeat_with_length(x, head->status) ||
						      attempt_ask_another(x, head->status)))
		return false;
	if (head->status == 101)
		return take_upgrade(x, head);
	return head->status < 200 ? take_interim(x, head) : take_final(x, head);
}

/* The whole response was sent. True: the exchange goes on with the rest of its request. */
static bool finish(struct exchange *x)
{
	if (!x->downstream.ops->is_open(x->downstream.context))
		end_exchange(x, REASON_CLIENT_CLOSED, UPSTREAM_DONE, DOWNSTREAM_ABORT);
	else if (body_is_empty(x->request.head->body))
		end_exchange(x, REASON_DONE, UPSTREAM_DONE, DOWNSTREAM_DONE);
	else
		return early_response_begin(x);
	return false;
}

static bool on_content(void *owner, const struct content *content)
{
	struct exchange *x = owner;

	if (x->response.phase == RESPONSE_TUNNEL)
		return tunnel_from_backend(x, content);
	assert(x->response.phase == RESPONSE_BODY);
	x->response.content += content->len;
	if (x->downstream.ops->send_content(x->downstream.context, content) == -1) {
		end_truncated(x, REASON_NO_MEMORY);
		return false;
	}
	return content->end ? finish(x) : passed_on(x);
}

static size_t on_splice_room(void *owner)
{
	const struct exchange *x = owner;

	return x->downstream.ops->splice_room(x->downstream.context);
}

static bool on_spliced(void *owner, size_t len, bool end)
{
	struct exchange *x = owner;

	if (x->response.phase == RESPONSE_TUNNEL)
		return tunnel_spliced_from_backend(x, len);
	x->response.content += len;
	if (x->downstream.ops->send_spliced(x->downstream.context, len, end) == -1) {
		end_truncated(x, REASON_NO_MEMORY);
		return false;
	}
	phase_alive(x);
	return end ? finish(x) : passed_on(x);
}

static void on_connected(void *owner)
{
	attempt_connected(owner);
}

static void on_heard(void *owner)
{
	struct exchange *x = owner;

	if (x->attempt.state == ATTEMPT_SENT)
		phase_set_attempt(x, ATTEMPT_HEARD);
	phase_alive(x);
	/* It answers before the request was sent: that goes out now, for an early response. */
	if (x->attempt.gathering && attempt_send_gathered(x) == -1)
		log_debug("memory is short: a request could not be sent");
}

static void on_drained(void *owner)
{
	struct exchange *x = owner;

	if (x->response.phase == RESPONSE_TUNNEL) {
		tunnel_backend_drained(x);
		return;
	}
	if (x->response.phase == RESPONSE_WHOLE && !early_response_look(x))
		return;
	if (x->attempt.state != ATTEMPT_CONNECTING)
		phase_alive(x);
	if (x->attempt.stream->ops->is_full(x->attempt.stream))
		return;
	request_rate_begin(x);
	x->downstream.ops->resume(x->downstream.context);
}

static void on_ended(void *owner, int error)
{
	struct exchange *x = owner;

	if (x->response.phase == RESPONSE_TUNNEL) {
		tunnel_backend_ended(x, error);
	} else if (x->response.phase == RESPONSE_WHOLE) {
		early_response_backend_ended(x, error);
	} else if (x->response.phase == RESPONSE_BODY) {
		if (!blame_request_is_owed(x) && !blame_response_is_held_up(x))
			load_failed(&x->selection, ROWS_CUT);
		end_truncated(x, REASON_TRUNCATED);
	} else if (x->attempt.state == ATTEMPT_CONNECTING) {
		attempt_cannot_connect(x, error);
	} else {
		attempt_retry(x, (struct failure){ 502, REASON_BACKEND_CLOSED,
					 "the backend closed before it answered" });
	}
}

const struct upstream_events exchange_upstream_events = {
	.connected = on_connected,
	.heard = on_heard,
	.head = on_head,
	.content = on_content,
	.splice_room = on_splice_room,
	.spliced = on_spliced,
	.drained = on_drained,
	.bad = on_bad,
	.ended = on_ended,
};
