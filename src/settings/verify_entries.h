/* Texts that should be there once: duplicates among them, and the pool that a text names. */
#ifndef TINYLB_SETTINGS_VERIFY_ENTRIES_H
#define TINYLB_SETTINGS_VERIFY_ENTRIES_H

#include <stdbool.h>
#include <stddef.h>

#include "settings/report.h"
#include "settings/settings.h"

/* One text and where it stands. All is borrowed. */
struct verify_entry {
	const char *key;
	const char *shown; /* as its author wrote it */
	const struct settings_place *place;
	size_t index; /* in the order of the file */
};

/* The names of the pools, sorted. */
struct pool_names {
	struct verify_entry *entries;
	size_t count;
};

/* For qsort: by key, equal ones by index. */
int verify_entries_compare(const void *a, const void *b);

/* Sorts the entries and reports each whose key stands there again, as an error or as a warning.
 * `what` names them: "the pool". */
void verify_entries_find_duplicates(struct verify_entry *entries, size_t count, const char *what,
	struct settings_errors *errors, bool are_errors);

/* Reports that memory is short. */
void verify_entries_no_memory(struct settings_errors *errors);

/* Finds the pool that an option (by its whole name) names, and writes its index. Where there is
 * none, reports that, with a guess at what was meant. */
void verify_entries_find_pool(const struct pool_names *pools, const char *option, const char *name,
	const struct settings_place *place, size_t *index, struct settings_errors *errors);

#endif
