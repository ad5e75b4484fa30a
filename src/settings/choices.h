/* The words that an option may be: option->choices, which may be NULL for none. */
#ifndef TINYLB_SETTINGS_CHOICES_H
#define TINYLB_SETTINGS_CHOICES_H

#include "settings/option.h"

/* The choice of this name, that of this value, or NULL. */
const struct option_choice *choices_find(const struct option_choice *list, const char *name);
const struct option_choice *choices_find_value(const struct option_choice *list, int64_t value);

/* The name that a mistyped word may have meant, or NULL. */
const char *choices_nearest(const struct option_choice *list, const char *word);

#endif
