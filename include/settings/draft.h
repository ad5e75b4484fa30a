/* Settings that are not whole yet: what the loaders of a file and of a command line share. */
#ifndef TINYLB_SETTINGS_DRAFT_H
#define TINYLB_SETTINGS_DRAFT_H

#include "settings/option.h"
#include "settings/report.h"
#include "settings/settings.h"

/* Settings with every default and no listener or pool; NULL: no memory. */
struct settings *draft_new(void) __attribute__((warn_unused_result));

/* A copy of `file` that lives as long as the settings; NULL: no memory. */
const char *draft_keep_file(struct settings *settings, const char *file)
	__attribute__((warn_unused_result));

/* Makes the items of a list that is still empty, with their defaults. 0, or -1: no memory. */
int draft_make_items(const struct option *list, void *base, size_t count)
	__attribute__((warn_unused_result));

/* Item `i` of a list. Its first member is its place. */
void *draft_item(const struct option *list, void *base, size_t i);

/* Verifies and completes a draft. Returns it, or frees it and returns NULL where errors were
 * reported, now or before. */
struct settings *draft_finish(struct settings *settings, struct settings_errors *errors)
	__attribute__((warn_unused_result));

#endif
