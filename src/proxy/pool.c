/* Sets up what a worker keeps about each backend. Nothing here is shared with other workers. */
#include "config.h"

#include "pool.h"

#include "affinity.h"
#include "base/log.h"
#include "base/memory.h"
#include "context.h"

#define COMPLAIN_EVERY_US UINT64_C(1000000)

static const struct picker_kind *kind_of(enum balance balance)
{
	static const struct picker_kind *const kinds[] = {
		[BALANCE_RANDOM] = &picker_random,
		[BALANCE_TWO_CHOICES] = &picker_two_choices,
		[BALANCE_ROUND_ROBIN] = &picker_round_robin,
		[BALANCE_LEAST_REQUESTS] = &picker_least_requests,
		[BALANCE_LATENCY] = &picker_latency,
		[BALANCE_HASH] = &picker_hash,
		[BALANCE_STICKY] = &picker_two_choices, /* for who has no session */
	};

	return kinds[balance];
}

static void backend_init(
	struct backend *backend, const struct proxy *proxy, const struct backend_settings *settings)
{
	backend->row = settings->row;
	load_init(&backend->load, proxy->rows, settings->row, proxy->column);
	backend->addresses = settings->addresses;
	backend->url = slice_of_string(settings->url_text);
	backend->authority = slice_of_string(settings->url.authority);
	backend->path = slice_of_string(settings->url.path);
	list_init(&backend->idle);
}

/* What a backend is called in the table of `hash`: by its URL, so that the order of the settings
 * makes no difference. */
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

/* What pickers see. One that looks at nothing costs nothing. */
static void init_view(struct pool *pool)
{
	static struct rows_pool nowhere;
	const struct proxy *proxy = pool->proxy;
	bool has_row = proxy->rows != NULL && pool->settings->row != ROWS_NONE;

	pool->cells =
		has_row ? rows_pool(proxy->rows, pool->settings->row, proxy->column) : &nowhere;
	pool->view.context = pool;
	pool->view.usable = pool->availability.health.usable;
	if (pool->kind != &picker_random && pool->kind != &picker_round_robin)
		pool->view.load = load_of;
	if (pool->kind == &picker_hash)
		pool->view.in_flight = load_in_flight;
}

int pool_init(struct pool *pool, struct proxy *proxy, const struct pool_settings *settings)
{
	pool->proxy = proxy;
	pool->settings = settings;
	pool->kind = kind_of(settings->balance);
	list_init(&pool->queue.waiting);
	list_init(&pool->queue.bound);
	pool->backends = mem_zalloc(settings->backend_count, sizeof *pool->backends);
	if (pool->backends == NULL || make_picker(pool) == -1 || availability_init(pool) == -1)
		return -1;
	for (size_t i = 0; i < settings->backend_count; i++)
		backend_init(&pool->backends[i], proxy, &settings->backends[i]);
	init_view(pool);
	capacity_init(pool);
	availability_renew(pool, proxy->loop->now_us);
	return affinity_init(pool);
}

void pool_fini(struct pool *pool)
{
	if (pool->kind != NULL)
		pool->kind->destroy(pool->picker);
	availability_fini(pool);
	affinity_fini(pool);
	mem_free(pool->backends);
}

void backend_complain(struct backend *backend, uint64_t now_us, const char *what, const char *why)
{
	if (backend->complained_us != 0 && now_us - backend->complained_us < COMPLAIN_EVERY_US)
		return;
	backend->complained_us = now_us;
	log_warnx("%.*s: %s: %s", SLICE_ARGS(backend->url), what, why);
}

int backend_address_count(const struct backend *backend)
{
	return (int)addresses_count(backend->addresses);
}
