/*
 * Looks up the names of backends and writes the addresses where other processes see them. Each name
 * is asked for once, however many backends share it.
 */
#include "config.h"

#include "settings/lookup.h"

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

/* By host, and for the same host by port. */
static int compare_names(const void *a, const void *b)
{
	const struct backend_settings *const *left = a;
	const struct backend_settings *const *right = b;
	int order = strcmp((*left)->url.host, (*right)->url.host);

	return order != 0 ? order : (int)(*left)->url.port - (int)(*right)->url.port;
}

/* The backends with names, sorted, and how many they are; to be freed. NULL for lack of memory. */
static const struct backend_settings **sort_names(const struct settings *settings, size_t *count)
{
	const struct backend_settings **names;

	*count = find_names(settings, NULL);
	names = mem_zalloc(*count + 1, sizeof *names);
	if (names == NULL)
		return NULL;
	(void)find_names(settings, names);
	if (*count > 1)
		qsort(names, *count, sizeof *names, compare_names);
	return names;
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

static void warn(const struct backend_settings *backend, const char *why, bool is_kept)
{
	char where[512];

	log_warnx("%s: backend %s: the name %s cannot be looked up: %s%s",
		report_place(&backend->place, where, sizeof where), backend->url_text,
		backend->url.host, why, is_kept ? "; its former addresses stay in use" : "");
}

/* What the backend of this name and port had before. True where that was something. */
static bool keep_former(const struct backend_settings *backend,
	const struct backend_settings **former, size_t former_count)
{
	const struct backend_settings **same = NULL;
	int count;

	if (former_count > 0)
		same = bsearch(&backend, former, former_count, sizeof *former, compare_names);
	if (same == NULL)
		return false;
	count = __atomic_load_n(&(*same)->addresses->count, __ATOMIC_ACQUIRE);
	if (count > 0)
		publish(backend, (*same)->addresses->list, count);
	return count > 0;
}

/* Looks up each of `names` and returns how many are left without an address. */
static int look_up(const struct backend_settings **names, size_t count,
	const struct backend_settings **former, size_t former_count)
{
	struct address found[BACKEND_ADDRESSES_MAX];
	const char *why = NULL;
	int n = -1, missing = 0;

	for (size_t i = 0; i < count; i++) {
		const char *host = names[i]->url.host;
		bool is_kept;

		if (i == 0 || strcmp(names[i - 1]->url.host, host) != 0)
			n = address_resolve(host, 0, found, BACKEND_ADDRESSES_MAX, &why);
		if (n > 0) {
			publish(names[i], found, n);
			continue;
		}
		is_kept = keep_former(names[i], former, former_count);
		warn(names[i], why, is_kept);
		missing += !is_kept;
	}
	return missing;
}

int settings_lookup(const struct settings *settings, const struct settings *former)
{
	size_t count = 0, former_count = 0;
	const struct backend_settings **names = sort_names(settings, &count);
	const struct backend_settings **old = NULL;
	int missing = -1;

	if (former != NULL)
		old = sort_names(former, &former_count);
	if (names != NULL && (former == NULL || old != NULL))
		missing = look_up(names, count, old, former_count);
	else
		log_errorx("cannot look up names: out of memory");
	mem_free(names);
	mem_free(old);
	return missing;
}

void settings_add_address(
	const struct settings *settings, size_t pool, size_t backend, const struct address *address)
{
	struct backend_addresses *shared;
	const struct backend_settings *b;

	if (pool >= settings->pool_count || backend >= settings->pools[pool].backend_count)
		return;
	b = &settings->pools[pool].backends[backend];
	shared = b->addresses;
	if (!is_name(b) || shared->count >= BACKEND_ADDRESSES_MAX)
		return;
	shared->list[shared->count] = *address;
	__atomic_store_n(&shared->count, shared->count + 1, __ATOMIC_RELEASE);
}
