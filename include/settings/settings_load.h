/* Loads settings from a file. */
#ifndef TINYLB_SETTINGS_SETTINGS_LOAD_H
#define TINYLB_SETTINGS_SETTINGS_LOAD_H

#include "settings/report.h"
#include "settings/settings.h"

/* Loads `file`. Opens no socket and looks up no name. Returns settings that the caller frees with
 * settings_free, or NULL with every mistake reported. */
struct settings *settings_load(const char *file, struct settings_errors *errors)
	__attribute__((warn_unused_result));

#endif
