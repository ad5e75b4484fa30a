/* Defaults are read as if a user had written them. */
#include "config.h"

#include "value_life.h"

#include <assert.h>
#include <stdlib.h>

#include "base/memory.h"
#include "settings/settings.h"
#include "settings/value.h"
#include "upgrade_option.h"

static int store_default(const struct option *option, void *base)
{
	struct value value = { .kind = VALUE_STRING, .string = option->def };
	char ignored[1];
	struct text why = text_over(ignored, sizeof ignored);
	struct value_reader reader = { .folder = NULL, .why = &why };

	if (option->type == OPTION_SECTION)
		return value_life_set_defaults(option->inner, value_member(option, base));
	if (option->def == NULL)
		return 0;
	if (option->type == OPTION_INTEGER) {
		value.kind = VALUE_INTEGER;
		value.integer = strtoll(option->def, NULL, 10);
	} else if (option->type == OPTION_BOOLEAN) {
		value.kind = VALUE_BOOLEAN;
		value.boolean = strcmp(option->def, "true") == 0;
	}
	return value_store(option, &value, base, &reader);
}

/* Sections lie a few deep, which ends it. */
int value_life_set_defaults(enum option_scope scope, void *base)
{
	assert(scope < OPTION_SCOPES);
	for (size_t i = 0; i < option_count; i++) {
		const struct option *o = &option_table[i];

		if (o->scope != scope)
			continue;
		if (o->type == OPTION_SECTION && !o->optional &&
			value_life_set_defaults(o->inner, value_member(o, base)) == -1)
			return -1;
		if (store_default(o, base) == -1)
			return -1;
	}
	return 0;
}

int value_life_clear(const struct option *option, void *base)
{
	assert(option_is_array(option->type));
	return option->type == OPTION_PROTOCOLS ? upgrade_option_clear(value_member(option, base))
						: 0;
}

bool value_life_is_own(const struct option *list, const void *item)
{
	return list->inner != OPTION_BACKEND ||
	       ((const struct backend_settings *)item)->ordinal == 0;
}

static void free_items(const struct option *list, void *base)
{
	char **items = value_member(list, base);
	size_t count;

	assert(list->type == OPTION_LIST);
	memcpy(&count, (const char *)base + list->count_offset, sizeof count);
	for (size_t i = 0; i < count; i++)
		if (value_life_is_own(list, *items + i * list->item_size))
			value_life_free(list->inner, *items + i * list->item_size);
	mem_free(*items);
	*items = NULL;
}

static void free_member(const struct option *option, void *base)
{
	char **text = value_member(option, base);

	switch (option->type) {
	case OPTION_URL:
		url_free(&((struct backend_settings *)base)->url);
		/* fall through */
	case OPTION_STRING:
	case OPTION_PATH:
	case OPTION_USER:
	case OPTION_GROUP:
	case OPTION_ADDRESS:
	case OPTION_PROTOCOLS:
		mem_free(*text);
		*text = NULL;
		break;
	case OPTION_NETWORKS:
		network_set_free(value_member(option, base));
		break;
	case OPTION_SECTION:
		value_life_free(option->inner, value_member(option, base));
		break;
	case OPTION_LIST:
		free_items(option, base);
		break;
	case OPTION_INTEGER:
	case OPTION_BOOLEAN:
	case OPTION_CHOICE:
	case OPTION_DURATION:
	case OPTION_SIZE:
	case OPTION_STATUSES:
		break;
	}
}

void value_life_free(enum option_scope scope, void *base)
{
	assert(scope < OPTION_SCOPES);
	for (size_t i = 0; i < option_count; i++)
		if (option_table[i].scope == scope)
			free_member(&option_table[i], base);
}

bool value_life_is_given(const struct option *section, const void *base)
{
	struct settings_place place;

	assert(section->type == OPTION_SECTION && section->size >= sizeof place);
	memcpy(&place, (const char *)base + section->offset, sizeof place);
	return place.file != NULL;
}
