/* `tinylb check`: tests settings and shows them. Touches no socket and looks no name up. */
#include "config.h"

#include <assert.h>
#include <stdio.h>

#include "command/command.h"
#include "settings/option_text.h"
#include "settings/settings_dump.h"
#include "settings/settings_words.h"

static const char *plural(size_t count)
{
	return count == 1 ? "" : "s";
}

static void print_summary(const struct settings *settings)
{
	size_t backends = 0;

	for (size_t i = 0; i < settings->pool_count; i++)
		backends += settings->pools[i].backend_count;
	printf("%s: settings are fine (%zu listener%s, %zu pool%s, %zu backend%s)\n",
		settings->file != NULL ? settings->file : "command line", settings->listener_count,
		plural(settings->listener_count), settings->pool_count,
		plural(settings->pool_count), backends, plural(backends));
}

static int flush_output(void)
{
	if (fflush(stdout) == 0 && ferror(stdout) == 0)
		return EXIT_FINE;
	perror("tinylb: cannot write");
	return EXIT_SETTINGS;
}

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
			plural((size_t)errors->count),
			words->listen_count > 0 ? "the command line" : words->file);
	return settings;
}

int command_check(const struct command_line *words)
{
	struct settings_errors errors = { .out = stderr };
	struct settings *settings;

	if (words->options) {
		option_text_print_table(stdout);
		return flush_output();
	}
	settings = command_load(words, &errors);
	if (settings == NULL)
		return EXIT_SETTINGS;
	if (words->dump)
		settings_dump(settings, stdout);
	else
		print_summary(settings);
	settings_free(settings);
	return flush_output();
}
