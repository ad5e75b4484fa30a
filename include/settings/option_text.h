/* The option table in words. */
#ifndef TINYLB_SETTINGS_OPTION_TEXT_H
#define TINYLB_SETTINGS_OPTION_TEXT_H

#include <stdio.h>

#include "base/text.h"
#include "settings/option.h"

/* Adds which values are allowed ("0 to 256", "backend, preserve"), or nothing. */
void option_text_add_range(const struct option *option, struct text *out);

/* Writes the table, one option a line: name, type, range, default, help; a dash where there is
 * none, columns parted by two spaces or more. */
void option_text_print_table(FILE *out);

#endif
