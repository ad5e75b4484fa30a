/* Sets up what a worker keeps about pools and their backends. */
#include "config.h"

#include "upstream/pool_setup.h"

#include <assert.h>

#include "base/memory.h"
#include "upstream/affinity.h"
#include "upstream/availability.h"
#include "upstream/capacity.h"
#include "upstream/load.h"
#include "upstream/queue.h"

static const struct picker_kind *kind_of(enum balance balance)
{
	static const struct picker_kind *const kinds[] = {
		[BALANCE_RANDOM] = &picker_random,
		[BALANCE_TWO_CHOICES] = &picker_two_choices,
		[BALANCE_ROUND_ROBIN] = &picker_round_robin,
		[BALANCE_LEAST_REQUESTS] = &picker_least_requests,
		[BALANCE_LATENCY] = &picker_latency,
		[BALANCE_HASH] = &picker_hash,
		[BALANCE_STICKY] = &picker_two_choices, /* for requests without a session */
	};

	return kinds[balance];
}

/* The name of a backend in the table of `hash` is made of its URL: the order of the settings makes
 * no difference. The name needs no secret: hash_key hides where in the table a client's value
 * stands. */
static uint64_t id_of(const struct backend_settings *backend)
{
	static const uint8_t no_secret[SIPHASH_KEY_SIZE];

	return siphash_64(no_secret, slice_of_string(backend->url_text));
}

static int make_picker(struct pool *pool)
{
	size_t count = pool->settings->backend_count;
	unsigned *weights = mem_zalloc(count, sizeof *weights);
	uint64_t *ids = mem_zalloc(count, sizeof *ids);
	const struct picker_members members = { .weights = weights, .ids = ids, .count = count };

	if (weights != NULL && ids != NULL) {
		for (size_t i = 0; i < count; i++) {
			weights[i] = (unsigned)pool->settings->backends[i].weight;
			ids[i] = id_of(&pool->settings->backends[i]);
		}
		pool->picker = pool->kind->create(&members);
	}
	mem_free(weights);
	mem_free(ids);
	return pool->picker != NULL ? 0 : -1;
}

/* What pickers see. A picker that looks at nothing costs nothing. */
static void init_view(struct pool *pool)
{
	static struct rows_pool nowhere;
	const struct upstream_context *upstream = pool->upstream;
	bool has_row = upstream->rows != NULL && pool->settings->row != ROWS_NONE;

	pool->cells = has_row ? rows_pool(upstream->rows, pool->settings->row, upstream->column)
			      : &nowhere;
	/* Without these bits pickers would take every backend for usable. */
	assert(pool->availability.health.usable != NULL);
	pool->view.context = pool;
	pool->view.usable = pool->availability.health.usable;
	if (pool->kind != &picker_random && pool->kind != &picker_round_robin)
		pool->view.load = load_of;
	if (pool->kind == &picker_hash)
		pool->view.in_flight = load_in_flight;
}

/* Nearly all URLs are logged as they are; the path of a unix socket may have any byte in it. */
static int make_log_name(struct backend *backend)
{
	size_t most = ESCAPE_LONGEST * backend->url.len;
	struct text name = text_over(mem_alloc(most), most);

	if (name.data == NULL)
		return -1;
	backend->log_name = escape_field(&name, backend->url);
	if (name.len > backend->url.len)
		return 0;
	mem_free(name.data);
	backend->log_name = escape_known(backend->url);
	return 0;
}

static void free_log_name(struct backend *backend)
{
	if (backend->log_name.text.data != backend->url.data)
		mem_free((char *)(uintptr_t)backend->log_name.text.data);
}

static int init_backend(
	struct backend *backend, struct pool *pool, const struct backend_settings *settings)
{
	const struct upstream_context *upstream = pool->upstream;

	backend->pool = pool;
	backend->ops = upstream->ops;
	backend->row = settings->row;
	load_init(&backend->load, upstream->rows, settings->row, upstream->column);
	backend->addresses = settings->addresses;
	backend->url = slice_of_string(settings->url_text);
	backend->authority = slice_of_string(settings->url.authority);
	backend->path = slice_of_string(settings->url.path);
	pool->has_path |= !slice_is_empty(backend->path);
	list_init(&backend->idle);
	return make_log_name(backend);
}

int pool_setup_init_one(
	struct pool *pool, struct upstream_context *upstream, const struct pool_settings *settings)
{
	pool->upstream = upstream;
	pool->settings = settings;
	pool->kind = kind_of(settings->balance);
	queue_init(&pool->queue);
	pool->backends = mem_zalloc(settings->backend_count, sizeof *pool->backends);
	if (pool->backends == NULL || make_picker(pool) == -1 || availability_init(pool) == -1)
		return -1;
	for (size_t i = 0; i < settings->backend_count; i++)
		if (init_backend(&pool->backends[i], pool, &settings->backends[i]) == -1)
			return -1;
	init_view(pool);
	capacity_init(pool);
	availability_renew(pool, upstream->loop->now_us);
	return affinity_init(pool);
}

void pool_setup_fini_one(struct pool *pool)
{
	if (pool->kind != NULL)
		pool->kind->destroy(pool->picker);
	availability_fini(pool);
	affinity_fini(pool);
	for (size_t i = 0; pool->backends != NULL && i < pool->settings->backend_count; i++)
		free_log_name(&pool->backends[i]);
	mem_free(pool->backends);
}

int pool_setup_init(struct upstream_context *upstream)
{
	const struct settings *settings = upstream->settings;

	if (queue_make_tick(upstream) == -1)
		return -1;
	upstream->pools = mem_zalloc(settings->pool_count, sizeof *upstream->pools);
	if (upstream->pools == NULL)
		return -1;
	for (size_t i = 0; i < settings->pool_count; i++)
		if (pool_setup_init_one(&upstream->pools[i], upstream, &settings->pools[i]) == -1)
			return -1;
	return 0;
}

void pool_setup_fini(struct upstream_context *upstream)
{
	queue_stop_ticks(upstream);
	for (size_t i = 0; upstream->pools != NULL && i < upstream->settings->pool_count; i++) {
		struct pool *pool = &upstream->pools[i];

		assert(pool->kind == NULL || queue_is_empty(&pool->queue));
		pool_setup_fini_one(pool);
	}
	mem_free(upstream->pools);
}
