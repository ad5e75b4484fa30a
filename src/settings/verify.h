/* What the files that verify settings share. */
#ifndef TINYLB_SETTINGS_VERIFY_H
#define TINYLB_SETTINGS_VERIFY_H

#include "settings/report.h"
#include "settings/settings.h"

/* One text that should be there once, and where it stands. */
struct entry {
	const char *key;
	const char *shown; /* as its author wrote it */
	const struct settings_place *place;
	size_t index; /* in the order of the file */
};

/* The names of the pools, sorted. */
struct pool_names {
	struct entry *entries;
	size_t count;
};

void verify_no_memory(struct settings_errors *errors);

/* Finds the pool that an option (by its whole name) names, and writes its index. Where there is
 * none, that is reported; what was meant is told, where it can be guessed. */
void verify_pool_name(const struct pool_names *pools, const char *option, const char *name,
	const struct settings_place *place, size_t *index, struct settings_errors *errors);

/* Judges a listener's routes, makes their hosts and paths canonical and finds their pools. */
void verify_routes(struct listener_settings *listener, const struct pool_names *pools,
	struct settings_errors *errors);

#endif
