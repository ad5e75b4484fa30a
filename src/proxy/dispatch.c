/*
 * Which backend a request goes to, and what happens when that one fails: the next address of it,
 * the same one on a fresh connection, another one, or an answer that says so.
 */
#include "config.h"

#include <errno.h>
#include <string.h>

#include "account.h"
#include "base/log.h"
#include "exchange.h"

/* A request that must not be repeated goes only onto a connection that was in use this recently: an
 * older one may be about to be closed by the backend. */
#define ONCE_IDLE_US UINT64_C(1000000)

/* How often another worker may be faster before this one waits. */
#define RACES_MAX 8

static void announce_pick(const struct exchange *x)
{
	static const char text[] = "Proxying request to %.*s";

	if (x->proxy->settings->log_picks)
		log_notice(text, SLICE_ARGS(exchange_backend(x)->url));
	else if (log_wants(LOG_LEVEL_DEBUG))
		log_debug(text, SLICE_ARGS(exchange_backend(x)->url));
}

static size_t choose(struct exchange *x)
{
	struct pool *pool = x->pool;
	const struct pick query = {
		.rng = &x->proxy->rng,
		.tried = x->tried,
		.tried_count = x->tried_count,
		.view = &pool->view,
	};
	size_t picked;

	if (x->tried_count == EXCHANGE_TRIES)
		return PICKER_NONE;
	picked = pool->kind->pick(pool->picker, &query);
	if (picked != PICKER_NONE || pool->view.is_full == NULL || pool->limited)
		return picked;
	/* Better a ramp that is not kept to than nobody. */
	pool->view.is_full = NULL;
	picked = pool->kind->pick(pool->picker, &query);
	pool->view.is_full = limit_is_full;
	return picked;
}

/* Takes a place with the backend. Another worker may have had the last one since it was chosen. */
static bool take_place(struct exchange *x, size_t picked)
{
	size_t former = x->backend;

	x->backend = picked;
	if (load_enter(x))
		return true;
	x->backend = former;
	return false;
}

static bool pick(struct exchange *x)
{
	size_t picked;

	exchange_look_at_pool(x->pool);
	load_leave(x);
	for (int i = 0; i < RACES_MAX; i++) {
		picked = choose(x);
		if (picked == PICKER_NONE)
			return false;
		if (take_place(x, picked)) {
			x->tried[x->tried_count++] = picked;
			x->first_address = exchange_backend(x)->address;
			x->addresses_tried = 0;
			x->fresh_only = false;
			x->own_fault = false;
			announce_pick(x);
			return true;
		}
	}
	return false;
}

static struct upstream *take_idle(struct exchange *x)
{
	if (x->fresh_only)
		return NULL;
	return upstream_take(exchange_backend(x), x,
		method_is_idempotent(x->method) ? UINT64_MAX : ONCE_IDLE_US);
}

void exchange_cannot_connect(struct exchange *x, const char *why)
{
	account_connect_error(x->proxy);
	backend_complain(exchange_backend(x), x->proxy->loop->now_us, "cannot connect", why);
}

/* What is short here says nothing about a backend. */
static bool is_own_fault(int error)
{
	return error == EMFILE || error == ENFILE || error == ENOMEM || error == ENOBUFS ||
	       error == EADDRNOTAVAIL;
}

/* Begins with the address that answered last and goes round. NULL with EUSERS: there is no room. */
static struct upstream *connect_next_address(struct exchange *x)
{
	struct backend *backend = exchange_backend(x);
	int count = backend_address_count(backend);

	while (x->addresses_tried < count) {
		int address = (x->first_address + x->addresses_tried++) % count;
		struct upstream *u = upstream_connect(x->proxy, backend, x, address);

		if (u == NULL && errno == EMFILE && upstream_make_room(x->proxy))
			u = upstream_connect(x->proxy, backend, x, address);
		if (u != NULL || errno == EUSERS)
			return u;
		x->own_fault |= is_own_fault(errno);
		exchange_cannot_connect(x, strerror(errno));
	}
	if (!x->own_fault)
		load_failed(x, ROWS_CONNECT_FAILED);
	errno = ENOTCONN;
	return NULL;
}

/* Takes a connection to the present backend, or begins to make one. Where that has all that it may
 * have it was not tried. */
static bool reach_backend(struct exchange *x)
{
	struct proxy *proxy = x->proxy;

	x->heard = false;
	x->record.connected_us = 0;
	x->upstream = take_idle(x);
	if (x->upstream != NULL) {
		x->record.connected_us = proxy->loop->now_us;
		exchange_alive(x);
		return true;
	}
	x->upstream = connect_next_address(x);
	if (x->upstream == NULL) {
		x->tried_count -= errno == EUSERS;
		return false;
	}
	deadline_start(&x->deadline, &proxy->wait_connect, proxy->loop);
	return true;
}

static void send_all(struct exchange *x, struct request *request)
{
	if (exchange_send(x, request) == -1)
		exchange_answer(x, 503, REASON_NO_MEMORY, NULL);
	else if (!x->upstream->stream.connecting)
		stream_resume(&x->client->stream); /* it may have waited for a connection */
}

/* Nothing is left to try. */
static void give_up(struct exchange *x)
{
	if (x->tried_count == 0)
		exchange_answer(x, 503, REASON_NO_BACKEND, "no backend is available");
	else if (x->failure.status == 0)
		exchange_answer(x, 502, REASON_CONNECT_FAILED, "no backend could be reached");
	else
		exchange_answer(x, x->failure.status, x->failure.reason, x->failure.detail);
}

static bool find_backend(struct exchange *x)
{
	x->record.picked_us = x->proxy->loop->now_us;
	for (int i = 0; i < EXCHANGE_TRIES + RACES_MAX && pick(x); i++)
		if (reach_backend(x))
			return true;
	return false;
}

static void wait_for_room(struct exchange *x)
{
	load_leave(x);
	deadline_stop(&x->deadline);
	if (!queue_enter(x)) {
		exchange_answer(x, 503, REASON_QUEUE_FULL,
			"all backends are busy, and so many wait for them as may");
		return;
	}
	if (log_wants(LOG_LEVEL_DEBUG))
		log_debug(
			"pool %s: a request waits: all backends are full", x->pool->settings->name);
	/* Its head does not wait for the body, and it is to be seen if the client leaves. */
	x->more = false;
	stream_watch(&x->client->stream);
}

void exchange_dispatch(struct exchange *x, struct request *request)
{
	if (x->pool->limited && queue_goes_first(x))
		wait_for_room(x);
	else if (find_backend(x))
		send_all(x, request);
	else if (x->pool->limited && limit_room(x) != LIMIT_NOBODY)
		wait_for_room(x);
	else
		give_up(x);
}

/* Sends the request once more: on another address, a fresh connection, or to another backend. Its
 * head was understood once, so it will be again. */
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

bool exchange_go_on(struct exchange *x)
{
	struct request *request = &x->proxy->request;
	struct client *client = x->client;
	bool found = find_backend(x);

	if (!found && limit_room(x) != LIMIT_NOBODY) {
		load_leave(x);
		return false;
	}
	queue_leave(x);
	exchange_waited(x);
	if (found &&
		request_parse(request, x->head, x->head_len, 0, &x->proxy->limits) == PARSE_DONE)
		send_all(x, request);
	else
		give_up(x);
	/* What came of its body meanwhile goes on. */
	if (client->exchange != NULL && !client->stream.paused && stream_rest(&client->stream) > 0)
		stream_again(&client->stream);
	return true;
}

void exchange_retry(struct exchange *x, struct failure failure)
{
	bool connecting = x->upstream->stream.connecting;
	bool reused = x->upstream->reused;

	x->failure = failure;
	if (!connecting && (!reused || x->heard))
		load_failed(x, ROWS_CUT);
	upstream_close(x->upstream);
	x->upstream = NULL;
	deadline_stop(&x->deadline);
	if (!x->holding || x->heard || !(connecting || method_is_idempotent(x->method))) {
		give_up(x);
		return;
	}
	x->fresh_only = reused;
	send_again(x, connecting || reused);
}

void exchange_connected(struct exchange *x)
{
	x->record.connected_us = x->proxy->loop->now_us;
	deadline_stop(&x->deadline);
	exchange_alive(x);
	stream_resume(&x->client->stream);
}

void exchange_connect_expired(struct deadline *deadline)
{
	struct exchange *x = LIST_ITEM(deadline, struct exchange, deadline);

	exchange_cannot_connect(x, "no answer in time");
	exchange_retry(x, (struct failure){ 504, REASON_CONNECT_TIMEOUT,
				  "the backend could not be reached in time" });
}
