/* Writes settings as a file that loads to the same settings, in the order of the option table. */
#include "config.h"

#include "settings/settings_dump.h"

#include <assert.h>

#include "settings/draft.h"
#include "settings/value.h"
#include "value_life.h"
#include "value_text.h"

#define VALUE_SIZE 20000 /* a path, each byte of it escaped */

static void dump_scope(FILE *out, enum option_scope scope, void *base, int depth);

static void indent(FILE *out, int depth)
{
	(void)fprintf(out, "%*s", 2 * depth, "");
}

/* An option that was not set is shown as a comment, so that every one can be seen. */
static void dump_value(FILE *out, const struct option *option, const void *base)
{
	char bytes[VALUE_SIZE];
	struct text value = text_over(bytes, sizeof bytes);

	if (value_text_add_member(&value, option, base))
		(void)fprintf(out, "%s = %s;", option->name, text_string(&value));
	else
		(void)fprintf(out, "# %s: %s", option->name, option_default_text(option));
}

static void dump_networks(FILE *out, const struct option *option, void *base)
{
	const struct network_set *set = value_member(option, base);
	char text[NETWORK_TEXT_SIZE];

	assert(option->type == OPTION_NETWORKS);
	(void)fprintf(out, "%s = [", option->name);
	for (size_t i = 0; i < set->count; i++)
		(void)fprintf(
			out, "%s \"%s\"", i > 0 ? "," : "", network_format(&set->list[i], text));
	(void)fputs(" ];", out);
}

static size_t count_items(const struct option *list, const void *base)
{
	size_t count;

	assert(list->type == OPTION_LIST);
	memcpy(&count, (const char *)base + list->count_offset, sizeof count);
	return count;
}

/* Small groups are written on one line, a listener only where it has no routes. */
static bool is_flat(enum option_scope scope, const void *base)
{
	if (scope == OPTION_LISTENER)
		return count_items(option_find(scope, "routes"), base) == 0;
	return scope == OPTION_ROUTE || scope == OPTION_BACKEND;
}

/* On one line there is no room for comments: what was not set is left out. */
static void dump_flat(FILE *out, enum option_scope scope, void *base)
{
	char bytes[VALUE_SIZE];

	(void)fputc('{', out);
	for (size_t i = 0; i < option_count; i++) {
		const struct option *option = &option_table[i];
		struct text value = text_over(bytes, sizeof bytes);

		if (option->scope != scope)
			continue;
		if (option->type == OPTION_SECTION && value_life_is_given(option, base)) {
			(void)fprintf(out, " %s = ", option->name);
			dump_flat(out, option->inner, value_member(option, base));
			(void)fputc(';', out);
		} else if (value_text_add_member(&value, option, base)) {
			(void)fprintf(out, " %s = %s;", option->name, text_string(&value));
		}
	}
	(void)fputs(" }", out);
}

static void dump_list(FILE *out, const struct option *option, void *base, int depth)
{
	size_t count = count_items(option, base);

	if (count == 0) {
		(void)fprintf(out, "# %s: %s", option->name, option_default_text(option));
		return;
	}
	(void)fprintf(out, "%s = (", option->name);
	for (size_t i = 0; i < count; i++) {
		void *item = draft_item(option, base, i);

		if (!value_life_is_own(option, item))
			continue;
		(void)fputs(i > 0 ? ",\n" : "\n", out);
		indent(out, depth + 1);
		if (is_flat(option->inner, item)) {
			dump_flat(out, option->inner, item);
		} else {
			(void)fputs("{\n", out);
			dump_scope(out, option->inner, item, depth + 2);
			indent(out, depth + 1);
			(void)fputc('}', out);
		}
	}
	(void)fputc('\n', out);
	indent(out, depth);
	(void)fputs(");", out);
}

static void dump_scope(FILE *out, enum option_scope scope, void *base, int depth)
{
	for (size_t i = 0; i < option_count; i++) {
		const struct option *option = &option_table[i];

		if (option->scope != scope)
			continue;
		indent(out, depth);
		if (option->type == OPTION_LIST) {
			dump_list(out, option, base, depth);
		} else if (option->type == OPTION_SECTION) {
			(void)fprintf(out, "%s = {\n", option->name);
			dump_scope(out, option->inner, value_member(option, base), depth + 1);
			indent(out, depth);
			(void)fputs("};", out);
		} else if (option->type == OPTION_NETWORKS) {
			dump_networks(out, option, base);
		} else {
			dump_value(out, option, base);
		}
		(void)fputc('\n', out);
	}
}

void settings_dump(const struct settings *settings, FILE *out)
{
	/* The walk over members is shared with the loader, which writes; this one only reads. */
	dump_scope(out, OPTION_TOP, (void *)(uintptr_t)settings, 0);
}
