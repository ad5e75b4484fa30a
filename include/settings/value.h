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
 * sections and lists; of many values it adds one. Returns 0, or -1 with reader->why; then the
 * member is as it was.
 */
int value_store(const struct option *option, const struct value *value, void *base,
	struct value_reader *reader) __attribute__((warn_unused_result));

/* Where an option is kept in `base`. */
void *value_member(const struct option *option, void *base);

/* The member of `base` that is a whole number, whatever its width. */
int64_t value_integer(const struct option *option, const void *base);

#endif
