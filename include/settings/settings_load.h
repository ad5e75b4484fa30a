/* How settings come in and go out. What they are is in settings.h. */
#ifndef TINYLB_SETTINGS_SETTINGS_LOAD_H
#define TINYLB_SETTINGS_SETTINGS_LOAD_H

#include <stdio.h>

#include "settings/settings.h"

/*
 * What a load found wrong: every mistake of one run, one line each, as "file:line: the option, the
 * value, what would be right".
 */
struct settings_errors {
	FILE *out; /* where the lines go; NULL: to the log */
	int count;
	int warnings; /* what looks odd and is allowed; not part of count */
};

/* Loads `file`. No socket is touched and no name looked up. Returns settings to be freed with
 * settings_free, or NULL with every mistake reported. */
struct settings *settings_load(const char *file, struct settings_errors *errors)
	__attribute__((warn_unused_result));

/* Settings without a file: one pool named "backends" and listeners in front of it, everything else
 * the defaults. As settings_load otherwise. */
struct settings *settings_words_load(const char *const *listen, size_t listen_count,
	const char *const *urls, size_t url_count, struct settings_errors *errors)
	__attribute__((warn_unused_result));

/* Writes the effective settings, every option, in a form that settings_load takes. */
void settings_dump(const struct settings *settings, FILE *out);

#endif
