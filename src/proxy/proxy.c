/* Sets up one worker's proxy and takes it down; the work is done by clients and exchanges. */
#include "config.h"

#include "proxy/proxy.h"

#include "base/fd.h"
#include "base/log.h"
#include "base/memory.h"
#include "client.h"
#include "context.h"
#include "exchange.h"
#include "http1_upstream.h"
#include "redispatch.h"
#include "route.h"
#include "tidy.h"
#include "upstream/pool.h"

/* A client that lingers and says nothing has this long to close. */
#define LINGER_MS 5000

/* One that was sent away between two requests has this long: a request may have crossed that. */
#define PART_MS 1000

/* If the answer to the first request of a connection takes longer than this, it is watched whether
 * the client leaves meanwhile. */
#define WATCH_MS 100

/* What was of no use for so long is given back. */
#define TIDY_MS 1000

/* How often requests that wait are looked at, where the state of a backend has changed. */
#define REDISPATCH_MS 500

/* A client that was idle for less may just have sent its next request. */
#define IDLE_AT_LEAST_US UINT64_C(1000000)

/* A head that takes longer than this gives way where there is no room. */
#define SLOW_HEAD_US UINT64_C(1000000)

static void init_deadlines(struct proxy *p)
{
	const struct timeout_settings *t = &p->settings->timeouts;

	deadline_queue_init(&p->wait_head, p->loop, t->request_header, client_head_expired);
	deadline_queue_init(&p->wait_request, p->loop, t->idle_client, client_idle_expired);
	deadline_queue_init(&p->wait_watch, p->loop, WATCH_MS, client_watch_expired);
	deadline_queue_init(&p->wait_flush, p->loop, t->response, client_flush_expired);
	deadline_queue_init(&p->wait_close, p->loop, LINGER_MS, client_linger_expired);
	deadline_queue_init(&p->wait_part, p->loop, PART_MS, client_linger_expired);
	deadline_queue_init(&p->wait_connect, p->loop, t->connect, exchange_connect_expired);
	deadline_queue_init(&p->wait_bytes, p->loop, t->response, exchange_bytes_expired);
	deadline_queue_init(&p->wait_tunnel, p->loop, t->tunnel, exchange_tunnel_expired);
	deadline_queue_init(
		&p->upstream.wait_reuse, p->loop, t->idle_backend, http1_upstream_expired);
	deadline_queue_init(&p->wait_tidy, p->loop, TIDY_MS, tidy_look);
	deadline_queue_init(&p->wait_redispatch, p->loop, REDISPATCH_MS, redispatch_look);
}

static void fini_deadlines(struct proxy *p)
{
	heap_trim_fini(&p->trim);
	deadline_queue_fini(&p->wait_head);
	deadline_queue_fini(&p->wait_request);
	deadline_queue_fini(&p->wait_watch);
	deadline_queue_fini(&p->wait_flush);
	deadline_queue_fini(&p->wait_close);
	deadline_queue_fini(&p->wait_part);
	deadline_queue_fini(&p->wait_connect);
	deadline_queue_fini(&p->wait_bytes);
	deadline_queue_fini(&p->wait_tunnel);
	deadline_queue_fini(&p->upstream.wait_reuse);
	deadline_stop(&p->tidy);
	deadline_queue_fini(&p->wait_tidy);
	deadline_stop(&p->redispatch);
	deadline_queue_fini(&p->wait_redispatch);
}

static void init(struct proxy *p, const struct proxy_start *start)
{
	p->loop = start->loop;
	p->settings = start->settings;
	p->place = start->place;
	p->upstream = (struct upstream_context){ .loop = start->loop,
		.settings = start->settings,
		.rows = start->rows,
		.column = start->column,
		.workers = start->workers,
		.trim = &p->trim,
		.events = &exchange_selection_events,
		.rng = start->rng };
	p->most_clients = start->most_clients;
	p->left = start->left;
	p->context = start->context;
	p->limits.size = start->settings->limits.header_size;
	p->limits.count = (unsigned)start->settings->limits.header_count;
	p->loop->buffered_most = start->settings->limits.buffers;
	list_init(&p->busy);
	list_init(&p->spare);
	cells_init(&p->client_cells, sizeof(struct client));
	cells_init(&p->upstream.connections, sizeof(struct http1_upstream));
	deadline_init(&p->tidy);
	deadline_init(&p->redispatch);
	heap_trim_init(&p->trim, p->loop);
	init_deadlines(p);
}

static int init_pools(struct proxy *p)
{
	p->upstream.pools = mem_zalloc(p->settings->pool_count, sizeof *p->upstream.pools);
	if (p->upstream.pools == NULL)
		return -1;
	for (size_t i = 0; i < p->settings->pool_count; i++)
		if (pool_init(&p->upstream.pools[i], &p->upstream, &p->settings->pools[i]) == -1)
			return -1;
	return 0;
}

static void free_pools(struct proxy *p)
{
	if (p->upstream.pools == NULL)
		return;
	for (size_t i = 0; i < p->settings->pool_count; i++)
		pool_fini(&p->upstream.pools[i]);
	mem_free(p->upstream.pools);
}

static int init_routes(struct proxy *p)
{
	p->routes = mem_zalloc(p->settings->listener_count, sizeof *p->routes);
	if (p->routes == NULL)
		return -1;
	for (size_t i = 0; i < p->settings->listener_count; i++) {
		const struct listener_settings *l = &p->settings->listeners[i];

		if (l->route_count == 0)
			continue;
		p->routes[i] = routes_new(l->routes, l->route_count);
		if (p->routes[i] == NULL)
			return -1;
	}
	return 0;
}

static void free_routes(struct proxy *p)
{
	for (size_t i = 0; p->routes != NULL && i < p->settings->listener_count; i++)
		routes_free(p->routes[i]);
	mem_free(p->routes);
}

struct proxy *proxy_new(const struct proxy_start *start)
{
	struct proxy *p = mem_zalloc(1, sizeof *p);

	if (p == NULL)
		return NULL;
	init(p, start);
	if (queue_make_tick(&p->upstream) == 0 && init_pools(p) == 0 && init_routes(p) == 0 &&
		access_log_init(&p->log, p->loop, start->access_log) == 0)
		return p;
	fini_deadlines(p);
	free_routes(p);
	free_pools(p);
	mem_free(p);
	return NULL;
}

static void close_all(struct list *clients)
{
	while (!list_is_empty(clients)) {
		struct client *c = LIST_ITEM(clients->next, struct client, deadline.link);

		if (c->exchange != NULL)
			exchange_end(c->exchange, REASON_STOPPED, false, AFTERWARDS_RESET);
		else
			client_close(c);
	}
}

static void close_clients(struct proxy *p)
{
	close_all(&p->busy);
	close_all(&p->wait_head.waiting);
	close_all(&p->wait_request.waiting);
	close_all(&p->wait_watch.waiting);
	close_all(&p->wait_flush.waiting);
	close_all(&p->wait_close.waiting);
	close_all(&p->wait_part.waiting);
}

void proxy_free(struct proxy *p)
{
	close_clients(p);
	for (size_t i = 0; i < p->settings->pool_count; i++)
		http1_upstream_close_idle(&p->upstream.pools[i]);
	(void)exchange_free_spare(p, SIZE_MAX);
	queue_stop_ticks(&p->upstream);
	loop_free_deferred(p->loop);
	cells_fini(&p->client_cells);
	cells_fini(&p->upstream.connections);
	access_log_fini(&p->log);
	fini_deadlines(p);
	free_routes(p);
	free_pools(p);
	mem_free(p);
}

void proxy_accept(struct proxy *p, int fd, const struct address *peer, uint32_t listener)
{
	if (client_open(p, fd, peer, listener) == -1) {
		log_warnx("no memory for a client");
		fd_close(&fd);
	}
}

size_t proxy_client_count(const struct proxy *p)
{
	return p->client_count;
}

bool proxy_is_full(const struct proxy *p)
{
	return p->client_count >= p->most_clients;
}

size_t proxy_most_clients(const struct proxy *p)
{
	return p->most_clients;
}

static size_t count(const struct list *clients)
{
	size_t n = 0;

	for (const struct list *l = clients->next; l != clients; l = l->next)
		n++;
	return n;
}

size_t proxy_busy_count(const struct proxy *p)
{
	return count(&p->busy) + count(&p->wait_watch.waiting) + count(&p->wait_head.waiting) +
	       count(&p->wait_flush.waiting);
}

void proxy_part(struct proxy *p)
{
	p->close_after_response = true;
}

void proxy_drain(struct proxy *p)
{
	proxy_part(p);
	p->upstream.draining = true;
	for (size_t i = 0; i < p->settings->pool_count; i++)
		http1_upstream_close_idle(&p->upstream.pools[i]);
}

static bool is_long_idle(const struct client *c)
{
	return c->proxy->loop->now_us - c->since_us >= IDLE_AT_LEAST_US;
}

size_t proxy_dismiss_idle(struct proxy *p, size_t most)
{
	size_t dismissed = 0;
	const struct list *idle = &p->wait_request.waiting;
	struct list *next;

	for (struct list *l = idle->next; l != idle && dismissed < most; l = next) {
		struct client *c = LIST_ITEM(l, struct client, deadline.link);

		next = l->next;
		if (!is_long_idle(c))
			break;
		dismissed += client_dismiss(c);
	}
	return dismissed;
}

static bool close_idle(struct proxy *p)
{
	struct deadline *first = deadline_first(&p->wait_request);
	struct client *c = first != NULL ? LIST_ITEM(first, struct client, deadline) : NULL;

	if (c == NULL || !is_long_idle(c))
		return false;
	client_close(c);
	return true;
}

bool proxy_spare_descriptor(struct proxy *p)
{
	return http1_upstream_make_room(&p->upstream) || proxy_make_room(p);
}

/* The client whose head has been on its way for the longest. */
static struct client *slowest_head(const struct proxy *p)
{
	struct deadline *first = deadline_first(&p->wait_head);
	struct client *c = first != NULL ? LIST_ITEM(first, struct client, deadline) : NULL;

	return c != NULL && p->loop->now_us - c->since_us >= SLOW_HEAD_US ? c : NULL;
}

bool proxy_make_room(struct proxy *p)
{
	struct client *lingering = client_first_lingering(p);
	struct client *slow;

	if (close_idle(p))
		return true;
	if (lingering != NULL) {
		client_close(lingering);
		return true;
	}
	slow = slowest_head(p);
	if (slow != NULL)
		client_give_way(slow);
	return slow != NULL;
}

void proxy_flush_access_log(struct proxy *p)
{
	access_log_flush(&p->log);
}

void proxy_take_access_log(struct proxy *p, int fd)
{
	access_log_take(&p->log, fd);
}
