/*
 * Checks values and stores them. A refusal says what would be right; the caller reports it with the
 * place and the value.
 */
#include "config.h"

#include "settings/value.h"

#include <assert.h>
#include <grp.h>
#include <pwd.h>

#include "base/escape.h"
#include "base/memory.h"
#include "choices.h"
#include "settings/number.h"
#include "settings/option_text.h"
#include "settings/settings.h"
#include "upgrade_option.h"

void *value_member(const struct option *option, void *base)
{
	return (char *)base + option->offset;
}

static const void *member_const(const struct option *option, const void *base)
{
	return (const char *)base + option->offset;
}

int64_t value_integer(const struct option *option, const void *base)
{
	int64_t wide;
	int32_t narrow;

	if (option->size == sizeof wide) {
		memcpy(&wide, member_const(option, base), sizeof wide);
		return wide;
	}
	assert(option->size == sizeof narrow);
	memcpy(&narrow, member_const(option, base), sizeof narrow);
	return narrow;
}

static void store_integer(const struct option *option, void *base, int64_t value)
{
	int32_t narrow = (int32_t)value;

	assert(option->size == sizeof value || option->size == sizeof narrow);
	if (option->size == sizeof value)
		memcpy(value_member(option, base), &value, sizeof value);
	else
		memcpy(value_member(option, base), &narrow, sizeof narrow);
}

static int refuse(struct value_reader *reader, const char *why)
{
	text_add_string(reader->why, why);
	return -1;
}

static int store_string(
	const struct option *option, void *base, const char *text, struct value_reader *reader)
{
	char **place = value_member(option, base);
	char *copy = mem_strdup(text);

	assert(text != NULL);
	if (copy == NULL)
		return refuse(reader, "out of memory");
	mem_free(*place);
	*place = copy;
	return 0;
}

static int refuse_range(const struct option *option, struct value_reader *reader)
{
	text_add_string(reader->why, "must be ");
	option_text_add_range(option, reader->why);
	return -1;
}

static int store_bounded(
	const struct option *option, void *base, int64_t value, struct value_reader *reader)
{
	assert(option->min <= option->max);
	if (value < option->min || value > option->max)
		return refuse_range(option, reader);
	store_integer(option, base, value);
	return 0;
}

static int read_integer(const struct option *option, const struct value *value, void *base,
	struct value_reader *reader)
{
	uint64_t number;

	if (value->kind == VALUE_INTEGER)
		return store_bounded(option, base, value->integer, reader);
	text_add_string(reader->why, "must be an integer, ");
	option_text_add_range(option, reader->why);
	if (value->kind == VALUE_STRING &&
		slice_parse_decimal(slice_of_string(value->string), INT64_MAX, &number) == 0)
		text_format(reader->why, "; write it without quotes: %s", value->string);
	return -1;
}

static int read_boolean(const struct option *option, const struct value *value, void *base,
	struct value_reader *reader)
{
	if (value->kind != VALUE_BOOLEAN)
		return refuse(reader, "must be true or false, without quotes");
	memcpy(value_member(option, base), &value->boolean, sizeof value->boolean);
	return 0;
}

static int read_duration(const struct option *option, const struct value *value, void *base,
	struct value_reader *reader)
{
	int64_t ms;

	if (value->kind == VALUE_STRING && number_parse_duration(value->string, &ms) == 0)
		return store_bounded(option, base, ms, reader);
	if (value->kind == VALUE_INTEGER && value->integer >= 0)
		text_format(reader->why, "a duration needs a unit (ms, s, m, h): \"%llds\"",
			(long long)value->integer);
	else
		text_add_string(reader->why,
			"must be a duration, a whole number and ms, s, m or h: \"250ms\", \"5s\"");
	return -1;
}

static int read_size(const struct option *option, const struct value *value, void *base,
	struct value_reader *reader)
{
	int64_t bytes;

	if (value->kind == VALUE_INTEGER)
		return store_bounded(option, base, value->integer, reader);
	if (value->kind == VALUE_STRING && number_parse_size(value->string, &bytes) == 0)
		return store_bounded(option, base, bytes, reader);
	return refuse(reader, "must be a size, a whole number alone or with k, M or G: \"64k\"");
}

static int read_choice(const struct option *option, const struct value *value, void *base,
	struct value_reader *reader)
{
	const struct option_choice *choice;
	const char *near;

	if (value->kind != VALUE_STRING) {
		text_add_string(reader->why, "must be one of these words, in quotes: ");
		option_text_add_range(option, reader->why);
		return -1;
	}
	choice = choices_find(option->choices, value->string);
	if (choice != NULL) {
		store_integer(option, base, choice->value);
		return 0;
	}
	text_add_string(reader->why, "must be one of ");
	option_text_add_range(option, reader->why);
	near = choices_nearest(option->choices, value->string);
	if (near != NULL)
		text_format(reader->why, "; did you mean \"%s\"?", near);
	return -1;
}

static int store_path(
	const struct option *option, void *base, const char *path, struct value_reader *reader)
{
	char joined[4096];
	int len;

	if (*path == '/' || reader->folder == NULL)
		return store_string(option, base, path, reader);
	while (strncmp(path, "./", 2) == 0)
		path += 2;
	len = snprintf(joined, sizeof joined, "%s/%s", reader->folder, path);
	if (len < 0 || (size_t)len >= sizeof joined)
		return refuse(reader, "the path is too long");
	return store_string(option, base, joined, reader);
}

static int read_path(const struct option *option, const struct value *value, void *base,
	struct value_reader *reader)
{
	const struct option_choice *choice;
	const char *near;

	if (value->kind != VALUE_STRING || value->string[0] == '\0')
		return refuse(reader, "must be a path in quotes");
	choice = choices_find(option->choices, value->string);
	if (choice != NULL && choice->value == CHOICE_NONE) {
		char **place = value_member(option, base);

		mem_free(*place);
		*place = NULL;
		return 0;
	}
	if (choice != NULL)
		return store_string(option, base, value->string, reader);
	near = strchr(value->string, '/') == NULL ? choices_nearest(option->choices, value->string)
						  : NULL;
	if (near == NULL)
		return store_path(option, base, value->string, reader);
	text_format(reader->why, "did you mean \"%s\"? A file of that name would be \"./", near);
	escape_quoted(reader->why, slice_of_string(value->string));
	text_add_string(reader->why, "\"");
	return -1;
}

static int read_address(const struct option *option, const struct value *value,
	struct listener_settings *listener, struct value_reader *reader)
{
	const char *why;

	if (address_parse_listen(value->string, &listener->address, &why) == -1)
		return refuse(reader, why);
	return store_string(option, listener, value->string, reader);
}

/* One slash at the end of a URL means nothing, because paths are joined by exactly one; two do. */
static void trim_slash(char *url)
{
	size_t len = strlen(url);

	if (len > 2 && url[len - 1] == '/' && url[len - 2] != '/')
		url[len - 1] = '\0';
}

static int read_url(const struct option *option, const struct value *value,
	struct backend_settings *backend, struct value_reader *reader)
{
	const char *why;
	struct backend_url url;

	if (url_parse(value->string, &url, &why) == -1)
		return refuse(reader, why);
	if (store_string(option, backend, value->string, reader) == -1) {
		url_free(&url);
		return -1;
	}
	url_free(&backend->url);
	backend->url = url;
	if (url.socket == NULL)
		trim_slash(backend->url_text);
	return 0;
}

/* Adds one network. An array is read element by element. */
static int read_network(const struct option *option, const struct value *value, void *base,
	struct value_reader *reader)
{
	struct network network;
	const char *why;

	if (value->kind != VALUE_STRING)
		return refuse(reader, "must be networks in quotes: [ \"10.0.0.0/8\", \"unix:\" ]");
	if (network_parse(value->string, &network, &why) == -1)
		return refuse(reader, why);
	if (network_set_add(value_member(option, base), &network) == -1)
		return refuse(reader, "out of memory");
	return 0;
}

/* Reads the types whose value is a string in quotes. */
static int read_string(const struct option *option, const struct value *value, void *base,
	struct value_reader *reader)
{
	const char *why;

	if (value->kind != VALUE_STRING || value->string[0] == '\0') {
		text_format(reader->why, "must be %s %s in quotes",
			strchr("aeio", *option_type_name(option->type)) != NULL ? "an" : "a",
			option_type_name(option->type));
		return -1;
	}
	if (option->type == OPTION_ADDRESS)
		return read_address(option, value, base, reader);
	if (option->type == OPTION_URL)
		return read_url(option, value, base, reader);
	if (option->type == OPTION_USER && getpwnam(value->string) == NULL)
		return refuse(reader, "this system has no such user");
	if (option->max > 0 && strlen(value->string) > (size_t)option->max)
		return refuse_range(option, reader);
	if (option->type == OPTION_GROUP && getgrnam(value->string) == NULL)
		return refuse(reader, "this system has no such group");
	assert(option->fault == NULL || option->check == NULL);
	why = option->fault != NULL ? option->fault(value->string) : NULL;
	if (why != NULL)
		return refuse(reader, why);
	if (option->check != NULL && option->check(value->string, reader->why) == -1)
		return -1;
	return store_string(option, base, value->string, reader);
}

int value_store(const struct option *option, const struct value *value, void *base,
	struct value_reader *reader)
{
	assert(option != NULL && reader->why != NULL);
	switch (option->type) {
	case OPTION_INTEGER:
		return read_integer(option, value, base, reader);
	case OPTION_BOOLEAN:
		return read_boolean(option, value, base, reader);
	case OPTION_CHOICE:
		return read_choice(option, value, base, reader);
	case OPTION_DURATION:
		return read_duration(option, value, base, reader);
	case OPTION_SIZE:
		return read_size(option, value, base, reader);
	case OPTION_PATH:
		return read_path(option, value, base, reader);
	case OPTION_STATUSES:
		/* 0 is no status, as is every value that is no integer. */
		return statuses_insert(value_member(option, base),
			value->kind == VALUE_INTEGER ? value->integer : 0, reader->why);
	case OPTION_PROTOCOLS:
		return upgrade_option_add(value_member(option, base), value->string, reader->why);
	case OPTION_STRING:
	case OPTION_USER:
	case OPTION_GROUP:
	case OPTION_ADDRESS:
	case OPTION_URL:
		return read_string(option, value, base, reader);
	case OPTION_NETWORKS:
		return read_network(option, value, base, reader);
	case OPTION_SECTION:
	case OPTION_LIST:
		break;
	}
	return refuse(reader, "is not a single value");
}
