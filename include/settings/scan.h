/*
 * A look at the text of a settings file before libconfig gets it, for the mistakes that libconfig
 * takes in silence or dies of.
 */
#ifndef TINYLB_SETTINGS_SCAN_H
#define TINYLB_SETTINGS_SCAN_H

#include <stddef.h>

#include "base/slice.h"
#include "settings/report.h"

/*
 * Reads `file` whole, and what it includes from `folder` only to look at it. Returns the text of
 * `file` itself, NUL-terminated, to be freed with mem_free, or NULL where it must not be read
 * further. `size` becomes that of all these files. Either way mistakes are reported: a returned
 * text can have some too.
 */
char *scan_file(const char *file, const char *folder, struct settings_errors *errors, size_t *size)
	__attribute__((warn_unused_result));

/* The path of an included file: "folder/name", or just the name where the folder is the current
 * one. Returns `path`; what is too long is cut. */
#define SCAN_PATH_SIZE 4096
const char *scan_join(const char *folder, struct slice name, char path[SCAN_PATH_SIZE]);

#endif
