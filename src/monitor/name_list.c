/* Names that are due at about the same time are asked together. */
#include "config.h"

#include "name_list.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/log.h"
#include "base/memory.h"
#include "settings/lookup.h"

/* The longest interval of a name without any address. */
#define EMPTY_EVERY_US UINT64_C(2000000)

/* Names that are due within this time are asked with those that are due now. */
#define TOGETHER_US UINT64_C(1000000)

const char *name_list_host(const struct name *name)
{
	return name->heads[0]->url.host;
}

static bool is_empty(const struct name *name)
{
	const struct backend_settings *head = name->heads[0];

	for (unsigned i = 0; i < lookup_places(head); i++)
		if (addresses_count(head[i].addresses) > 0)
			return false;
	return true;
}

static void plan(struct name *name, struct rng *rng, uint64_t now_us)
{
	uint64_t pause = name->interval_us;

	assert(name->interval_us > 0);
	if (is_empty(name) && pause > EMPTY_EVERY_US)
		pause = EMPTY_EVERY_US;
	name->due_us = now_us + pause - pause / 10 + rng_next(rng) % (pause / 5 + 1);
}

void name_list_begin(struct name_list *list, struct rng *rng, uint64_t now_us)
{
	for (size_t i = 0; i < list->count; i++) {
		list->names[i].fails = is_empty(&list->names[i]);
		plan(&list->names[i], rng, now_us);
	}
}

uint64_t name_list_due(const struct name_list *list)
{
	uint64_t due = UINT64_MAX;

	for (size_t i = 0; i < list->count; i++)
		if (list->names[i].due_us < due)
			due = list->names[i].due_us;
	return due;
}

size_t name_list_ask(struct name_list *list, uint64_t now_us, const char **hosts, uint32_t *numbers)
{
	uint64_t soon = now_us + TOGETHER_US;
	size_t n = 0;

	assert(list->count > 0);
	for (size_t i = 0; i < list->count; i++) {
		size_t number = (list->first + i) % list->count;
		struct name *name = &list->names[number];

		if (name->due_us > soon)
			continue;
		name->asked = true;
		name->due_us = 0;
		hosts[n] = name_list_host(name);
		numbers[n++] = (uint32_t)number;
	}
	return n;
}

void name_list_ask_again(struct name_list *list, uint64_t now_us)
{
	bool is_late = false;

	for (size_t i = 0; i < list->count; i++)
		is_late |= list->names[i].due_us == 0;
	for (size_t i = 0; is_late && i < list->count; i++)
		list->names[i].due_us = now_us;
}

static void fail(struct name *name, const char *why)
{
	if (!name->fails)
		log_warnx("the name %s cannot be looked up: %s%s", name_list_host(name), why,
			is_empty(name) ? "" : "; its addresses stay in use");
	name->fails = true;
}

void name_list_take(struct name_list *list, uint32_t number, const char *why)
{
	struct name *name = &list->names[number];

	assert(number < list->count);
	name->asked = false;
	/* A look-up that takes too long goes on behind its last answer. */
	list->first = (number + 1) % list->count;
	if (why != NULL) {
		fail(name, why);
		return;
	}
	if (name->fails)
		log_notice("the name %s can be looked up again", name_list_host(name));
	name->fails = false;
}

void name_list_end(struct name_list *list, const char *why, struct rng *rng, uint64_t now_us)
{
	for (size_t i = 0; i < list->count; i++) {
		struct name *name = &list->names[i];

		if (name->asked)
			fail(name, why);
		if (name->asked || name->due_us == 0)
			plan(name, rng, now_us);
		name->asked = false;
	}
}

static bool is_wanted(const struct pool_settings *pool, const struct backend_settings *head)
{
	struct address ignored;

	return pool->resolve > 0 && head->ordinal == 0 && url_address(&head->url, &ignored) == -1 &&
	       /* localhost never changes its meaning (RFC 6761 6.3). */
	       strcasecmp(head->url.host, "localhost") != 0;
}

/* Lists the wanted heads with the interval of their pool, and returns how many. `out` may be
 * NULL. */
static size_t collect(const struct settings *settings, struct name *out)
{
	size_t n = 0;

	for (size_t p = 0; p < settings->pool_count; p++) {
		const struct pool_settings *pool = &settings->pools[p];

		for (size_t b = 0; b < pool->backend_count; b++) {
			if (!is_wanted(pool, &pool->backends[b]))
				continue;
			if (out != NULL) {
				*out[n].heads = &pool->backends[b];
				out[n].head_count = 1;
				out[n].interval_us = pool->resolve * 1000;
			}
			n++;
		}
	}
	return n;
}

static int compare(const void *a, const void *b)
{
	return strcmp(name_list_host(a), name_list_host(b));
}

/* Makes one of all with the same host. Their heads lie behind each other afterwards. */
static size_t join(struct name *list, size_t count, const struct backend_settings **heads)
{
	size_t names = 0;

	for (size_t i = 0; i < count; i++) {
		const struct backend_settings *head = *list[i].heads;

		heads[i] = head;
		if (names > 0 && strcmp(name_list_host(&list[names - 1]), head->url.host) == 0) {
			struct name *same = &list[names - 1];

			same->head_count++;
			if (list[i].interval_us < same->interval_us)
				same->interval_us = list[i].interval_us;
			continue;
		}
		list[names] = list[i];
		list[names++].heads = &heads[i];
	}
	return names;
}

int name_list_init(struct name_list *list, const struct settings *settings)
{
	size_t count = collect(settings, NULL);
	const struct backend_settings **found = mem_zalloc(count + 1, sizeof(void *));

	*list = (struct name_list){ .count = 0 };
	list->names = mem_zalloc(count + 1, sizeof *list->names);
	list->heads = mem_zalloc(count + 1, sizeof(void *));
	if (found == NULL || list->names == NULL || list->heads == NULL) {
		mem_free(found);
		return -1;
	}
	for (size_t i = 0; i < count; i++)
		list->names[i].heads = &found[i];
	(void)collect(settings, list->names);
	if (count > 1)
		qsort(list->names, count, sizeof *list->names, compare);
	list->count = join(list->names, count, list->heads);
	mem_free(found);
	return 0;
}

void name_list_fini(struct name_list *list)
{
	mem_free(list->names);
	mem_free(list->heads);
}
