/* `tinylb check`: tests settings and shows them. Touches no socket and looks no name up. */
#include "config.h"

#include <stdio.h>

#include "command/command.h"
#include "settings/option_text.h"
#include "settings/settings_dump.h"

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
