/*
 * Loads a settings file: the only place that knows libconfig. Walks its tree beside the option
 * table and reports everything that does not fit, so that one run shows every mistake.
 */
#include "config.h"

#include "settings/settings_load.h"

#include <libconfig.h>
#include <libgen.h>
#include <stdlib.h>

#include "base/memory.h"
#include "settings/draft.h"
#include "settings/report.h"
#include "settings/scan.h"
#include "settings/suggest.h"
#include "settings/value.h"
#include "value_life.h"
#include "value_text.h"

struct loader {
	config_t config;
	const char *folder;   /* of the file, as it was given: @include starts there */
	const char *absolute; /* the same, for relative paths among the values */
	struct settings *settings;
	struct settings_errors *errors;
};

/* Sources are named by what stood in @include, or not at all in the file itself. */
static struct settings_place place_of_source(struct loader *loader, const char *source, int line)
{
	char path[SCAN_PATH_SIZE];
	struct settings_place place = { loader->settings->file, line };

	if (source != NULL)
		place.file = draft_keep_file(
			loader->settings, scan_join(loader->folder, slice_of_string(source), path));
	if (place.file == NULL)
		place.file = loader->settings->file;
	return place;
}

static struct settings_place place_of(struct loader *loader, const config_setting_t *setting)
{
	return place_of_source(loader, config_setting_source_file(setting),
		(int)config_setting_source_line(setting));
}

static struct value value_of(const config_setting_t *setting)
{
	struct value value = { .kind = VALUE_GROUP };

	switch (config_setting_type(setting)) {
	case CONFIG_TYPE_INT:
	case CONFIG_TYPE_INT64:
		value.kind = VALUE_INTEGER;
		value.integer = config_setting_get_int64(setting);
		break;
	case CONFIG_TYPE_FLOAT:
		value.kind = VALUE_FLOAT;
		value.real = config_setting_get_float(setting);
		break;
	case CONFIG_TYPE_BOOL:
		value.kind = VALUE_BOOLEAN;
		value.boolean = config_setting_get_bool(setting) != 0;
		break;
	case CONFIG_TYPE_STRING:
		value.kind = VALUE_STRING;
		value.string = config_setting_get_string(setting);
		break;
	case CONFIG_TYPE_LIST:
		value.kind = VALUE_LIST;
		break;
	case CONFIG_TYPE_ARRAY:
		value.kind = VALUE_ARRAY;
		break;
	}
	return value;
}

/* Reports "timeouts.connect = 5: <why>". */
static void report_option(struct loader *loader, const config_setting_t *setting,
	const struct option *option, const char *why)
{
	struct settings_place place = place_of(loader, setting);
	struct value value = value_of(setting);
	char bytes[512];
	struct text text = text_over(bytes, sizeof bytes);

	value_text_add(&text, &value);
	report_error(loader->errors, &place, "%s%s = %s: %s", option_scope_path(option->scope),
		option->name, text_string(&text), why);
}

/* The option that an unknown name was probably meant to be, in this scope or in another one. */
static const struct option *guess(enum option_scope scope, const char *name)
{
	struct suggest suggest = suggest_begin(name);
	const struct option *best = NULL;

	for (size_t i = 0; i < option_count; i++)
		if (option_table[i].scope != scope && strcmp(option_table[i].name, name) == 0)
			best = &option_table[i];
	for (size_t i = 0; i < option_count && best == NULL; i++)
		if (option_table[i].scope == scope)
			suggest_offer(&suggest, option_table[i].name);
	for (size_t i = 0; i < option_count && best == NULL && suggest.best == NULL; i++)
		suggest_offer(&suggest, option_table[i].name);
	for (size_t i = 0; i < option_count && best == NULL; i++)
		if (option_table[i].name == suggest.best)
			best = &option_table[i];
	return best;
}

static void report_unknown(
	struct loader *loader, const config_setting_t *setting, enum option_scope scope)
{
	struct settings_place place = place_of(loader, setting);
	const char *name = config_setting_name(setting);
	const struct option *near = guess(scope, name);
	char bytes[512];
	struct text names = text_over(bytes, sizeof bytes);

	if (near != NULL && near->scope == scope) {
		report_error(loader->errors, &place,
			"there is no option %s%s; did you mean \"%s\"?", option_scope_path(scope),
			name, near->name);
		return;
	}
	if (near != NULL) {
		report_error(loader->errors, &place, "there is no option %s%s; did you mean %s%s?",
			option_scope_path(scope), name, option_scope_path(near->scope), near->name);
		return;
	}
	for (size_t i = 0; i < option_count; i++)
		if (option_table[i].scope == scope)
			text_format(
				&names, "%s%s", names.len > 0 ? ", " : "", option_table[i].name);
	report_error(loader->errors, &place, "there is no option %s%s; here may stand: %s",
		option_scope_path(scope), name, text_string(&names));
}

static void load_group(
	struct loader *loader, const config_setting_t *group, enum option_scope scope, void *base);

static void load_items(struct loader *loader, const config_setting_t *list,
	const struct option *option, void *base)
{
	unsigned count = (unsigned)config_setting_length(list);

	if (count == 0)
		report_option(loader, list, option, "must not be empty");
	if (draft_make_items(option, base, count) == -1) {
		report_option(loader, list, option, "out of memory");
		return;
	}
	for (unsigned i = 0; i < count; i++) {
		const config_setting_t *item = config_setting_get_elem(list, i);
		struct settings_place *place = draft_item(option, base, i);

		*place = place_of(loader, item);
		if (config_setting_is_group(item))
			load_group(loader, item, option->inner, place);
		else
			report_option(loader, item, option,
				"each item of this list must be a group: { ... }");
	}
}

/* `setting` is the option's value, or one of its elements. */
static void load_value(struct loader *loader, const config_setting_t *setting,
	const struct option *option, void *base)
{
	char bytes[1024];
	struct text why = text_over(bytes, sizeof bytes);
	struct value_reader reader = { loader->absolute, &why };
	struct value value = value_of(setting);

	if (value_store(option, &value, base, &reader) == -1)
		report_option(loader, setting, option, text_string(&why));
}

/* An option of many values takes a single one, too. */
static void load_values(struct loader *loader, const config_setting_t *setting,
	const struct option *option, void *base)
{
	if (!config_setting_is_array(setting) && !config_setting_is_list(setting))
		load_value(loader, setting, option, base);
	else if (value_life_clear(option, base) == -1)
		report_option(loader, setting, option, "out of memory");
	else
		for (int i = 0; i < config_setting_length(setting); i++)
			load_value(loader, config_setting_get_elem(setting, (unsigned)i), option,
				base);
}

static void load_section(struct loader *loader, const config_setting_t *setting,
	const struct option *option, void *base)
{
	void *section = value_member(option, base);

	if (option->optional) {
		*(struct settings_place *)section = place_of(loader, setting);
		if (value_life_set_defaults(option->inner, section) == -1)
			report_option(loader, setting, option, "out of memory");
	}
	load_group(loader, setting, option->inner, section);
}

static void load_member(struct loader *loader, const config_setting_t *setting,
	const struct option *option, void *base)
{
	if (option->type == OPTION_SECTION) {
		if (config_setting_is_group(setting))
			load_section(loader, setting, option, base);
		else
			report_option(loader, setting, option, "must be a group: { ... }");
	} else if (option->type == OPTION_LIST) {
		if (config_setting_is_list(setting))
			load_items(loader, setting, option, base);
		else
			report_option(loader, setting, option,
				"must be a list of groups: ( { ... }, { ... } )");
	} else if (option_is_array(option->type)) {
		load_values(loader, setting, option, base);
	} else {
		load_value(loader, setting, option, base);
	}
}

static void report_missing(
	struct loader *loader, const config_setting_t *group, enum option_scope scope)
{
	struct settings_place place = place_of(loader, group);

	if (scope == OPTION_TOP)
		place = (struct settings_place){ loader->settings->file, 0 };
	for (size_t i = 0; i < option_count; i++) {
		const struct option *o = &option_table[i];

		if (o->scope == scope && o->required &&
			config_setting_get_member(group, o->name) == NULL)
			report_error(loader->errors, &place, "%s%s is missing: %s",
				option_scope_path(scope), o->name, o->help);
	}
}

static void load_group(
	struct loader *loader, const config_setting_t *group, enum option_scope scope, void *base)
{
	unsigned count = (unsigned)config_setting_length(group);

	for (unsigned i = 0; i < count; i++) {
		const config_setting_t *setting = config_setting_get_elem(group, i);
		const struct option *option = option_find(scope, config_setting_name(setting));

		if (option == NULL)
			report_unknown(loader, setting, scope);
		else
			load_member(loader, setting, option, base);
	}
	report_missing(loader, group, scope);
}

static void report_syntax(struct loader *loader)
{
	struct settings_place place = place_of_source(
		loader, config_error_file(&loader->config), config_error_line(&loader->config));
	const char *text = config_error_text(&loader->config);
	bool is_vague = text == NULL || strcmp(text, "syntax error") == 0;

	report_error(loader->errors, &place, "%s%s", text != NULL ? text : "syntax error",
		is_vague ? ": look here and on the line before for a missing quote or bracket, or "
			   "a comma before a closing bracket"
			 : "");
}

/* What libconfig 1.5 needs: up to 42 bytes for each of the text, and up to 3 MiB more where lists
 * lie in lists as deeply as it allows. */
#define PARSER_NEEDS      ((size_t)4 * 1024 * 1024)
#define PARSER_NEEDS_EACH ((size_t)64)

/* libconfig dies where it gets no memory, and the master with it. So there has to be enough before
 * it is called: a block of that size, given back to be had in pieces. */
static bool is_room_for_parser(size_t size)
{
	void *block = NULL;

	if (size < (SIZE_MAX - PARSER_NEEDS) / PARSER_NEEDS_EACH)
		block = mem_alloc(PARSER_NEEDS + size * PARSER_NEEDS_EACH);
	mem_free(block);
	return block != NULL;
}

static void load_text(struct loader *loader, const char *text)
{
	config_init(&loader->config);
	config_set_include_dir(&loader->config, loader->folder);
	if (config_read_string(&loader->config, text) == CONFIG_TRUE)
		load_group(
			loader, config_root_setting(&loader->config), OPTION_TOP, loader->settings);
	else
		report_syntax(loader);
	config_destroy(&loader->config);
}

static struct settings *load_from(
	const char *file, const char *folder, const char *absolute, struct settings_errors *errors)
{
	struct loader loader = { .folder = folder, .absolute = absolute, .errors = errors };
	size_t size;
	char *text = scan_file(file, folder, errors, &size);

	if (text == NULL)
		return NULL;
	loader.settings = draft_new();
	if (loader.settings == NULL || (loader.settings->file = mem_strdup(file)) == NULL ||
		!is_room_for_parser(size)) {
		struct settings_place place = { file, 0 };

		report_error(errors, &place, "out of memory");
		settings_free(loader.settings);
		mem_free(text);
		return NULL;
	}
	load_text(&loader, text);
	mem_free(text);
	return draft_finish(loader.settings, errors);
}

struct settings *settings_load(const char *file, struct settings_errors *errors)
{
	char *copy = mem_strdup(file);
	struct settings_place place = { file, 0 };
	struct settings *settings;
	const char *folder;
	char *absolute;

	if (copy == NULL) {
		report_error(errors, &place, "out of memory");
		return NULL;
	}
	folder = dirname(copy);
	absolute = realpath(folder, NULL);
	settings = load_from(file, folder, absolute, errors);
	mem_free(copy);
	free(absolute);
	return settings;
}
