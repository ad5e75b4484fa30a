/*
 * A backend each of whose addresses counts becomes a fixed number of backends, most of them without
 * an address at any time: so addresses come and go, and the settings stay as they are.
 */
#include "config.h"

#include "expand.h"

#include <assert.h>

#include "base/memory.h"

static bool is_expanded(const struct backend_settings *backend)
{
	struct address ignored;

	return backend->spread == SPREAD_EACH && url_address(&backend->url, &ignored) == -1;
}

static int expand_pool(struct pool_settings *pool)
{
	size_t count = 0, n = 0;
	struct backend_settings *all;

	for (size_t i = 0; i < pool->backend_count; i++)
		count += is_expanded(&pool->backends[i]) ? BACKEND_EACH_MAX : 1;
	if (count == pool->backend_count)
		return 0;
	all = mem_zalloc(count, sizeof *all);
	if (all == NULL)
		return -1;
	for (size_t i = 0; i < pool->backend_count; i++) {
		unsigned copies = is_expanded(&pool->backends[i]) ? BACKEND_EACH_MAX : 1;

		/* What they own is the first one's. */
		for (unsigned k = 0; k < copies; k++) {
			all[n] = pool->backends[i];
			all[n++].ordinal = k;
		}
	}
	assert(n == count);
	mem_free(pool->backends);
	pool->backends = all;
	pool->backend_count = count;
	return 0;
}

int expand_backends(struct settings *settings)
{
	for (size_t i = 0; i < settings->pool_count; i++)
		if (expand_pool(&settings->pools[i]) == -1)
			return -1;
	return 0;
}
