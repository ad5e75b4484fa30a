/* Fixed responses, redirects and refusals. */
#include "config.h"

#include "local_reply.h"

#include <assert.h>

#include "end.h"
#include "net/canonical.h"
#include "net/readings.h"
#include "net/redirect.h"

/* A client that was refused because all backends were full may come back after so many seconds. */
#define RETRY_AFTER 1

/* The longest Location of a redirect. */
#define LOCATION_MAX (HEAD_OUT_SIZE / 2 - REPLY_MAX)

static void finish(struct exchange *x, struct reply *reply, enum reason reason)
{
	assert(x->response.phase == RESPONSE_HEAD);
	x->record.status = reply->status;
	if (x->downstream.ops->send_reply(x->downstream.context, reply) == -1)
		end_exchange(x, REASON_NO_MEMORY, UPSTREAM_CLOSE, DOWNSTREAM_ABORT);
	else
		end_exchange(x, reason, UPSTREAM_CLOSE, DOWNSTREAM_DONE);
}

void local_reply_send(struct exchange *x, int status, enum reason reason, const char *detail)
{
	struct reply reply = { .status = status, .detail = detail };

	if (x->response.phase != RESPONSE_HEAD) {
		end_truncated(x, reason);
		return;
	}
	if (reason == REASON_QUEUE_FULL || reason == REASON_QUEUE_TIMEOUT)
		reply.retry_after = RETRY_AFTER;
	finish(x, &reply, reason);
}

static void send_fixed(struct exchange *x, const struct answer_settings *settings)
{
	struct reply reply = { .status = settings->status,
		.type = settings->type,
		.body = slice_of_string(settings->body) };

	if (x->request.head->method != METHOD_HEAD)
		x->response.content = reply.body.len;
	finish(x, &reply, REASON_ANSWERED_HERE);
}

/* True where a browser, or the server behind it, could take the Location for one above the path
 * that the redirect's author wrote. */
static bool leaves_redirect(
	const struct exchange *x, const struct route_settings *route, struct slice path)
{
	return redirect_nests_path(route->redirect) && !canonical_is_clear(path) &&
	       readings_climb(path, x->context->scratch, HEAD_OUT_SIZE);
}

static void send_redirect(struct exchange *x, const struct route_settings *route)
{
	struct redirect_parts parts =
		redirect_split(x->request.head->host, x->request.head->target);
	struct text location = text_over(x->context->scratch, LOCATION_MAX);
	struct reply reply = { .status = route->status };

	if (leaves_redirect(x, route, parts.path)) {
		local_reply_send(
			x, 400, REASON_BAD_REQUEST, "the path may lead above that of the redirect");
		return;
	}
	if (slice_is_empty(parts.host) && redirect_needs_host(route->redirect)) {
		local_reply_send(
			x, 400, REASON_BAD_REQUEST, "without a Host it cannot be redirected");
		return;
	}
	redirect_write(&location, route->redirect, &parts);
	if (location.overflow) {
		local_reply_send(x, 414, REASON_BAD_REQUEST, "too long to be redirected");
		return;
	}
	reply.location = text_slice(&location);
	finish(x, &reply, REASON_ANSWERED_HERE);
}

void local_reply_by_route(struct exchange *x, const struct route_settings *route)
{
	if (route->redirect != NULL)
		send_redirect(x, route);
	else
		send_fixed(x, &route->answer);
}
