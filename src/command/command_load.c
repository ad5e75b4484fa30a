/* The settings come from a file, or from the words themselves. */
#include "config.h"

#include <assert.h>
#include <stdio.h>

#include "command/command.h"
#include "settings/settings_words.h"

struct settings *command_load(const struct command_line *words, struct settings_errors *errors)
{
	struct settings *settings;

	assert(errors != NULL);
	if (words->listen_count > 0)
		settings = settings_words_load(
			words->listen, words->listen_count, words->urls, words->url_count, errors);
	else
		settings = settings_load(words->file, errors);
	if (settings == NULL && errors->out != NULL)
		(void)fprintf(errors->out, "tinylb: %d mistake%s in %s\n", errors->count,
			errors->count == 1 ? "" : "s",
			words->listen_count > 0 ? "the command line" : words->file);
	return settings;
}
