/* Settings as the text of a file. */
#ifndef TINYLB_SETTINGS_SETTINGS_DUMP_H
#define TINYLB_SETTINGS_SETTINGS_DUMP_H

#include <stdio.h>

#include "settings/settings.h"

/* Writes the effective settings, every option, in a form that settings_load takes. */
void settings_dump(const struct settings *settings, FILE *out);

#endif
