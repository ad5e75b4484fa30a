/*
 * Looks up the names of backends and writes the addresses where other processes see them. Each name
 * is asked for once, however many backends share it.
 */
#include "config.h"

#include "settings/settings.h"

#include <stdlib.h>

#include "base/log.h"
#include "base/memory.h"
#include "settings/report.h"

static bool is_name(const struct backend_settings *backend)
{
	struct address ignored;

	return url_address(&backend->url, &ignored) == -1;
}

/* Writes the backends with names to `out`, unless it is NULL, and returns how many they are. */
static size_t find_names(const struct settings *settings, const struct backend_settings **out)
{
	size_t count = 0;

	for (size_t p = 0; p < settings->pool_count; p++) {
		const struct pool_settings *pool = &settings->pools[p];

		for (size_t b = 0; b < pool->backend_count; b++) {
			if (!is_name(&pool->backends[b]))
				continue;
			if (out != NULL)
				out[count] = &pool->backends[b];
			count++;
		}
	}
	return count;
}

bool settings_need_lookup(const struct settings *settings)
{
	return find_names(settings, NULL) > 0;
}

static int compare_hosts(const void *a, const void *b)
{
	const struct backend_settings *const *left = a;
	const struct backend_settings *const *right = b;

	return strcmp((*left)->url.host, (*right)->url.host);
}

static void publish(const struct backend_settings *backend, const struct address *found, int count)
{
	struct backend_addresses *shared = backend->addresses;

	for (int i = 0; i < count; i++) {
		shared->list[i] = found[i];
		address_set_port(&shared->list[i], backend->url.port);
	}
	__atomic_store_n(&shared->count, count, __ATOMIC_RELEASE);
}

static void warn(const struct backend_settings *backend, const char *why)
{
	char where[512];

	log_warnx("%s: backend %s: the name %s cannot be looked up: %s",
		report_place(&backend->place, where, sizeof where), backend->url_text,
		backend->url.host, why);
}

void settings_lookup(const struct settings *settings)
{
	size_t count = find_names(settings, NULL);
	const struct backend_settings **names = mem_zalloc(count + 1, sizeof *names);
	struct address found[BACKEND_ADDRESSES_MAX];
	const char *why = NULL;
	int n = -1;

	if (names == NULL) {
		log_errorx("cannot look up names: out of memory");
		return;
	}
	(void)find_names(settings, names);
	if (count > 1)
		qsort(names, count, sizeof *names, compare_hosts);
	for (size_t i = 0; i < count; i++) {
		if (i == 0 || compare_hosts(&names[i - 1], &names[i]) != 0)
			n = address_resolve(
				names[i]->url.host, 0, found, BACKEND_ADDRESSES_MAX, &why);
		if (n > 0)
			publish(names[i], found, n);
		else
			warn(names[i], why);
	}
	mem_free(names);
}
