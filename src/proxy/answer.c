/*
 * What comes back: response heads are understood and written anew, bodies go on as they come, and
 * at the end it is decided whether the two connections can be used again.
 */
#include "config.h"

#include <string.h>

#include "base/clock.h"
#include "exchange.h"
#include "http/forward.h"
#include "splice.h"
#include "upstream/affinity.h"

/* Interim responses that one request may cause. */
#define INTERIM_MAX 16

static void complain(const struct exchange *x, const char *what, const char *why)
{
	backend_complain(selection_backend(&x->selection), x->proxy->loop->now_us, what, why);
}

/* `why` is what is wrong with the backend's answer; NULL: nothing is, memory is short. */
static size_t refuse(struct exchange *x, size_t len, const char *why)
{
	if (why == NULL) {
		exchange_answer(x, 503, REASON_NO_MEMORY, NULL);
		return len;
	}
	complain(x, "bad response", why);
	load_failed(&x->selection, ROWS_BAD_RESPONSE);
	exchange_answer(x, 502, REASON_BAD_RESPONSE, "the backend's answer was malformed");
	return len;
}

/* Whether the client is told that its connection ends: also when its request is not here in full,
 * for then nobody can tell where the next one begins. One that only ended its sending side may
 * have sent more requests before. */
static bool must_close(const struct exchange *x, const struct response *response)
{
	struct body body = forward_response_body(response, x->minor);

	return !x->client_keeps || !x->request.done || x->proxy->close_after_response ||
	       body.kind == BODY_UNTIL_CLOSE;
}

static int add_head(struct exchange *x, struct response *response, struct gather *out)
{
	struct proxy *proxy = x->proxy;
	struct text head = text_over(proxy->head_out, sizeof proxy->head_out);
	struct forward_response how = {
		.client_minor = x->minor,
		.close = x->closing,
		.keep_alive_10 = !x->closing && x->minor == 0,
		.date = slice_of(clock_http_date(), CLOCK_HTTP_DATE_LEN),
	};
	char token[SESSION_TOKEN_LEN];

	if (x->selection.pool->sessions != NULL)
		affinity_set_cookie(&x->selection, &how, token);
	forward_response(&head, response, &how);
	if (head.overflow)
		return -1;
	gather_add(out, head.data, head.len);
	/* Only memory can fail it from here on. */
	response->why = NULL;
	/* The next head is written to the same place. */
	return response->status < 200 ? gather_flush(out) : 0;
}

static bool take_interim(struct exchange *x, struct response *response, struct gather *out)
{
	if (++x->interim > INTERIM_MAX) {
		response->why = "too many interim responses";
		return false;
	}
	return x->minor == 0 || add_head(x, response, out) == 0;
}

static void note_keep_alive(struct http1_upstream *u, const struct response *response)
{
	uint64_t seconds;

	if (response_keep_alive_timeout(response, &seconds))
		http1_upstream_keeps_for(u, seconds);
}

static bool take_final(struct exchange *x, struct response *response, struct gather *out)
{
	struct body body = forward_response_body(response, x->minor);

	x->closing = must_close(x, response);
	if (add_head(x, response, out) == -1)
		return false;
	relay_init(&x->response, response->body, body.kind);
	if (relay_note_named(&x->response, &response->fields) == -1)
		return false;
	splice_expect(&x->upstream->connection, &x->response);
	x->state = ANSWER_BODY;
	x->holding = false;
	note_keep_alive(x->upstream, response);
	x->record.status = response->status;
	x->record.answered_us = x->proxy->loop->now_us;
	load_answered(&x->selection, selection_backend(&x->selection), response->status);
	return true;
}

static bool take_upgrade(struct exchange *x, struct response *response, struct gather *out)
{
	if (!x->upgrade) {
		response->why = "a 101 that nobody asked for";
		return false;
	}
	if (add_head(x, response, out) == -1)
		return false;
	x->record.status = response->status;
	x->record.answered_us = x->proxy->loop->now_us;
	load_answered(&x->selection, selection_backend(&x->selection), response->status);
	exchange_open_tunnel(x);
	return true;
}

/* Reads one head off `data`. Returns the bytes used; 0 while it is not whole; `len` where the
 * exchange has ended over it. */
static size_t read_head(struct exchange *x, const char *data, size_t len, struct gather *out)
{
	struct proxy *proxy = x->proxy;
	struct response *response = &proxy->response;
	struct http1_upstream *u = x->upstream;
	bool fine;

	switch (response_parse(response, data, len, u->seen, x->method, &proxy->limits)) {
	case PARSE_PARTIAL:
		u->seen = (uint32_t)len;
		return 0;
	case PARSE_BAD:
		return refuse(x, len, response->why);
	case PARSE_DONE:
		break;
	}
	u->seen = 0;
	if (response->status >= STATUSES_FIRST && exchange_ask_another(x, response->status))
		return len;
	x->backend_keeps &= response->keep_alive;
	response->why = "the head is too long to go on";
	if (response->status == 101)
		fine = take_upgrade(x, response, out);
	else if (response->status < 200)
		fine = take_interim(x, response, out);
	else
		fine = take_final(x, response, out);
	return fine ? response->head_len : refuse(x, len, response->why);
}

/* Whether another request may follow on the connection: nothing is owed on it either way. */
static bool is_reusable(const struct exchange *x, size_t surplus)
{
	const struct connection *s = &x->upstream->connection;

	return x->request.done && x->backend_keeps && surplus == 0 &&
	       x->response.in.kind != BODY_UNTIL_CLOSE && !s->ended && !s->broken &&
	       connection_backlog(s) == 0 && !connection_has_more(s);
}

/* Nobody has anything more to say on the client's connection once the response is whole. */
static bool is_last(const struct exchange *x)
{
	return x->closing && x->request.done && !x->client_keeps;
}

/* The response is whole. `surplus` bytes came behind it that belong to no response. */
static void finish(struct exchange *x, size_t surplus)
{
	bool reuse = is_reusable(x, surplus);
	enum afterwards afterwards = AFTERWARDS_KEEP;

	if (surplus > 0)
		complain(x, "connection closed", "bytes came behind a response");
	if (is_last(x))
		afterwards = AFTERWARDS_CLOSE;
	else if (x->closing)
		afterwards = AFTERWARDS_LINGER;
	exchange_end(x, REASON_DONE, reuse, afterwards);
}

/* Some of it was written to the client, but not all. */
static void passed_on(struct exchange *x)
{
	if (x->client->connection.broken) /* it is gone, and nobody may be left to tell us */
		exchange_end_without_answer(x);
	else
		exchange_throttle(x, &x->upstream->connection);
}

static size_t read_body(struct exchange *x, const char *data, size_t len, struct gather *out)
{
	enum relay_result result;
	size_t used;

	result = relay_feed(&x->response, data, len, &used, out, &x->proxy->trailers);
	x->client->connection.cork = result == RELAY_DONE && is_last(x);
	if (gather_flush(out) == -1) {
		exchange_answer(x, 0, REASON_NO_MEMORY, NULL);
		return len;
	}
	if (result == RELAY_BAD)
		return refuse(x, len, x->response.why);
	if (result == RELAY_DONE) {
		finish(x, len - used);
		return len;
	}
	splice_look(&x->upstream->connection);
	passed_on(x);
	return used;
}

bool exchange_flow_response(struct exchange *x)
{
	struct connection *from = &x->upstream->connection;

	if (x->state == ANSWER_TUNNEL)
		return exchange_tunnel_flow(x, from);
	if (x->state != ANSWER_BODY)
		return false;
	switch (splice_body(&x->response, from, &x->client->connection)) {
	case SPLICE_NOT:
		return false;
	case SPLICE_ENDED:
		return true;
	case SPLICE_FAILED:
		exchange_answer(x, 0, REASON_NO_MEMORY, NULL);
		return true;
	case SPLICE_MOVED:
		break;
	}
	exchange_alive(x);
	if (x->response.done)
		finish(x, 0);
	else
		passed_on(x);
	return true;
}

/* Bytes of an answer: heads first, then its body, or the first of a tunnel. */
static size_t take_answer(struct exchange *x, const char *data, size_t len)
{
	struct http1_upstream *u = x->upstream;
	struct gather out;
	size_t used = 0;

	x->heard = true;
	exchange_alive(x);
	gather_init(&out, &x->client->connection);
	while (x->state == ANSWER_HEAD && used < len) {
		size_t step = read_head(x, data + used, len - used, &out);

		used += step;
		if (step == 0 || u->exchange == NULL)
			return used;
	}
	if (x->state == ANSWER_HEAD)
		return used;
	if (x->state == ANSWER_TUNNEL)
		return used +
		       exchange_tunnel_bytes(x, &x->client->connection, data + used, len - used);
	return used + read_body(x, data + used, len - used, &out);
}

size_t exchange_response(struct exchange *x, const char *data, size_t len)
{
	if (x->state == ANSWER_TUNNEL)
		return exchange_tunnel_bytes(x, &x->client->connection, data, len);
	return take_answer(x, data, len);
}

void exchange_truncated(struct exchange *x)
{
	load_failed(&x->selection, ROWS_CUT);
	exchange_answer(x, 0, REASON_TRUNCATED, NULL);
}

static void end_body(struct exchange *x)
{
	struct gather out;

	gather_init(&out, &x->client->connection);
	if (relay_end(&x->response, &out) == RELAY_DONE && gather_flush(&out) == 0)
		finish(x, 0);
	else
		exchange_truncated(x);
}

static struct failure connect_failed(struct exchange *x, int error)
{
	exchange_cannot_connect(x, strerror(error));
	return (struct failure){ 502, REASON_CONNECT_FAILED, "no backend could be reached" };
}

void exchange_upstream_ended(struct exchange *x, int error)
{
	if (x->state == ANSWER_TUNNEL)
		exchange_tunnel_ended(x, &x->client->connection, error);
	else if (x->state == ANSWER_BODY && error == 0)
		end_body(x);
	else if (x->state == ANSWER_BODY)
		exchange_truncated(x);
	else if (x->upstream->connection.connecting)
		exchange_retry(x, connect_failed(x, error));
	else
		exchange_retry(x, (struct failure){ 502, REASON_BACKEND_CLOSED,
					  "the backend closed before it answered" });
}
