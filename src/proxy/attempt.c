/*
 * Which backend a request goes to, and what happens when that one fails: the next address of it,
 * the same one on a fresh connection, another one, or an answer that says so.
 */
#include "config.h"

#include <errno.h>
#include <string.h>

#include "base/fd.h"
#include "base/log.h"
#include "counters.h"
#include "exchange.h"
#include "redispatch.h"

/* Whether it may turn out that the request cannot be sent again, though a kept connection is dead:
 * by its method, or because there will be too much of it. */
static bool is_sent_once(const struct exchange *x)
{
	const struct relay *body = &x->request;

	if (!method_is_idempotent(x->method))
		return true;
	return !body->done && (body->in.kind != BODY_LENGTH ||
				      body->content + body->in.length > EXCHANGE_HELD_MAX);
}

static struct http1_upstream *take_idle(struct exchange *x)
{
	if (x->fresh_only)
		return NULL;
	return http1_upstream_take(selection_backend(&x->selection), x, is_sent_once(x));
}

void exchange_cannot_connect(struct exchange *x, const char *why)
{
	counters_connect_error(x->proxy);
	backend_complain(
		selection_backend(&x->selection), x->proxy->loop->now_us, "cannot connect", why);
}

/* Begins with the address that answered last and goes round. NULL with EUSERS: there is no room. */
static struct http1_upstream *connect_next_address(struct exchange *x)
{
	struct backend *backend = selection_backend(&x->selection);
	int count = backend_address_count(backend);

	while (x->addresses_tried < count) {
		int address = (x->first_address + x->addresses_tried++) % count;
		struct http1_upstream *u = http1_upstream_connect(backend, x, address);

		x->record.tries++;
		if (u == NULL && errno == EMFILE && http1_upstream_make_room(&x->proxy->upstream))
			u = http1_upstream_connect(backend, x, address);
		if (u != NULL || errno == EUSERS)
			return u;
		/* What is short here says nothing about a backend. */
		x->own_fault |= fd_is_shortage(errno);
		exchange_cannot_connect(x, strerror(errno));
	}
	if (!x->own_fault)
		load_failed(&x->selection, ROWS_CONNECT_FAILED);
	errno = ENOTCONN;
	return NULL;
}

/* Takes a connection to the present backend, or begins to make one. Where that has all that it may
 * have it was not tried. */
static bool reach_backend(struct exchange *x)
{
	struct proxy *proxy = x->proxy;

	redispatch_soon(proxy);
	x->heard = false;
	x->backend_keeps = true;
	x->record.connected_us = 0;
	x->upstream = take_idle(x);
	if (x->upstream != NULL) {
		x->record.tries++;
		x->record.connected_us = proxy->loop->now_us;
		exchange_alive(x);
		return true;
	}
	x->upstream = connect_next_address(x);
	if (x->upstream == NULL) {
		x->selection.tried_count -= errno == EUSERS;
		return false;
	}
	deadline_start(&x->deadline, &proxy->wait_connect, proxy->loop);
	return true;
}

static void send_all(struct exchange *x, struct request *request)
{
	if (exchange_send(x, request) == -1)
		exchange_answer(x, 503, REASON_NO_MEMORY, NULL);
	else if (!x->upstream->connection.connecting)
		connection_resume(&x->client->connection); /* it may have waited for a connection */
}

/* Nothing is left to try. */
static void give_up(struct exchange *x)
{
	if (x->selection.tried_count == 0)
		exchange_answer(x, 503, REASON_NO_BACKEND, "no backend is available");
	else if (x->failure.status == 0)
		exchange_answer(x, 502, REASON_CONNECT_FAILED, "no backend could be reached");
	else
		exchange_answer(x, x->failure.status, x->failure.reason, x->failure.detail);
}

static bool pick(struct exchange *x, struct request *request)
{
	x->selection.request = request;
	if (!select_backend(&x->selection))
		return false;
	x->first_address = selection_backend(&x->selection)->address;
	x->addresses_tried = 0;
	x->own_fault = false;
	return true;
}

static bool find_backend(struct exchange *x, struct request *request)
{
	x->selection.picked_us = x->proxy->loop->now_us;
	for (int i = 0; i < 2 * RETRY_ATTEMPTS_MAX && pick(x, request); i++)
		if (reach_backend(x))
			return true;
	return false;
}

/* A session whose backend is full, and for which nobody may wait, is better off elsewhere. */
static bool find_another(struct exchange *x, struct request *request)
{
	if (!x->selection.bound || capacity_room(&x->selection) != CAPACITY_ROOM)
		return false;
	x->selection.unbound = true;
	return find_backend(x, request);
}

static void wait_for_room(struct exchange *x, struct request *request)
{
	load_release(&x->selection);
	deadline_stop(&x->deadline);
	if (!queue_enter(&x->selection)) {
		if (find_another(x, request))
			send_all(x, request);
		else
			exchange_answer(x, 503, REASON_QUEUE_FULL,
				"all backends are busy, and so many wait for them as may");
		return;
	}
	if (log_wants(LOG_LEVEL_DEBUG))
		log_debug("pool %s: a request waits: all backends are full",
			x->selection.pool->settings->name);
	/* Its head does not wait for the body, and it is to be seen if the client leaves. */
	x->more = false;
	connection_watch(&x->client->connection);
}

void exchange_dispatch(struct exchange *x, struct request *request)
{
	if (x->selection.pool->limited && queue_goes_first(&x->selection))
		wait_for_room(x, request);
	else if (find_backend(x, request))
		send_all(x, request);
	else if (queue_is_of_use(&x->selection))
		wait_for_room(x, request);
	else
		give_up(x);
}

/* Sends the request once more: to the backend that was picked last, on another address or a fresh
 * connection, where that is to be tried, or to another one. Its head was understood once, so it
 * will be again. */
static void send_again(struct exchange *x, bool same_backend)
{
	struct request *request = &x->proxy->request;

	if (request_parse(request, x->head, x->head_len, 0, &x->proxy->limits) != PARSE_DONE)
		give_up(x);
	else if (same_backend && reach_backend(x))
		send_all(x, request);
	else
		exchange_dispatch(x, request);
}

bool exchange_may_repeat(const struct exchange *x)
{
	return x->holding && x->request.content <= EXCHANGE_HELD_MAX &&
	       method_is_idempotent(x->method);
}

static void drop_upstream(struct exchange *x)
{
	http1_upstream_close(x->upstream);
	x->upstream = NULL;
	deadline_stop(&x->deadline);
}

static bool go_on(struct selection *selection)
{
	struct exchange *x = LIST_ITEM(selection, struct exchange, selection);
	struct request *request = &x->proxy->request;
	struct client *client = x->client;
	bool fine =
		request_parse(request, x->head, x->head_len, 0, &x->proxy->limits) == PARSE_DONE;
	bool found = fine && find_backend(x, request);

	if (fine && !found && queue_is_of_use(&x->selection)) {
		load_release(&x->selection);
		return false;
	}
	queue_leave(&x->selection);
	exchange_waited(x);
	if (found)
		send_all(x, request);
	else
		give_up(x);
	/* What came of its body meanwhile goes on. */
	if (client->exchange != NULL && !client->connection.paused &&
		connection_rest(&client->connection) > 0)
		connection_again(&client->connection);
	return true;
}

static void expire(struct selection *selection, const char *why)
{
	exchange_answer(
		LIST_ITEM(selection, struct exchange, selection), 503, REASON_QUEUE_TIMEOUT, why);
}

const struct selection_events exchange_selection_events = { .ready = go_on, .expired = expire };

void exchange_retry(struct exchange *x, struct failure failure)
{
	bool connecting = x->upstream->connection.connecting;
	bool reused = x->upstream->reused;

	x->failure = failure;
	if (reused && !x->heard)
		http1_upstream_was_stale(x->upstream, x->record.connected_us);
	else if (!connecting)
		load_failed(&x->selection, ROWS_CUT);
	drop_upstream(x);
	if (x->heard || !(connecting ? x->holding : exchange_may_repeat(x))) {
		give_up(x);
		return;
	}
	log_debug("%.*s: %s: the request is sent again",
		SLICE_ARGS(selection_backend(&x->selection)->url), failure.detail);
	x->fresh_only |= reused; /* so that this happens once */
	send_again(x, connecting || reused);
}

/* Picks another backend while the present one still has the request. */
static bool pick_another(struct exchange *x)
{
	struct request *request = &x->proxy->request;

	/* What is in the scratch is somebody else's. */
	return exchange_may_repeat(x) &&
	       request_parse(request, x->head, x->head_len, 0, &x->proxy->limits) == PARSE_DONE &&
	       pick(x, request);
}

/* What that one takes begins now. */
static void go_to_the_other(struct exchange *x)
{
	x->selection.picked_us = x->proxy->loop->now_us;
	drop_upstream(x);
	send_again(x, true);
}

bool exchange_ask_another(struct exchange *x, int status)
{
	struct backend *former = selection_backend(&x->selection);

	if (!statuses_have(&x->selection.pool->settings->retry.on_status, status) ||
		x->interim > 0 || !pick_another(x))
		return false;
	log_debug("%.*s answered %d: another backend is asked", SLICE_ARGS(former->url), status);
	load_answered(&x->selection, former, status);
	go_to_the_other(x);
	return true;
}

bool exchange_redispatch(struct exchange *x)
{
	struct backend *former = selection_backend(&x->selection);

	if (!pick_another(x))
		return false;
	log_debug("%.*s is gone: another backend is asked", SLICE_ARGS(former->url));
	go_to_the_other(x);
	return true;
}

void exchange_connected(struct exchange *x)
{
	x->record.connected_us = x->proxy->loop->now_us;
	deadline_stop(&x->deadline);
	exchange_alive(x);
	connection_resume(&x->client->connection);
}

void exchange_connect_expired(struct deadline *deadline)
{
	struct exchange *x = LIST_ITEM(deadline, struct exchange, deadline);

	exchange_cannot_connect(x, "no answer in time");
	exchange_retry(x, (struct failure){ 504, REASON_CONNECT_TIMEOUT,
				  "the backend could not be reached in time" });
}
