/* How settings come to be. Their values come from a loader: of a file, or of a command line. */
#include "config.h"

#include "settings/draft.h"

#include <assert.h>
#include <errno.h>
#include <sys/mman.h>

#include "base/memory.h"
#include "expand.h"
#include "settings/lookup.h"
#include "settings/report.h"
#include "settings/value.h"
#include "value_life.h"
#include "verify.h"

struct settings *draft_new(void)
{
	struct settings *settings = mem_zalloc(1, sizeof *settings);

	if (settings == NULL)
		return NULL;
	if (value_life_set_defaults(OPTION_TOP, settings) == -1) {
		settings_free(settings);
		return NULL;
	}
	return settings;
}

const char *draft_keep_file(struct settings *settings, const char *file)
{
	char **files;
	char *copy;

	assert(file != NULL);
	for (size_t i = settings->file_count; i > 0; i--)
		if (strcmp(settings->files[i - 1], file) == 0)
			return settings->files[i - 1];
	files = mem_resize(settings->files, settings->file_count + 1, sizeof *files);
	if (files == NULL)
		return NULL;
	settings->files = files;
	copy = mem_strdup(file);
	if (copy != NULL)
		files[settings->file_count++] = copy;
	return copy;
}

int draft_make_items(const struct option *list, void *base, size_t count)
{
	void **items = value_member(list, base);
	size_t *item_count = (size_t *)(void *)((char *)base + list->count_offset);

	assert(list->type == OPTION_LIST && list->item_size > 0);
	if (count == 0)
		return 0;
	*items = mem_zalloc(count, list->item_size);
	if (*items == NULL)
		return -1;
	*item_count = count;
	for (size_t i = 0; i < count; i++)
		if (value_life_set_defaults(list->inner, draft_item(list, base, i)) == -1)
			return -1;
	return 0;
}

void *draft_item(const struct option *list, void *base, size_t i)
{
	char **items = value_member(list, base);

	assert(list->type == OPTION_LIST && *items != NULL);
	return *items + i * list->item_size;
}

static size_t slot_size(const struct backend_settings *backend)
{
	struct address ignored;

	return addresses_size(lookup_room(backend), url_address(&backend->url, &ignored) == -1);
}

/* A slot whose addresses are not known yet is not touched: untouched pages cost nothing. */
static void give_slot(struct backend_settings *backend, void *slot)
{
	struct address known;

	backend->addresses = slot;
	if (url_address(&backend->url, &known) == 0)
		addresses_fix(backend->addresses, &known);
}

/* Hands each backend its slot. Without memory behind it, only counts the bytes. */
static size_t lay_slots(struct settings *settings, char *memory)
{
	size_t used = 0;

	for (size_t p = 0; p < settings->pool_count; p++) {
		struct pool_settings *pool = &settings->pools[p];

		pool->row = SETTINGS_NO_ROW;
		for (size_t b = 0; b < pool->backend_count; b++) {
			struct backend_settings *backend = &pool->backends[b];

			backend->row = SETTINGS_NO_ROW;
			if (memory != NULL)
				give_slot(backend, memory + used);
			used += slot_size(backend);
		}
	}
	return used;
}

static int make_addresses(struct settings *settings)
{
	size_t size = lay_slots(settings, NULL);
	void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (memory == MAP_FAILED)
		return -1;
	settings->addresses = memory;
	settings->addresses_size = size;
	size = lay_slots(settings, memory);
	assert(size == settings->addresses_size);
	return 0;
}

struct settings *draft_finish(struct settings *settings, struct settings_errors *errors)
{
	assert(settings != NULL && errors != NULL);
	verify_settings(settings, errors);
	if (errors->count == 0 && expand_backends(settings) == -1) {
		struct settings_place place = { settings->file, 0 };

		report_error(errors, &place, "out of memory");
	}
	if (errors->count == 0 && make_addresses(settings) == -1) {
		struct settings_place place = { settings->file, 0 };

		report_error(
			errors, &place, "cannot share memory for addresses: %s", strerror(errno));
	}
	if (errors->count == 0)
		return settings;
	settings_free(settings);
	return NULL;
}
