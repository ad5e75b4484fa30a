/* In messages a value is as its author wrote it; in a dump, as the loader reads it. */
#include "config.h"

#include "value_text.h"

#include "base/escape.h"
#include "choices.h"
#include "settings/number.h"
#include "settings/statuses.h"
#include "upgrade_option.h"

void value_text_add(struct text *out, const struct value *value)
{
	switch (value->kind) {
	case VALUE_INTEGER:
		text_format(out, "%lld", (long long)value->integer);
		break;
	case VALUE_FLOAT:
		text_format(out, "%g", value->real);
		break;
	case VALUE_BOOLEAN:
		text_add_string(out, value->boolean ? "true" : "false");
		break;
	case VALUE_STRING:
		text_add_char(out, '"');
		escape_quoted(out, slice_of(value->string, strnlen(value->string, 100)));
		text_add_string(out, strlen(value->string) > 100 ? "...\"" : "\"");
		break;
	case VALUE_GROUP:
		text_add_string(out, "{ ... }");
		break;
	case VALUE_LIST:
		text_add_string(out, "( ... )");
		break;
	case VALUE_ARRAY:
		text_add_string(out, "[ ... ]");
		break;
	}
}

/* In quotes, escaped as libconfig reads it. */
static void add_quoted(struct text *out, const char *text)
{
	text_add_char(out, '"');
	for (; *text != '\0'; text++) {
		unsigned char c = (unsigned char)*text;

		if (c == '"' || c == '\\')
			text_add_char(out, '\\');
		if (c < ' ' || c == 0x7f)
			text_format(out, "\\x%02x", c);
		else
			text_add_char(out, *text);
	}
	text_add_char(out, '"');
}

/* Adds the word for a value in quotes. False: it has none. */
static bool add_choice(struct text *out, const struct option *option, int64_t value)
{
	const struct option_choice *choice = choices_find_value(option->choices, value);

	if (choice != NULL)
		add_quoted(out, choice->name);
	return choice != NULL;
}

static bool add_string(struct text *out, const struct option *option, const void *base)
{
	const char *text;

	memcpy(&text, (const char *)base + option->offset, sizeof text);
	if (text != NULL) {
		add_quoted(out, text);
		return true;
	}
	return add_choice(out, option, CHOICE_NONE);
}

/* Adds a number with a unit in quotes; one without is a plain integer. */
static void add_unit(struct text *out, int64_t value, void (*add)(struct text *, int64_t))
{
	char bytes[32];
	struct text text = text_over(bytes, sizeof bytes);

	add(&text, value);
	add_quoted(out, text_string(&text));
}

static bool add_protocols(struct text *out, const struct option *option, const void *base)
{
	const char *list;

	memcpy(&list, (const char *)base + option->offset, sizeof list);
	if (list != NULL)
		upgrade_option_write(out, list);
	return list != NULL;
}

bool value_text_add_member(struct text *out, const struct option *option, const void *base)
{
	bool on;

	switch (option->type) {
	case OPTION_INTEGER:
		if (value_integer(option, base) < option->min)
			return false;
		text_format(out, "%lld", (long long)value_integer(option, base));
		/* Without the letter libconfig cuts it to 32 bits. */
		if (value_integer(option, base) > INT32_MAX)
			text_add_char(out, 'L');
		return true;
	case OPTION_BOOLEAN:
		memcpy(&on, (const char *)base + option->offset, sizeof on);
		text_add_string(out, on ? "true" : "false");
		return true;
	case OPTION_CHOICE:
		return add_choice(out, option, value_integer(option, base));
	case OPTION_DURATION:
		add_unit(out, value_integer(option, base), number_add_duration);
		return true;
	case OPTION_SIZE:
		add_unit(out, value_integer(option, base), number_add_size);
		return true;
	case OPTION_STRING:
	case OPTION_PATH:
	case OPTION_USER:
	case OPTION_GROUP:
	case OPTION_ADDRESS:
	case OPTION_URL:
		return add_string(out, option, base);
	case OPTION_STATUSES:
		statuses_write(out, (const void *)((const char *)base + option->offset));
		return true;
	case OPTION_PROTOCOLS:
		return add_protocols(out, option, base);
	case OPTION_NETWORKS:
	case OPTION_SECTION:
	case OPTION_LIST:
		break;
	}
	return false;
}
