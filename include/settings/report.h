/* Reports mistakes and oddities in settings. */
#ifndef TINYLB_SETTINGS_REPORT_H
#define TINYLB_SETTINGS_REPORT_H

#include <stddef.h>
#include <stdio.h>

#include "settings/routes.h"

/* What one load found wrong. Each mistake is one line: "file:line: the option, the value, what
 * would be right". */
struct settings_errors {
	FILE *out;    /* where the lines go; NULL: to the log */
	int count;    /* of errors */
	int warnings; /* not part of count: what looks odd and is allowed */
};

/* "file:line: what", without the line where it is 0. */
void report_error(struct settings_errors *errors, const struct settings_place *place,
	const char *format, ...) __attribute__((format(printf, 3, 4)));

/* The same for what is allowed but probably not meant: "file:line: warning: what". */
void report_warning(struct settings_errors *errors, const struct settings_place *place,
	const char *format, ...) __attribute__((format(printf, 3, 4)));

/* Writes "file:line" or "the command line" to `out` and ends it with a NUL. */
const char *report_place(const struct settings_place *place, char *out, size_t size);

#endif
