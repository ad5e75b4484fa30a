/* How the members of a struct of settings begin and end. */
#ifndef TINYLB_SETTINGS_VALUE_LIFE_H
#define TINYLB_SETTINGS_VALUE_LIFE_H

#include <stdbool.h>

#include "settings/option.h"

/* Writes the defaults of a scope to `base`, and of the sections in it that are not optional.
 * Required options stay as they are. 0, or -1: no memory. */
int value_life_set_defaults(enum option_scope scope, void *base)
	__attribute__((warn_unused_result));

/* Makes an option of many values empty, before those of an array. 0, or -1: no memory. */
int value_life_clear(const struct option *option, void *base) __attribute__((warn_unused_result));

/* Frees what the options of a scope own in `base`, with the sections and lists in it. */
void value_life_free(enum option_scope scope, void *base);

/* Whether an item of a list owns what it points to. One that stands for a further address of a name
 * shares that with the first one. */
bool value_life_is_own(const struct option *list, const void *item);

/* Whether an optional section stands in the settings: its place is known then. */
bool value_life_is_given(const struct option *section, const void *base);

#endif
