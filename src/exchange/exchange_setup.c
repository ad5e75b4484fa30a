/* Sets up and takes down; the work is done by exchanges. */
#include "config.h"

#include "exchange/exchange_setup.h"

#include "attempt.h"
#include "base/memory.h"
#include "free_list.h"
#include "loop_token.h"
#include "redispatch.h"
#include "route_table.h"
#include "stall.h"
#include "tunnel.h"
#include "upstream_events.h"

/* How often free exchanges are looked at: what was of no use for so long is freed. */
#define FREE_MS 1000

/* How often requests that wait are looked at, if the state of a backend has changed. */
#define REDISPATCH_MS 500

static void init_deadlines(struct exchange_context *c)
{
	const struct timeout_settings *t = &c->settings->timeouts;

	deadline_queue_init(&c->wait_connect, c->loop, t->connect, attempt_connect_expired);
	deadline_queue_init(&c->wait_bytes, c->loop, t->response, stall_expired);
	deadline_queue_init(&c->wait_tunnel, c->loop, t->tunnel, tunnel_expired);
	deadline_queue_init(&c->wait_free, c->loop, FREE_MS, free_list_look);
	deadline_queue_init(&c->wait_redispatch, c->loop, REDISPATCH_MS, redispatch_look);
	deadline_init(&c->free_look);
	deadline_init(&c->redispatch);
}

static void fini_deadlines(struct exchange_context *c)
{
	deadline_stop(&c->free_look);
	deadline_stop(&c->redispatch);
	deadline_queue_fini(&c->wait_connect);
	deadline_queue_fini(&c->wait_bytes);
	deadline_queue_fini(&c->wait_tunnel);
	deadline_queue_fini(&c->wait_free);
	deadline_queue_fini(&c->wait_redispatch);
}

static int init_routes(struct exchange_context *c)
{
	c->routes = mem_zalloc(c->settings->listener_count, sizeof *c->routes);
	if (c->routes == NULL)
		return -1;
	for (size_t i = 0; i < c->settings->listener_count; i++) {
		const struct listener_settings *l = &c->settings->listeners[i];

		if (l->route_count == 0)
			continue;
		c->routes[i] = route_table_new(l->routes, l->route_count);
		if (c->routes[i] == NULL)
			return -1;
	}
	return 0;
}

static void free_routes(struct exchange_context *c)
{
	for (size_t i = 0; c->routes != NULL && i < c->settings->listener_count; i++)
		route_table_free(c->routes[i]);
	mem_free(c->routes);
}

int exchange_setup_init(struct exchange_context *c, int access_log)
{
	list_init(&c->free);
	init_deadlines(c);
	c->upstream->stream_events = &exchange_upstream_events;
	c->upstream->selection_events = &attempt_selection_events;
	if (init_routes(c) == 0 && loop_token_init(c) == 0 &&
		access_log_init(&c->log, c->loop, access_log) == 0)
		return 0;
	fini_deadlines(c);
	free_routes(c);
	loop_token_fini(c);
	return -1;
}

void exchange_setup_fini(struct exchange_context *c)
{
	free_list_fini(c);
	access_log_fini(&c->log);
	fini_deadlines(c);
	free_routes(c);
	loop_token_fini(c);
}
