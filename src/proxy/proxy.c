/* Sets up one worker's proxy and takes it down; the work is done by clients and exchanges. */
#include "config.h"

#include "proxy/proxy.h"

#include "base/fd.h"
#include "base/log.h"
#include "base/memory.h"
#include "downstream/clients.h"
#include "downstream/http1_downstream.h"
#include "exchange/exchange_setup.h"
#include "overload.h"
#include "upstream/http1_upstream.h"
#include "upstream/pool_setup.h"

struct proxy {
	struct upstream_context upstream;
	struct exchange_context exchange;
	struct downstream_context downstream;
	struct heap_trim trim;
	struct overload overload;
	size_t most_clients;
	/* scratch, for the callback that is running: upstream and downstream share head_out, for no
	 * head waits in it when another one is written */
	char head_out[HEAD_OUT_SIZE];
	char scratch[HEAD_OUT_SIZE];
};

static struct head_limits head_limits(const struct settings *settings, unsigned count)
{
	return (struct head_limits){ .size = settings->limits.header_size, .count = count };
}

static void init_upstream(struct proxy *p, const struct proxy_start *start)
{
	struct upstream_context *u = &p->upstream;

	u->loop = start->loop;
	u->settings = start->settings;
	u->rows = start->rows;
	u->column = start->column;
	u->workers = start->workers;
	u->trim = &p->trim;
	u->ops = &http1_upstream_ops;
	/* The number of fields is limited for what strangers send: a response has as many as its
	 * application needs, and its bytes are limited. */
	u->limits = head_limits(start->settings, FIELDS_MAX);
	u->head_out = p->head_out;
	u->rng = start->rng;
}

static void init_exchange(struct proxy *p, const struct proxy_start *start)
{
	struct exchange_context *x = &p->exchange;

	x->loop = start->loop;
	x->settings = start->settings;
	x->upstream = &p->upstream;
	x->trim = &p->trim;
	x->place = start->place;
	x->scratch = p->scratch;
}

static void init_downstream(struct proxy *p, const struct proxy_start *start)
{
	struct downstream_context *d = &p->downstream;

	d->loop = start->loop;
	d->settings = start->settings;
	d->exchange = &p->exchange;
	d->trim = &p->trim;
	d->place = start->place;
	d->limits = head_limits(start->settings, (unsigned)start->settings->limits.header_count);
	d->head_out = p->head_out;
	d->left = start->left;
	d->left_context = start->context;
}

/* What cannot fail. */
static void init(struct proxy *p, const struct proxy_start *start)
{
	p->most_clients = start->most_clients;
	heap_trim_init(&p->trim, start->loop);
	init_upstream(p, start);
	init_exchange(p, start);
	init_downstream(p, start);
	http1_upstream_init(&p->upstream);
	http1_downstream_init(&p->downstream);
	overload_init(&p->overload, &p->downstream);
}

static void fini(struct proxy *p)
{
	pool_setup_fini(&p->upstream);
	overload_fini(&p->overload);
	http1_upstream_fini(&p->upstream);
	http1_downstream_fini(&p->downstream);
	heap_trim_fini(&p->trim);
	mem_free(p);
}

struct proxy *proxy_new(const struct proxy_start *start)
{
	struct proxy *p = mem_zalloc(1, sizeof *p);

	if (p == NULL)
		return NULL;
	init(p, start);
	if (pool_setup_init(&p->upstream) == 0 &&
		exchange_setup_init(&p->exchange, start->access_log) == 0)
		return p;
	fini(p);
	return NULL;
}

void proxy_free(struct proxy *p)
{
	clients_close_all(&p->downstream);
	http1_upstream_close_idle(&p->upstream);
	loop_free_deferred(p->downstream.loop);
	exchange_setup_fini(&p->exchange);
	fini(p);
}

void proxy_accept(struct proxy *p, int fd, const struct address *peer, uint32_t listener)
{
	if (http1_downstream_open(&p->downstream, fd, peer, listener) == -1) {
		log_warnx("no memory for a client");
		fd_close(&fd);
	}
}

size_t proxy_client_count(const struct proxy *p)
{
	return p->downstream.client_count;
}

bool proxy_is_full(const struct proxy *p)
{
	return p->downstream.client_count >= p->most_clients;
}

size_t proxy_most_clients(const struct proxy *p)
{
	return p->most_clients;
}

size_t proxy_busy_count(const struct proxy *p)
{
	return clients_count_busy(&p->downstream);
}

void proxy_close_after_response(struct proxy *p)
{
	p->downstream.close_after_response = true;
}

void proxy_drain(struct proxy *p)
{
	proxy_close_after_response(p);
	p->upstream.draining = true;
	http1_upstream_close_idle(&p->upstream);
}

size_t proxy_dismiss_idle(struct proxy *p, size_t most)
{
	return clients_dismiss_idle(&p->downstream, most);
}

bool proxy_make_room(struct proxy *p)
{
	return clients_make_room(&p->downstream);
}

bool proxy_spare_descriptor(struct proxy *p)
{
	return p->upstream.ops->make_room(&p->upstream) || clients_make_room(&p->downstream);
}

void proxy_take_access_log(struct proxy *p, int fd)
{
	access_log_take(&p->exchange.log, fd);
}
