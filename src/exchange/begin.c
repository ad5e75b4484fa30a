/* The begin of an exchange: its head is copied, routed, and sent or answered. */
#include "config.h"

#include "exchange/exchange.h"

#include "attempt.h"
#include "free_list.h"
#include "local_reply.h"
#include "loop_token.h"
#include "net/canonical.h"
#include "net/readings.h"
#include "own_stream.h"
#include "replay.h"
#include "request_head.h"
#include "route_table.h"
#include "upstream/select.h"

struct exchange *exchange_new(struct exchange_context *context)
{
	return free_list_take(context);
}

void exchange_forget(struct exchange *x)
{
	free_list_put(x);
}

/* Requests that must not go on to any backend. */
static bool answer_here(struct exchange *x)
{
	const struct request *head = x->request.head;

	if (head->method == METHOD_TRACE)
		local_reply_send(x, 501, REASON_BAD_REQUEST, "TRACE is not offered");
	else if (head->max_forwards == 0)
		local_reply_send(x, 200, REASON_ANSWERED_HERE, "as Max-Forwards asks");
	else
		return false;
	return true;
}

/* Finds the route of the request, which sets the pool. False: the exchange is over, the request was
 * answered here. */
static bool find_route(struct exchange *x, uint32_t listener)
{
	const struct route_table *routes = x->context->routes[listener];
	const struct request *head = x->request.head;
	bool unclear;
	const struct route_settings *route = route_table_find(
		routes, head->host, head->target, x->context->scratch, HEAD_OUT_SIZE, &unclear);

	if (!unclear && route != NULL && route->pool_name != NULL) {
		x->selection.pool = &x->context->upstream->pools[route->pool];
		x->request.loop_token = loop_token_of_route(x->context, listener, route);
		return true;
	}
	if (!unclear && route == NULL && x->selection.pool != NULL)
		return true;
	if (unclear)
		local_reply_send(x, 400, REASON_BAD_REQUEST,
			"servers could read this host or path as different ones");
	else if (route == NULL)
		local_reply_send(
			x, 404, REASON_NO_ROUTE, "nothing is served here for this request");
	else
		local_reply_by_route(x, route);
	return false;
}

/* True where a backend of the pool has a URL with a path, and some server could take the target for
 * one above that path. It makes no difference which backend is going to be picked. */
static bool leaves_backend_path(const struct exchange *x)
{
	struct slice path;

	if (!x->selection.pool->has_path)
		return false;
	path = canonical_path_of(x->request.head->target);
	if (canonical_is_plain(path) || canonical_is_clear(path))
		return false;
	return readings_climb(path, x->context->scratch, HEAD_OUT_SIZE);
}

/* Sends the request to a backend of its pool, if it may go there. */
static void go_on(struct exchange *x, uint32_t listener)
{
	if (leaves_backend_path(x)) {
		local_reply_send(x, 400, REASON_BAD_REQUEST,
			"the path may lead above that of the backend's URL");
		return;
	}
	if (loop_token_is_in(&x->request.head->fields, x->request.loop_token)) {
		loop_token_complain(x->context, listener, x->selection.pool);
		local_reply_send(x, 508, REASON_LOOP, "the request came back to where it had been");
		return;
	}
	own_stream_begin(x);
	attempt_begin(x);
}

static struct pool *pool_of(
	const struct exchange_context *context, const struct listener_settings *listener)
{
	return listener->pool != LISTENER_NO_POOL ? &context->upstream->pools[listener->pool]
						  : NULL;
}

static void init_request(struct exchange *x, const struct exchange_start *start)
{
	x->request.content = 0;
	x->request.rate_since_us = 0;
	x->request.rate_content = 0;
	x->request.loop_token = loop_token_of(x->context, start->listener);
	replay_init(&x->request.replay);
	x->request.done = body_is_empty(x->request.head->body);
	x->request.more = start->more && !x->request.done;
}

static void init(struct exchange *x, const struct exchange_start *start)
{
	const struct exchange_context *context = x->context;

	x->downstream = start->downstream;
	x->private_streams = start->private_streams;
	x->attempt = (struct attempt){ .stream = NULL };
	x->response = (struct response_state){ .phase = RESPONSE_HEAD };
	x->record.client = start->client_name;
	x->record.start_us = start->start_us;
	x->record.line = x->request.head->line;
	x->record.id = request_head_id(x, start->trusted);
	x->record.status = 0;
	x->record.backend = escape_known(slice_of(NULL, 0));
	x->record.sought_us = 0;
	x->record.connected_us = 0;
	x->record.answered_us = 0;
	x->record.tries = 0;
	init_request(x, start);
	select_init(&x->selection, pool_of(context, &context->settings->listeners[start->listener]),
		x->request.head, start->client_ip, start->trusted);
}

int exchange_begin(struct exchange *x, const struct exchange_start *start)
{
	bool routed = x->context->routes[start->listener] != NULL;

	if (request_head_copy(x, start->request, start->head) == -1)
		return -1;
	init(x, start);
	if (!answer_here(x) && (!routed || find_route(x, start->listener)))
		go_on(x, start->listener);
	return 0;
}
