/*
 * The life of an exchange: from a parsed head to the one way out, with the client's bytes in
 * between. The choice of the backend is in dispatch.c, the answer in answer.c, what follows a 101
 * in tunnel.c.
 */
#include "config.h"

#include "exchange.h"

#include "base/clock.h"
#include "counters.h"
#include "http/reply.h"
#include "overload.h"
#include "splice.h"

/* Every member but the room for the head, which is reused. */
static void clear(struct exchange *x)
{
	char *head = x->head;
	size_t head_size = x->head_size;

	*x = (struct exchange){ .head = head, .head_size = head_size, .backend_keeps = true };
	list_init(&x->link);
	deadline_init(&x->deadline);
}

/* A part of the head as it stands in the exchange's own copy. */
static struct slice in_copy(const struct exchange *x, const char *head, struct slice part)
{
	return slice_of(x->head + (part.data - head), part.len);
}

static struct slice identify(struct exchange *x, const struct request *request, const char *head)
{
	const struct field *given = NULL;

	if (x->client->trusted)
		given = fields_find(&request->fields, FIELD_X_REQUEST_ID);
	if (given != NULL && request_id_is_fine(given->value))
		return in_copy(x, head, given->value);
	return request_id_make(&x->proxy->ids, x->id);
}

static void describe(struct exchange *x, const struct request *request, const char *head)
{
	x->method = request->method;
	x->minor = request->minor;
	x->client_keeps = request->keep_alive;
	x->expects = request->expect_continue;
	x->upgrade = !slice_is_empty(request->upgrade);
	relay_init(&x->request, request->body, request->body.kind);
	splice_expect(&x->client->connection, &x->request);
	x->holding = true;
	x->record.client = client_name(x->client);
	x->record.line = in_copy(x, head, request->line);
	x->record.id = identify(x, request, head);
}

/* What must not go on to a backend, whichever. */
static bool answer_here(struct exchange *x, const struct request *request)
{
	if (request->method == METHOD_TRACE)
		exchange_answer(x, 501, REASON_BAD_REQUEST, "TRACE is not offered");
	else if (request->max_forwards == 0)
		exchange_answer(x, 200, REASON_ANSWERED_HERE, "as Max-Forwards asks");
	else
		return false;
	return true;
}

int exchange_begin(struct client *client, const char *head, uint64_t start_us, bool more)
{
	struct proxy *proxy = client->proxy;
	const struct listener_settings *listener = &proxy->settings->listeners[client->listener];
	struct exchange *x = exchange_take_spare(proxy);

	if (x == NULL)
		return -1;
	clear(x);
	x->proxy = proxy;
	x->client = client;
	selection_init(&x->selection,
		listener->pool != LISTENER_NO_POOL ? &proxy->upstream.pools[listener->pool] : NULL,
		&proxy->request, client_ip(client), client->trusted);
	if (exchange_copy_head(x, head, proxy->request.head_len) == -1) {
		exchange_make_spare(x);
		return -1;
	}
	describe(x, &proxy->request, head);
	if (relay_note_named(&x->request, &proxy->request.fields) == -1) {
		exchange_make_spare(x);
		return -1;
	}
	x->record.start_us = start_us;
	x->more = more && !x->request.done;
	client->exchange = x;
	if (answer_here(x, &proxy->request))
		return 0;
	if (listener->route_count == 0 || exchange_route(x, &proxy->request, client->listener))
		exchange_dispatch(x, &proxy->request);
	return 0;
}

static size_t unsent(const struct exchange *x)
{
	return connection_unsent(&x->client->connection) +
	       connection_unsent(&x->upstream->connection);
}

/* Until a connection is there, no more of a body is taken than could be sent again. Only what goes
 * to `to` counts: the other way may be full because this side waits for more of it to be read. */
static bool is_full(const struct exchange *x, const struct connection *to)
{
	return connection_is_full(to) ||
	       (exchange_is_connecting(x) && connection_backlog(to) > EXCHANGE_HELD_MAX);
}

void exchange_throttle(struct exchange *x, struct connection *from)
{
	x->unsent = 0;
	if (is_full(x, exchange_other(x, from))) {
		connection_pause(from);
		x->unsent = unsent(x);
	}
	overload_look(x->proxy);
}

bool exchange_is_taken(struct exchange *x)
{
	size_t before = x->unsent;

	x->unsent = unsent(x);
	return x->unsent > 0 && (before == 0 || x->unsent < before);
}

/* One of the two took what waited for it. */
static void drained(struct exchange *x, struct connection *from)
{
	if (x->state == ANSWER_TUNNEL) {
		exchange_tunnel_drained(x, from);
		return;
	}
	if (!exchange_is_connecting(x))
		exchange_alive(x);
	if (is_full(x, exchange_other(x, from)))
		return;
	if (from == &x->client->connection)
		exchange_waited(x);
	connection_resume(from);
}

void exchange_client_drained(struct exchange *x)
{
	if (x->upstream != NULL)
		drained(x, &x->upstream->connection);
}

void exchange_upstream_drained(struct exchange *x)
{
	drained(x, &x->client->connection);
}

/* Whether the request may have come in full: what arrives while it waits for a backend is kept
 * unread. */
static bool is_here(const struct exchange *x)
{
	return x->request.done ||
	       (x->upstream == NULL && connection_rest(&x->client->connection) > 0);
}

void exchange_client_ended(struct exchange *x, int error)
{
	if (x->state == ANSWER_TUNNEL)
		exchange_tunnel_ended(x, &x->upstream->connection, error);
	else if (error != 0 || !x->proxy->settings->half_close || !is_here(x))
		exchange_end_without_answer(x);
}

static void write_record(struct exchange *x, enum reason reason)
{
	x->record.reason = reason;
	x->record.queued_us = x->selection.queued_us;
	x->record.picked_us = x->selection.picked_us;
	x->record.bytes = x->response.content;
	if (x->selection.backend != PICKER_NONE)
		x->record.backend = x->selection.pool->backends[x->selection.backend].url;
	counters_request(x->proxy, &x->record);
}

static void let_go_of_upstream(struct exchange *x, bool reuse)
{
	struct http1_upstream *u = x->upstream;

	x->upstream = NULL;
	if (u == NULL)
		return;
	if (reuse)
		http1_upstream_keep(u);
	else
		http1_upstream_close(u);
}

static void send_client_on(struct client *client, enum afterwards afterwards)
{
	/* It hears nothing any more. */
	if (client->connection.broken)
		afterwards = AFTERWARDS_RESET;
	switch (afterwards) {
	case AFTERWARDS_KEEP:
		client_next(client);
		break;
	case AFTERWARDS_CLOSE:
		client_end(client);
		break;
	case AFTERWARDS_LINGER:
		client_linger(client);
		break;
	case AFTERWARDS_RESET:
		client_reset(client);
		break;
	}
}

/* Last of all: another one may take it at once, in whatever worker. */
static void give_place_up(struct exchange *x)
{
	selection_end(&x->selection);
}

void exchange_end(struct exchange *x, enum reason reason, bool reuse, enum afterwards afterwards)
{
	struct client *client = x->client;

	write_record(x, reason);
	deadline_stop(&x->deadline);
	exchange_drop_held(x);
	relay_fini(&x->request);
	relay_fini(&x->response);
	let_go_of_upstream(x, reuse);
	give_place_up(x);
	client->exchange = NULL;
	exchange_make_spare(x);
	send_client_on(client, afterwards);
}

/* The status of an answer that nobody was there to get, as nginx logs it. */
#define STATUS_CLIENT_CLOSED 499

void exchange_end_without_answer(struct exchange *x)
{
	if (x->record.status == 0)
		x->record.status = STATUS_CLIENT_CLOSED;
	exchange_end(x, REASON_CLIENT_CLOSED, false,
		x->state == ANSWER_HEAD ? AFTERWARDS_CLOSE : AFTERWARDS_RESET);
}

/* What the client got is not whole. Where the framing shows that, it may have what there is. */
static void break_off(struct exchange *x, enum reason reason)
{
	bool shows = x->state == ANSWER_BODY && x->response.out != BODY_UNTIL_CLOSE;

	exchange_end(x, reason, false, shows ? AFTERWARDS_LINGER : AFTERWARDS_RESET);
}

struct reply exchange_make_reply(const struct exchange *x, int status, const char *detail)
{
	bool keep = x->request.done && x->client_keeps && !x->proxy->close_after_response;

	return (struct reply){
		.status = status,
		.detail = detail,
		.close = !keep,
		.keep_alive_10 = keep && x->minor == 0,
		.head = x->method == METHOD_HEAD,
		.date = slice_of(clock_http_date(), CLOCK_HTTP_DATE_LEN),
	};
}

void exchange_end_reply(
	struct exchange *x, const struct reply *reply, int result, enum reason reason)
{
	x->record.status = reply->status;
	if (result == -1)
		exchange_end(x, REASON_NO_MEMORY, false, AFTERWARDS_RESET);
	else
		exchange_end(x, reason, false, reply->close ? AFTERWARDS_LINGER : AFTERWARDS_KEEP);
}

void exchange_answer(struct exchange *x, int status, enum reason reason, const char *detail)
{
	struct reply reply;

	if (x->state != ANSWER_HEAD) {
		break_off(x, reason);
		return;
	}
	reply = exchange_make_reply(x, status, detail);
	/* In a second there may be room. */
	reply.retry_after = reason == REASON_QUEUE_FULL || reason == REASON_QUEUE_TIMEOUT;
	exchange_end_reply(x, &reply, client_reply(x->client, &reply), reason);
}

/* Who is it that everybody waits for: the client, that neither sends nor takes anything? */
static bool client_stalls(const struct exchange *x)
{
	bool waits_for_100 = x->expects && x->interim == 0 && x->request.content == 0;

	if (connection_backlog(&x->client->connection) > 0)
		return true;
	return !x->request.done && !waits_for_100 &&
	       connection_backlog(&x->upstream->connection) == 0;
}

static void backend_stalls(struct exchange *x)
{
	load_failed(&x->selection, ROWS_TIMED_OUT);
	exchange_answer(x, 504, REASON_BACKEND_TIMEOUT, "the backend did not answer in time");
}

/* Nothing moved for too long. */
void exchange_bytes_expired(struct deadline *deadline)
{
	struct exchange *x = LIST_ITEM(deadline, struct exchange, deadline);
	bool client = client_stalls(x);

	if (exchange_is_taken(x)) { /* slowly */
		exchange_alive(x);
		return;
	}
	if (client && x->state == ANSWER_HEAD)
		exchange_answer(
			x, 408, REASON_CLIENT_TIMEOUT, "the request did not arrive in time");
	else if (client)
		exchange_end(x, REASON_CLIENT_TIMEOUT, false, AFTERWARDS_RESET);
	else if (x->state == ANSWER_HEAD)
		backend_stalls(x);
	else
		exchange_truncated(x);
}
