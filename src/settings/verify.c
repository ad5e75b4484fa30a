/* Costs n log n: ten thousand backends are not compared pair by pair. */
#include "config.h"

#include "verify.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "check_option.h"
#include "verify_entries.h"
#include "verify_routes.h"

static void verify_backends(const struct pool_settings *pool, struct settings_errors *errors)
{
	struct verify_entry *entries = mem_zalloc(pool->backend_count, sizeof *entries);
	long total = 0;
	size_t count = 0;

	if (entries == NULL) {
		verify_entries_no_memory(errors);
		return;
	}
	for (size_t i = 0; i < pool->backend_count; i++) {
		const struct backend_settings *backend = &pool->backends[i];

		total += backend->weight;
		if (backend->url_text != NULL)
			entries[count++] = (struct verify_entry){ backend->url_text,
				backend->url_text, &backend->place, i };
	}
	verify_entries_find_duplicates(entries, count, "backend", errors, false);
	mem_free(entries);
	if (total == 0)
		report_warning(errors, &pool->place,
			"every backend of this pool has weight 0: its requests will be answered "
			"with 503; give one a weight of 1 or more");
}

static void verify_check(struct pool_settings *pool, struct settings_errors *errors)
{
	struct check_settings *check = &pool->check;

	/* Memory was short, and that has been reported. */
	if (check->status == NULL || check->path == NULL)
		return;
	/* Its form was looked at when it was read. */
	if (check_option_parse_status(check->status, &check->status_least, &check->status_most) ==
		-1)
		verify_entries_no_memory(errors);
	if (check->type != CHECK_HTTP &&
		(check->host != NULL || check->body != NULL || strcmp(check->path, "/") != 0))
		report_warning(errors, &pool->place,
			"check.path, check.host and check.body are of no use without check.type = "
			"\"http\"");
	else if (check->method == CHECK_HEAD && check->body != NULL)
		report_error(errors, &pool->place,
			"check.body cannot be found with check.method = \"HEAD\": its answers have "
			"no "
			"body");
}

static void verify_eject(const struct pool_settings *pool, struct settings_errors *errors)
{
	if (pool->eject.time_max < pool->eject.time)
		report_error(
			errors, &pool->place, "eject.time_max must not be shorter than eject.time");
}

/* Set for nothing: probably `balance` was forgotten. */
static void warn_of_idle(const struct pool_settings *pool, struct settings_errors *errors)
{
	if (pool->balance != BALANCE_HASH && pool->hash_on != NULL &&
		strcmp(pool->hash_on, "client") != 0)
		report_warning(
			errors, &pool->place, "hash_on has no effect without balance = \"hash\"");
	if (pool->balance != BALANCE_HASH && pool->hash_key != NULL)
		report_warning(
			errors, &pool->place, "hash_key has no effect without balance = \"hash\"");
	if (pool->balance != BALANCE_STICKY && pool->sticky.key != NULL)
		report_warning(
			errors, &pool->place, "sticky has no effect without balance = \"sticky\"");
}

/* A browser has one cookie of a name for all of a site: two pools that set it take it from each
 * other. They may be two sites, though. */
static void warn_of_shared_cookies(const struct settings *settings, struct settings_errors *errors)
{
	struct verify_entry *entries = mem_zalloc(settings->pool_count, sizeof *entries);
	size_t count = 0;

	if (entries == NULL) {
		verify_entries_no_memory(errors);
		return;
	}
	for (size_t i = 0; i < settings->pool_count; i++) {
		const struct pool_settings *pool = &settings->pools[i];

		if (pool->balance == BALANCE_STICKY && pool->sticky.cookie != NULL)
			entries[count++] = (struct verify_entry){ pool->sticky.cookie, pool->name,
				&pool->place, i };
	}
	if (count > 1)
		qsort(entries, count, sizeof *entries, verify_entries_compare);
	for (size_t i = 1; i < count; i++)
		if (strcmp(entries[i - 1].key, entries[i].key) == 0)
			report_warning(errors, entries[i].place,
				"the pools \"%s\" and \"%s\" set the same cookie: where a browser "
				"comes to both, set sticky.cookie to a name of its own",
				entries[i - 1].shown, entries[i].shown);
	mem_free(entries);
}

static void verify_pools(struct settings *settings, struct settings_errors *errors)
{
	for (size_t i = 0; i < settings->pool_count; i++) {
		struct pool_settings *pool = &settings->pools[i];

		if (pool->host == HOST_INHERIT)
			pool->host = settings->host;
		if (pool->via == VIA_INHERIT)
			pool->via = settings->via;
		verify_check(pool, errors);
		verify_eject(pool, errors);
		if (pool->backend_count > 0)
			verify_backends(pool, errors);
		warn_of_idle(pool, errors);
	}
}

static void verify_addresses(const struct settings *settings, struct settings_errors *errors)
{
	size_t count = 0;
	struct verify_entry *entries = mem_zalloc(settings->listener_count, sizeof *entries);
	char(*texts)[ADDRESS_TEXT_SIZE] = mem_zalloc(settings->listener_count, sizeof *texts);

	if (entries == NULL || texts == NULL) {
		verify_entries_no_memory(errors);
		goto out;
	}
	for (size_t i = 0; i < settings->listener_count; i++) {
		const struct listener_settings *listener = &settings->listeners[i];
		const struct address *a = &listener->address;

		/* Of port 0 there can be any number: the kernel chooses another each time. */
		if (a->len == 0 || (!address_is_unix(a) && address_port(a) == 0))
			continue;
		entries[count++] = (struct verify_entry){ address_format(a, texts[i]),
			listener->address_text, &listener->place, i };
	}
	verify_entries_find_duplicates(entries, count, "the listener", errors, true);
out:
	mem_free(entries);
	mem_free(texts);
}

/* One without a pool has the only one there is; with routes it needs none. */
static void link_listener(const struct settings *settings, struct listener_settings *listener,
	const struct pool_names *pools, struct settings_errors *errors)
{
	if (listener->pool_name != NULL) {
		verify_entries_find_pool(pools, "listeners.pool", listener->pool_name,
			&listener->place, &listener->pool, errors);
	} else if (listener->route_count > 0) {
		listener->pool = LISTENER_NO_POOL;
	} else if (settings->pool_count == 1) {
		if (settings->pools[0].name == NULL)
			return; /* has been reported */
		listener->pool_name = mem_strdup(settings->pools[0].name);
		listener->pool = 0;
		if (listener->pool_name == NULL)
			verify_entries_no_memory(errors);
	} else if (settings->pool_count > 1 && listener->address.len > 0) {
		/* Without an address the whole item was odd, and that has been reported. */
		report_error(errors, &listener->place,
			"with more than one pool a listener has to name its own: pool = \"...\"");
	}
}

static void mark_used(const struct listener_settings *listener, bool *used)
{
	if (listener->pool != LISTENER_NO_POOL)
		used[listener->pool] = true;
	for (size_t i = 0; i < listener->route_count; i++)
		if (listener->routes[i].pool_name != NULL)
			used[listener->routes[i].pool] = true;
}

static void warn_of_unused(const struct settings *settings, struct settings_errors *errors)
{
	bool *used = mem_zalloc(settings->pool_count, sizeof *used);

	if (used == NULL) {
		verify_entries_no_memory(errors);
		return;
	}
	for (size_t i = 0; i < settings->listener_count; i++)
		mark_used(&settings->listeners[i], used);
	for (size_t i = 0; i < settings->pool_count; i++)
		if (!used[i])
			report_warning(errors, &settings->pools[i].place,
				"no listener uses the pool \"%s\"", settings->pools[i].name);
	mem_free(used);
}

static void verify_listeners(
	struct settings *settings, const struct pool_names *pools, struct settings_errors *errors)
{
	if (settings->listener_count > 0)
		verify_addresses(settings, errors);
	for (size_t i = 0; i < settings->listener_count; i++) {
		link_listener(settings, &settings->listeners[i], pools, errors);
		verify_routes(&settings->listeners[i], pools, errors);
	}
}

void verify_settings(struct settings *settings, struct settings_errors *errors)
{
	struct pool_names pools = { .count = 0 };

	pools.entries = mem_zalloc(settings->pool_count + 1, sizeof *pools.entries);
	if (pools.entries == NULL) {
		verify_entries_no_memory(errors);
		return;
	}
	for (size_t i = 0; i < settings->pool_count; i++) {
		const struct pool_settings *pool = &settings->pools[i];

		if (pool->name != NULL)
			pools.entries[pools.count++] =
				(struct verify_entry){ pool->name, pool->name, &pool->place, i };
	}
	verify_entries_find_duplicates(pools.entries, pools.count, "the pool", errors, true);
	verify_pools(settings, errors);
	verify_listeners(settings, &pools, errors);
	mem_free(pools.entries);
	network_set_sort(&settings->trusted);
	if (errors->count == 0) {
		warn_of_shared_cookies(settings, errors);
		warn_of_unused(settings, errors);
	}
}
