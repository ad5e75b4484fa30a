/*
 * Looks up the names of backends and writes the addresses where other processes see them. Each name
 * is asked for once, however many backends share it.
 */
#include "config.h"

#include "settings/lookup.h"

#include <assert.h>
#include <stdlib.h>

#include "base/log.h"
#include "base/memory.h"
#include "settings/report.h"

static bool is_name(const struct backend_settings *backend)
{
	struct address ignored;

	return url_address(&backend->url, &ignored) == -1;
}

uint32_t lookup_room(const struct backend_settings *backend)
{
	return is_name(backend) && backend->spread == SPREAD_FIRST ? BACKEND_ADDRESSES_MAX : 1;
}

unsigned lookup_places(const struct backend_settings *head)
{
	return is_name(head) && head->spread == SPREAD_EACH ? BACKEND_EACH_MAX : 1;
}

size_t lookup_heads(const struct settings *settings, const struct backend_settings **out)
{
	size_t count = 0;

	for (size_t p = 0; p < settings->pool_count; p++) {
		const struct pool_settings *pool = &settings->pools[p];

		for (size_t b = 0; b < pool->backend_count; b++) {
			if (pool->backends[b].ordinal > 0 || !is_name(&pool->backends[b]))
				continue;
			if (out != NULL)
				out[count] = &pool->backends[b];
			count++;
		}
	}
	return count;
}

bool lookup_is_needed(const struct settings *settings)
{
	return lookup_heads(settings, NULL) > 0;
}

/* By host, and for the same host by port and by how many backends it is. */
static int compare_names(const void *a, const void *b)
{
	const struct backend_settings *const *left = a;
	const struct backend_settings *const *right = b;
	int order = strcmp((*left)->url.host, (*right)->url.host);

	if (order == 0)
		order = (int)(*left)->url.port - (int)(*right)->url.port;
	return order != 0 ? order : (*left)->spread - (*right)->spread;
}

/* The heads, sorted, and how many they are; to be freed. NULL for lack of memory. */
static const struct backend_settings **sort_names(const struct settings *settings, size_t *count)
{
	const struct backend_settings **names;

	*count = lookup_heads(settings, NULL);
	names = mem_zalloc(*count + 1, sizeof *names);
	if (names == NULL)
		return NULL;
	(void)lookup_heads(settings, names);
	if (*count > 1)
		qsort(names, *count, sizeof *names, compare_names);
	return names;
}

static bool is_among(const struct address *list, uint32_t count, const struct address *address)
{
	for (uint32_t i = 0; i < count; i++)
		if (address_equals(&list[i], address))
			return true;
	return false;
}

/* All of them for one backend. A name server may well turn their order each time: that is no
 * change. */
static void apply_all(
	const struct backend_settings *head, const struct address *found, uint32_t count)
{
	struct address present[BACKEND_ADDRESSES_MAX];
	uint32_t version, had = addresses_read(head->addresses, present, &version);
	uint32_t kept = 0;

	if (count > BACKEND_ADDRESSES_MAX)
		count = BACKEND_ADDRESSES_MAX;
	for (uint32_t i = 0; i < count; i++)
		kept += is_among(present, had, &found[i]);
	if (kept != count || had != count)
		addresses_write(head->addresses, BACKEND_ADDRESSES_MAX, found, count);
}

/* The address of a place; false: it is empty. */
static bool at_place(const struct backend_settings *place, struct address *out)
{
	return addresses_get(place->addresses, 0, out);
}

static bool has_place(const struct backend_settings *head, const struct address *address)
{
	struct address present;

	for (unsigned i = 0; i < BACKEND_EACH_MAX; i++)
		if (at_place(&head[i], &present) && address_equals(&present, address))
			return true;
	return false;
}

/* One for each place. What is there stays where it is, so that all that is known of it, and all
 * that it has, stays too. */
static void apply_each(
	const struct backend_settings *head, const struct address *found, uint32_t count)
{
	struct address present;
	unsigned next = 0;

	assert(head->spread == SPREAD_EACH);
	for (unsigned i = 0; i < BACKEND_EACH_MAX; i++)
		if (at_place(&head[i], &present) && !is_among(found, count, &present))
			addresses_write(head[i].addresses, 1, NULL, 0);
	for (uint32_t i = 0; i < count; i++) {
		if (has_place(head, &found[i]))
			continue;
		while (next < BACKEND_EACH_MAX && at_place(&head[next], &present))
			next++;
		if (next < BACKEND_EACH_MAX)
			addresses_write(head[next].addresses, 1, &found[i], 1);
	}
}

void lookup_apply(const struct backend_settings *head, const struct address *found, uint32_t count)
{
	struct address ported[LOOKUP_MAX];

	assert(head->ordinal == 0);
	if (count > LOOKUP_MAX)
		count = LOOKUP_MAX;
	for (uint32_t i = 0; i < count; i++) {
		ported[i] = found[i];
		address_set_port(&ported[i], head->url.port);
	}
	if (head->spread == SPREAD_EACH)
		apply_each(head, ported, count);
	else
		apply_all(head, ported, count);
}

static void warn(const struct backend_settings *backend, const char *why, bool is_kept)
{
	char where[512];

	log_warnx("%s: backend %s: the name %s cannot be looked up: %s%s",
		report_place(&backend->place, where, sizeof where), backend->url_text,
		backend->url.host, why, is_kept ? "; its former addresses stay in use" : "");
}

/* Takes over what the backend of this name and port had before, each address in its place. True
 * where that was something. */
static bool keep_former(const struct backend_settings *backend,
	const struct backend_settings **former, size_t former_count)
{
	const struct backend_settings **same = NULL;
	bool some = false;

	if (former_count > 0)
		same = bsearch(&backend, former, former_count, sizeof *former, compare_names);
	for (unsigned i = 0; same != NULL && i < lookup_places(backend); i++) {
		struct address had[BACKEND_ADDRESSES_MAX];
		uint32_t version, count = addresses_read((*same)[i].addresses, had, &version);

		if (count > 0)
			addresses_write(backend[i].addresses, lookup_room(backend), had, count);
		some |= count > 0;
	}
	return some;
}

/* Looks up each of `names` and returns how many are left without an address. */
static int look_up(const struct backend_settings **names, size_t count,
	const struct backend_settings **former, size_t former_count)
{
	struct address found[LOOKUP_MAX];
	const char *why = NULL;
	int n = -1, missing = 0;

	for (size_t i = 0; i < count; i++) {
		const char *host = names[i]->url.host;
		bool is_kept = keep_former(names[i], former, former_count);

		if (i == 0 || strcmp(names[i - 1]->url.host, host) != 0)
			n = address_resolve(host, 0, found, LOOKUP_MAX, &why);
		if (n > 0) {
			lookup_apply(names[i], found, (uint32_t)n);
			continue;
		}
		warn(names[i], why, is_kept);
		missing += !is_kept;
	}
	return missing;
}

int lookup_run(const struct settings *settings, const struct settings *former)
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

void lookup_add_address(
	const struct settings *settings, size_t pool, size_t backend, const struct address *address)
{
	struct address all[BACKEND_ADDRESSES_MAX + 1];
	const struct backend_settings *b;
	uint32_t version, count;

	if (pool >= settings->pool_count || backend >= settings->pools[pool].backend_count)
		return;
	b = &settings->pools[pool].backends[backend];
	if (!is_name(b))
		return;
	count = addresses_read(b->addresses, all, &version);
	all[count] = *address;
	addresses_write(b->addresses, lookup_room(b), all, count + 1);
}
