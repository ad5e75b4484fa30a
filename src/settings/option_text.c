/* Ranges, for refusals and for the list that `tinylb check --options` prints. */
#include "config.h"

#include "settings/option_text.h"

#include <assert.h>

#include "settings/number.h"
#include "settings/statuses.h"

static void add_choices(const struct option *option, struct text *out)
{
	const char *comma = "";

	assert(option->choices != NULL);
	for (const struct option_choice *c = option->choices; c->name != NULL; c++) {
		text_add_string(out, comma);
		text_add_string(out, c->name);
		comma = ", ";
	}
}

static void add_integer(struct text *out, int64_t value)
{
	if (value == INT64_MAX)
		text_add_string(out, "2^63-1");
	else
		text_format(out, "%lld", (long long)value);
}

static void add_bounds(
	const struct option *option, struct text *out, void (*add)(struct text *, int64_t))
{
	assert(option->min <= option->max);
	add(out, option->min);
	text_add_string(out, " to ");
	add(out, option->max);
}

void option_text_add_range(const struct option *option, struct text *out)
{
	switch (option->type) {
	case OPTION_INTEGER:
		add_bounds(option, out, add_integer);
		break;
	case OPTION_DURATION:
		add_bounds(option, out, number_add_duration);
		break;
	case OPTION_SIZE:
		add_bounds(option, out, number_add_size);
		break;
	case OPTION_STATUSES:
		text_format(out, "%d to %d", STATUSES_FIRST, STATUSES_LAST);
		break;
	case OPTION_BOOLEAN:
		text_add_string(out, "true, false");
		break;
	case OPTION_CHOICE:
		add_choices(option, out);
		break;
	case OPTION_PATH:
		if (option->choices != NULL) {
			add_choices(option, out);
			text_add_string(out, " or a path");
		}
		break;
	case OPTION_STRING:
		if (option->max > 0)
			text_format(out, "up to %lld bytes", (long long)option->max);
		break;
	case OPTION_USER:
	case OPTION_GROUP:
	case OPTION_ADDRESS:
	case OPTION_URL:
	case OPTION_NETWORKS:
	case OPTION_PROTOCOLS:
	case OPTION_SECTION:
	case OPTION_LIST:
		break;
	}
}

static void print_option(const struct option *option, FILE *out)
{
	char name[64];
	char range_bytes[96];
	struct text range = text_over(range_bytes, sizeof range_bytes);

	(void)snprintf(name, sizeof name, "%s%s", option_scope_path(option->scope), option->name);
	option_text_add_range(option, &range);
	if (range.len == 0)
		text_add_char(&range, '-');
	(void)fprintf(out, "%-25s  %-8s  %-33s  %-15s  %s\n", name, option_type_name(option->type),
		text_string(&range), option_default_text(option), option->help);
}

void option_text_print_table(FILE *out)
{
	for (size_t i = 0; i < option_count; i++)
		print_option(&option_table[i], out);
}
