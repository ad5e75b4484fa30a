/* Settings from the words of a command line, without a file. */
#ifndef TINYLB_SETTINGS_SETTINGS_WORDS_H
#define TINYLB_SETTINGS_SETTINGS_WORDS_H

#include <stddef.h>

#include "settings/report.h"
#include "settings/settings.h"

/* Makes one pool named "backends" of `urls` and listeners in front of it at the addresses `listen`,
 * everything else by default. Returns settings that the caller frees with settings_free, or NULL
 * with every mistake reported. */
struct settings *settings_words_load(const char *const *listen, size_t listen_count,
	const char *const *urls, size_t url_count, struct settings_errors *errors)
	__attribute__((warn_unused_result));

#endif
