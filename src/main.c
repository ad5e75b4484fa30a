/* Takes the words of the command line to one command. */
#include "config.h"

#include <string.h>

#include "base/fd.h"
#include "base/title.h"
#include "command/command.h"
#include "command/demo.h"
#include "command/selftest.h"

static int dispatch(const struct command_line *words)
{
	switch (words->command) {
	case COMMAND_CHECK:
		return command_check(words);
	case COMMAND_VERSION:
		return command_version();
	case COMMAND_HELP:
		command_line_print_help();
		return EXIT_FINE;
	case COMMAND_RUN:
		break;
	}
	if (words->trial != -1)
		return command_trial(words);
	return command_run(words);
}

int main(int argc, char **argv)
{
	struct command_line words;
	int code = EXIT_USAGE;

	fd_open_standard();
	title_init(argc, argv);
	/* These have words of their own. */
	if (argc > 1 && strcmp(argv[1], "demo") == 0)
		return command_demo(argc - 1, argv + 1);
	if (argc > 1 && strcmp(argv[1], "selftest") == 0)
		return command_selftest(argc - 1, argv + 1);
	if (command_line_read(argc, argv, &words) == 0)
		code = dispatch(&words);
	command_line_free(&words);
	return code;
}
