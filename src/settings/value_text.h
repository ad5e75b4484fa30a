/* Values as text. */
#ifndef TINYLB_SETTINGS_VALUE_TEXT_H
#define TINYLB_SETTINGS_VALUE_TEXT_H

#include <stdbool.h>

#include "base/text.h"
#include "settings/option.h"
#include "settings/value.h"

/* Adds a value as a user would write it, for messages; a string at most 100 bytes of it. */
void value_text_add(struct text *out, const struct value *value);

/* Adds the member of `base` as the settings file would have it. False: it was not set (an integer
 * below its range was not, too), or it is more than one value. */
bool value_text_add_member(struct text *out, const struct option *option, const void *base);

#endif
