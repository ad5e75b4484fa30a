/*
 * Tries backends, and the addresses of each. An attempt takes a kept connection to the backend that
 * was picked, or makes one to its addresses, beginning with the one that answered last.
 */
#include "config.h"

#include "attempt.h"

#include <assert.h>
#include <string.h>

#include "base/log.h"
#include "blame.h"
#include "end.h"
#include "gather.h"
#include "local_reply.h"
#include "own_stream.h"
#include "phase.h"
#include "reach.h"
#include "replay.h"
#include "request_rate.h"
#include "upstream/capacity.h"
#include "upstream/load.h"
#include "upstream/queue.h"
#include "upstream/select.h"

static int send_head(struct exchange *x)
{
	struct backend_stream *stream = x->attempt.stream;
	struct upstream_request request = {
		.head = x->request.head,
		.client_ip = x->selection.client_ip,
		.request_id = x->record.id.text,
		.loop_token = x->request.loop_token,
		.trusted = x->selection.trusted,
		.more = x->request.more,
	};

	own_stream_note_request(x);
	x->request.more = false;
	return stream->ops->send_head(stream, &request);
}

/* Sends the head, and what is held of the content. 0, or -1 when memory is short. */
static int send_held(struct exchange *x)
{
	if (gather_concerns(x))
		gather_settle(x);
	if (send_head(x) == -1)
		return -1;
	if (replay_is_empty(&x->request.replay) || body_is_empty(x->request.head->body))
		return 0;
	return replay_send(x);
}

int attempt_send_gathered(struct exchange *x)
{
	assert(x->attempt.gathering);
	if (!x->request.replay.holding || send_held(x) == -1)
		return -1;
	x->attempt.gathering = false;
	return 0;
}

static void send_all(struct exchange *x)
{
	bool gathers = gather_concerns(x) && gather_is_due(x);

	if ((gathers ? gather_begin(x) : send_held(x)) == -1)
		local_reply_send(x, 503, REASON_NO_MEMORY, NULL);
	else if (x->attempt.state != ATTEMPT_CONNECTING)
		/* The client may have waited for a connection. */
		x->downstream.ops->resume(x->downstream.context);
}

/* No backend is left to try. */
static void give_up(struct exchange *x)
{
	const struct failure *failure = &x->attempt.failure;

	if (x->selection.tried_count == 0)
		local_reply_send(x, 503, REASON_NO_BACKEND, "no backend is available");
	else if (failure->status == 0)
		local_reply_send(x, 502, REASON_CONNECT_FAILED, "no backend could be reached");
	else
		local_reply_send(x, failure->status, failure->reason, failure->detail);
}

static bool pick(struct exchange *x)
{
	if (!select_backend(&x->selection))
		return false;
	x->attempt.first_address = selection_backend(&x->selection)->address;
	x->attempt.addresses_tried = 0;
	x->attempt.own_fault = false;
	return true;
}

static bool find_backend(struct exchange *x)
{
	x->selection.picked_us = x->context->loop->now_us;
	/* The pick of a backend that is full when it is asked is in vain, and does not count. */
	for (int i = 0; i < 2 * RETRY_ATTEMPTS_MAX && pick(x); i++)
		if (reach_backend(x))
			return true;
	return false;
}

/* The queue takes no more requests that wait for the full backend of their session: another backend
 * serves this one, if any has room. */
static bool find_another(struct exchange *x)
{
	if (!x->selection.bound || capacity_room(&x->selection) != CAPACITY_ROOM)
		return false;
	x->selection.unbound = true;
	return find_backend(x);
}

static void wait_for_room(struct exchange *x)
{
	load_release(&x->selection);
	deadline_stop(&x->deadline);
	if (!queue_enter(&x->selection)) {
		if (find_another(x))
			send_all(x);
		else
			local_reply_send(x, 503, REASON_QUEUE_FULL,
				"all backends are busy, and the queue is full");
		return;
	}
	log_debug("pool %s: a request waits for room", x->selection.pool->settings->name);
	/* Its head does not wait for the content. */
	x->request.more = false;
	x->downstream.ops->watch(x->downstream.context);
}

void attempt_begin(struct exchange *x)
{
	assert(x->selection.pool != NULL && x->attempt.stream == NULL);
	assert(x->response.phase == RESPONSE_HEAD);
	x->attempt.sought_us = x->context->loop->now_us;
	if (x->selection.pool->limited && queue_must_yield(&x->selection))
		wait_for_room(x);
	else if (find_backend(x))
		send_all(x);
	else if (queue_is_of_use(&x->selection))
		wait_for_room(x);
	else
		give_up(x);
}

/* Sends the request once more: to the backend that was picked last (another address, or a fresh
 * connection), if that is to be tried, or to another one. */
static void send_again(struct exchange *x, bool same_backend)
{
	if (same_backend && reach_backend(x))
		send_all(x);
	else
		attempt_begin(x);
}

static void drop_stream(struct exchange *x, enum upstream_end how)
{
	struct backend_stream *stream = x->attempt.stream;

	x->attempt.stream = NULL;
	x->attempt.gathering = false;
	phase_set_attempt(x, ATTEMPT_NONE);
	stream->ops->end(stream, how);
	deadline_stop(&x->deadline);
	if (x->record.connected_us != 0) /* Else it goes on being sought. */
		x->attempt.sought_us = x->context->loop->now_us;
}

/* There may be room for a request that waits. False: other requests were faster. */
static bool go_on(struct selection *selection)
{
	struct exchange *x = LIST_ITEM(selection, struct exchange, selection);
	bool found = find_backend(x);

	if (!found && queue_is_of_use(selection)) {
		load_release(selection);
		return false;
	}
	queue_leave(selection);
	request_rate_begin(x);
	if (found)
		send_all(x);
	else
		give_up(x);
	return true;
}

static void expire(struct selection *selection, const char *why)
{
	local_reply_send(
		LIST_ITEM(selection, struct exchange, selection), 503, REASON_QUEUE_TIMEOUT, why);
}

const struct selection_events attempt_selection_events = { .ready = go_on, .expired = expire };

void attempt_retry(struct exchange *x, struct failure failure)
{
	enum attempt_state state = x->attempt.state;
	bool connecting = state == ATTEMPT_CONNECTING;
	bool unsent = connecting || x->attempt.gathering;
	bool reused = x->attempt.stream->reused;
	bool stale = reused && state == ATTEMPT_SENT;

	assert(x->response.phase == RESPONSE_HEAD);
	x->attempt.failure = failure;
	if (!stale && !connecting)
		blame_backend_closed(x);
	drop_stream(x, stale ? UPSTREAM_STALE : UPSTREAM_CLOSE);
	if (stale && x->attempt.own) {
		end_unanswered(x);
		return;
	}
	if (state == ATTEMPT_HEARD ||
		!(unsent ? x->request.replay.holding : replay_may_repeat(x))) {
		give_up(x);
		return;
	}
	log_debug("%.*s: %s: the request is sent again",
		SLICE_ARGS(selection_backend(&x->selection)->url), failure.detail);
	x->attempt.fresh_only |= reused; /* so that this happens once */
	send_again(x, connecting || reused);
}

void attempt_cannot_connect(struct exchange *x, int error)
{
	assert(x->attempt.state == ATTEMPT_CONNECTING);
	reach_count_failure(x, strerror(error));
	attempt_retry(
		x, (struct failure){ 502, REASON_CONNECT_FAILED, "no backend could be reached" });
}

/* Picks another backend while the present one still has the request. */
static bool pick_another(struct exchange *x)
{
	return replay_may_repeat(x) && pick(x);
}

/* The time of the other backend begins now. */
static void go_to_the_other(struct exchange *x)
{
	x->selection.picked_us = x->attempt.sought_us = x->context->loop->now_us;
	drop_stream(x, UPSTREAM_CLOSE);
	send_again(x, true);
}

bool attempt_ask_another(struct exchange *x, int status)
{
	struct backend *former = selection_backend(&x->selection);

	if (!statuses_have(&x->selection.pool->settings->retry.on_status, status) ||
		x->response.interim || !pick_another(x))
		return false;
	log_debug("%.*s answered %d: another backend is asked", SLICE_ARGS(former->url), status);
	load_responded(&x->selection, former, status);
	go_to_the_other(x);
	return true;
}

bool attempt_repeat_with_length(struct exchange *x, int status)
{
	struct backend *backend = selection_backend(&x->selection);

	/* With a stream of the client's own its login would be lost. */
	if (status != 411 || x->attempt.length_asked || x->attempt.own || x->response.interim ||
		!gather_may_tell_length(x))
		return false;
	log_debug("%.*s answered 411: the request is sent again with its length",
		SLICE_ARGS(backend->url));
	gather_learn(x, status);
	load_responded(&x->selection, backend, status);
	x->attempt.length_asked = true;
	x->selection.picked_us = x->context->loop->now_us;
	x->attempt.addresses_tried = 0;
	x->attempt.own_fault = false;
	drop_stream(x, UPSTREAM_CLOSE);
	send_again(x, true);
	return true;
}

bool attempt_redispatch(struct exchange *x)
{
	struct backend *former = selection_backend(&x->selection);

	assert(x->attempt.state == ATTEMPT_CONNECTING || x->attempt.state == ATTEMPT_SENT);
	if (!pick_another(x))
		return false;
	log_debug("%.*s is gone: another backend is asked", SLICE_ARGS(former->url));
	go_to_the_other(x);
	return true;
}

void attempt_connected(struct exchange *x)
{
	x->record.connected_us = x->context->loop->now_us;
	phase_set_attempt(x, ATTEMPT_SENT);
	deadline_stop(&x->deadline);
	phase_alive(x);
	x->downstream.ops->resume(x->downstream.context);
}

void attempt_connect_expired(struct deadline *deadline)
{
	struct exchange *x = exchange_of_deadline(deadline);

	assert(x->attempt.state == ATTEMPT_CONNECTING);
	reach_count_failure(x, "no answer in time");
	attempt_retry(x, (struct failure){ 504, REASON_CONNECT_TIMEOUT,
				 "the backend could not be reached in time" });
}
