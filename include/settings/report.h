/* Mistakes and oddities in settings, told one line each. */
#ifndef TINYLB_SETTINGS_REPORT_H
#define TINYLB_SETTINGS_REPORT_H

#include "settings/settings_load.h"

/* "file:line: what", without the line where it is 0. */
void report_error(struct settings_errors *errors, const struct settings_place *place,
	const char *format, ...) __attribute__((format(printf, 3, 4)));

/* The same for what is allowed but probably not meant: "file:line: warning: what". */
void report_warning(struct settings_errors *errors, const struct settings_place *place,
	const char *format, ...) __attribute__((format(printf, 3, 4)));

/* Writes "file:line" or "the command line" to `out` and ends it with a NUL. */
const char *report_place(const struct settings_place *place, char *out, size_t size);

#endif
