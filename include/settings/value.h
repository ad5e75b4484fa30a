/*
 * Values between their text in a file and their member in a struct. Knows nothing of where they
 * were read, so that the file, the command line and the table's own defaults take the same way.
 */
#ifndef TINYLB_SETTINGS_VALUE_H
#define TINYLB_SETTINGS_VALUE_H

#include "settings/option.h"

enum value_kind {
	VALUE_INTEGER,
	VALUE_FLOAT,
	VALUE_BOOLEAN,
	VALUE_STRING,
	VALUE_GROUP,
	VALUE_LIST,
	VALUE_ARRAY
};

struct value {
	enum value_kind kind;
	int64_t integer;
	double real;
	bool boolean;
	const char *string; /* borrowed */
};

struct value_reader {
	const char *folder; /* that relative paths start from; NULL: they stay as they are */
	struct text *why;   /* when refused: what would be right */
};

/*
 * Checks `value` and writes it to the option's member of `base`, the struct of its scope. Not for
 * sections and lists; of networks it adds one. Returns 0, or -1 with reader->why; then the member
 * is as it was.
 */
int value_store(const struct option *option, const struct value *value, void *base,
	struct value_reader *reader) __attribute__((warn_unused_result));

/* Writes the defaults of a scope to `base`, and of the sections in it that are not optional;
 * required options stay as they are. 0, or -1: no memory. */
int value_store_defaults(enum option_scope scope, void *base) __attribute__((warn_unused_result));

/* Frees what the options of a scope own in `base`, with the sections and lists in it. */
void value_free(enum option_scope scope, void *base);

/* Whether an item of a list is the user's. One that stands for a further address of a name is not:
 * it shares what the first one has. */
bool value_is_own(const struct option *list, const void *item);

/* Adds a value as a user would write it, for messages. */
void value_add(struct text *out, const struct value *value);

/* Adds the member of `base` as the settings file would have it, or returns false: not set (which an
 * integer below its range is, too), or more than one value. */
bool value_add_member(struct text *out, const struct option *option, const void *base);

/* True where an optional section stands in the settings: its place is known then. */
bool value_is_given(const struct option *section, const void *base);

/* Where an option is kept in `base`. */
void *value_member(const struct option *option, void *base);

/* The member of `base` that is a whole number, whatever its width. */
int64_t value_integer(const struct option *option, const void *base);

#endif
