/*
 * Which backend a request goes to, and what happens when that one fails: the next address of it,
 * the same one on a fresh connection, another one, or an answer that says so.
 */
#include "config.h"

#include <errno.h>
#include <string.h>

#include "account.h"
#include "allowance.h"
#include "base/log.h"
#include "choose.h"
#include "exchange.h"
#include "http/forward.h"

static const struct slice scheme_http = { "http", 4 };

static void announce_pick(const struct exchange *x)
{
	static const char text[] = "Proxying request to %.*s";

	if (x->proxy->settings->log_picks)
		log_notice(text, SLICE_ARGS(exchange_backend(x)->url));
	else if (log_wants(LOG_LEVEL_DEBUG))
		log_debug(text, SLICE_ARGS(exchange_backend(x)->url));
}

/* Who may be picked is known before. */
static void look_at_pool(struct pool *pool)
{
	const struct proxy *proxy = pool->proxy;
	uint32_t version = proxy->rows != NULL ? rows_version(proxy->rows) : 0;

	if (standing_is_due(&pool->standing, version, proxy->loop->now_us))
		standing_renew(pool, proxy->loop->now_us);
}

/* To the first backend always; to another one as the budget has it. */
static bool may_send(struct exchange *x)
{
	uint64_t now_us = x->proxy->loop->now_us;

	if (x->tried_count > 0)
		return allowance_take(x->pool, now_us);
	allowance_count(x->pool, now_us);
	return true;
}

static bool pick(struct exchange *x, const struct request *request)
{
	struct pick query = {
		.rng = &x->proxy->rng,
		.tried = x->tried,
		.tried_count = x->tried_count,
		.view = &x->pool->view,
	};
	size_t picked = PICKER_NONE;

	look_at_pool(x->pool);
	if (x->tried_count < (size_t)x->pool->settings->retry.attempts)
		picked = x->pool->by_request ? choose_by_request(x, request, &query)
					     : x->pool->kind->pick(x->pool->picker, &query);
	if (picked == PICKER_NONE || !may_send(x))
		return false;
	load_leave(x);
	x->backend = picked;
	x->tried[x->tried_count++] = picked;
	x->first_address = exchange_backend(x)->address;
	x->addresses_tried = 0;
	x->own_fault = false;
	load_enter(x);
	announce_pick(x);
	return true;
}

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

static struct upstream *take_idle(struct exchange *x)
{
	if (x->fresh_only)
		return NULL;
	return upstream_take(exchange_backend(x), x, is_sent_once(x));
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

/* Begins with the address that answered last and goes round. */
static struct upstream *connect_next_address(struct exchange *x)
{
	struct backend *backend = exchange_backend(x);
	int count = backend_address_count(backend);

	while (x->addresses_tried < count) {
		int address = (x->first_address + x->addresses_tried++) % count;
		struct upstream *u = upstream_connect(x->proxy, backend, x, address);

		x->record.tries++;

		if (u == NULL && errno == EMFILE && upstream_make_room(x->proxy))
			u = upstream_connect(x->proxy, backend, x, address);
		if (u != NULL)
			return u;
		x->own_fault |= is_own_fault(errno);
		exchange_cannot_connect(x, strerror(errno));
	}
	if (!x->own_fault)
		load_failed(x, ROWS_CONNECT_FAILED);
	return NULL;
}

/* Takes a connection to the present backend, or begins to make one. */
static bool reach_backend(struct exchange *x)
{
	struct proxy *proxy = x->proxy;

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
	if (x->upstream == NULL)
		return false;
	deadline_start(&x->deadline, &proxy->wait_connect, proxy->loop);
	return true;
}

/* The client's own is written where this is empty; an HTTP/1.0 client may have none. */
static struct slice host_to_send(const struct exchange *x, const struct request *request)
{
	if (x->pool->settings->host == HOST_PRESERVE && !slice_is_empty(request->host))
		return slice_of(NULL, 0);
	return exchange_backend(x)->authority;
}

static int send_head(struct exchange *x, struct request *request)
{
	struct text head = text_over(x->proxy->head_out, sizeof x->proxy->head_out);
	struct forward_request how = {
		.host = host_to_send(x, request),
		.path = exchange_backend(x)->path,
		.peer = client_ip(x->client),
		.scheme = scheme_http,
		.request_id = x->record.id,
		.x_forwarded = (x->proxy->settings->forwarded & FORWARDED_X) != 0,
		.rfc7239 = (x->proxy->settings->forwarded & FORWARDED_RFC7239) != 0,
		.trusted = x->client->trusted,
	};
	struct iovec piece = { .iov_base = head.data };

	if (x->pool->sessions != NULL)
		how.cookie = slice_of_string(x->pool->settings->sticky.cookie);
	forward_request(&head, request, &how);
	if (head.overflow)
		return -1;
	/* The body is in the same buffer, and comes next: both go out together. */
	if (x->more) {
		x->more = false;
		x->head_waits = head.len;
		return 0;
	}
	piece.iov_len = head.len;
	return stream_write(&x->upstream->stream, &piece, 1);
}

/* Sends again what was sent to a former upstream. */
static int send_held(struct exchange *x)
{
	struct evbuffer *held = x->held;
	struct evbuffer_iovec pieces[GATHER_PIECES];
	size_t at = 0;

	while (held != NULL && at < evbuffer_get_length(held)) {
		struct evbuffer_ptr from;
		int count;

		if (evbuffer_ptr_set(held, &from, at, EVBUFFER_PTR_SET) == -1)
			return -1;
		count = evbuffer_peek(held, -1, &from, pieces, GATHER_PIECES);
		count = count < GATHER_PIECES ? count : GATHER_PIECES;
		if (stream_write(&x->upstream->stream, pieces, count) == -1)
			return -1;
		for (int i = 0; i < count; i++)
			at += pieces[i].iov_len;
	}
	return 0;
}

static void send_all(struct exchange *x, struct request *request)
{
	if (send_head(x, request) == -1 || send_held(x) == -1)
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

void exchange_dispatch(struct exchange *x, struct request *request)
{
	x->record.picked_us = x->proxy->loop->now_us;
	while (pick(x, request))
		if (reach_backend(x)) {
			send_all(x, request);
			return;
		}
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

/* Whether the backend may get the request, or another one after it, though it had it already. */
static bool may_repeat(const struct exchange *x)
{
	return x->holding && x->request.content <= EXCHANGE_HELD_MAX &&
	       method_is_idempotent(x->method);
}

static void drop_upstream(struct exchange *x)
{
	upstream_close(x->upstream);
	x->upstream = NULL;
	deadline_stop(&x->deadline);
}

void exchange_retry(struct exchange *x, struct failure failure)
{
	bool connecting = x->upstream->stream.connecting;
	bool reused = x->upstream->reused;

	x->failure = failure;
	if (reused && !x->heard)
		upstream_was_stale(x->upstream, x->record.connected_us);
	else if (!connecting)
		load_failed(x, ROWS_CUT);
	drop_upstream(x);
	if (x->heard || !(connecting ? x->holding : may_repeat(x))) {
		give_up(x);
		return;
	}
	log_debug("%.*s: %s: the request is sent again", SLICE_ARGS(exchange_backend(x)->url),
		failure.detail);
	x->fresh_only |= reused; /* so that this happens once */
	send_again(x, connecting || reused);
}

bool exchange_ask_another(struct exchange *x, int status)
{
	struct backend *former = exchange_backend(x);
	struct request *request = &x->proxy->request;

	if (!statuses_have(&x->pool->settings->retry.on_status, status) || x->interim > 0 ||
		!may_repeat(x))
		return false;
	/* What is in the scratch is somebody else's. */
	if (request_parse(request, x->head, x->head_len, 0, &x->proxy->limits) != PARSE_DONE ||
		!pick(x, request))
		return false;
	log_debug("%.*s answered %d: another backend is asked", SLICE_ARGS(former->url), status);
	load_answered(x, former, status);
	drop_upstream(x);
	send_again(x, true);
	return true;
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
