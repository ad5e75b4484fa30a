/*
 * Requests that a listener's routes decide about: they go to another pool, or are answered here,
 * with what the settings say, a redirect, or a refusal.
 */
#include "config.h"

#include "exchange.h"
#include "http/reply.h"
#include "net/redirect.h"
#include "route.h"

/* The two halves of the scratch: an answer, and what goes into it. */
#define HALF (HEAD_OUT_SIZE / 2)

static void answer(struct exchange *x, struct reply *reply)
{
	struct text out = text_over(x->proxy->head_out, HALF);
	struct iovec piece = { .iov_base = out.data };

	reply_write(&out, reply);
	piece.iov_len = out.len;
	if (!reply->head)
		x->response.content = reply->body.len;
	exchange_end_reply(x, reply, connection_write(&x->client->connection, &piece, 1),
		REASON_ANSWERED_HERE);
}

static void answer_fixed(struct exchange *x, const struct answer_settings *settings)
{
	struct reply reply = exchange_make_reply(x, settings->status, NULL);

	reply.type = settings->type;
	reply.body = slice_of_string(settings->body);
	answer(x, &reply);
}

static void redirect(
	struct exchange *x, const struct request *request, const struct route_settings *route)
{
	struct redirect_parts parts = redirect_split(request->host, request->target);
	struct text location = text_over(x->proxy->head_out + HALF, HALF - REPLY_MAX);
	struct reply reply = exchange_make_reply(x, route->status, NULL);

	if (slice_is_empty(parts.host) && redirect_needs_host(route->redirect)) {
		exchange_answer(
			x, 400, REASON_BAD_REQUEST, "without a Host it cannot be redirected");
		return;
	}
	redirect_write(&location, route->redirect, &parts);
	if (location.overflow) {
		exchange_answer(x, 414, REASON_BAD_REQUEST, "too long to be redirected");
		return;
	}
	reply.location = text_slice(&location);
	answer(x, &reply);
}

bool exchange_route(struct exchange *x, const struct request *request, uint32_t listener)
{
	struct proxy *proxy = x->proxy;
	bool unclear;
	const struct route_settings *route = routes_find(
		proxy->routes[listener], request->host, request->target, proxy->head_out, &unclear);

	if (!unclear && route != NULL && route->pool_name != NULL) {
		x->selection.pool = &proxy->upstream.pools[route->pool];
		return true;
	}
	if (!unclear && route == NULL && x->selection.pool != NULL)
		return true;
	if (unclear)
		exchange_answer(x, 400, REASON_BAD_REQUEST,
			"servers could read this path as different ones");
	else if (route == NULL)
		exchange_answer(x, 404, REASON_NO_ROUTE, "nothing is served here for this request");
	else if (route->redirect != NULL)
		redirect(x, request, route);
	else
		answer_fixed(x, &route->answer);
	return false;
}
