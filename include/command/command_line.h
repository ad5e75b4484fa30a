/* The words of the command line, read once. */
#ifndef TINYLB_COMMAND_COMMAND_LINE_H
#define TINYLB_COMMAND_COMMAND_LINE_H

#include <stdbool.h>
#include <stddef.h>

#define DEFAULT_FILE SYSCONFDIR "/tinylb/tinylb.conf"

/* Exit codes of every command. */
enum { EXIT_FINE, EXIT_SETTINGS, EXIT_USAGE };

enum command { COMMAND_RUN, COMMAND_CHECK, COMMAND_HELP, COMMAND_VERSION };

struct command_line {
	enum command command;
	const char *file;     /* never NULL */
	bool is_default_file; /* no option names it */
	const char **listen;  /* owned; with any of these there is no file */
	size_t listen_count;
	const char *const *urls; /* borrowed from argv */
	size_t url_count;
	const char *pid_file; /* NULL: as the settings say */
	bool daemon;
	bool dump;
	bool options;
	int trial; /* a descriptor, of a state that could be taken over; -1: no trial */
};

/* Reads the words, argv[0] being the program's name. 0, or -1: wrong, and said so. */
int command_line_read(int argc, char **argv, struct command_line *words)
	__attribute__((warn_unused_result));

void command_line_free(struct command_line *words);

/* Says what is wrong with `word`, for which getopt_long gave `option`: a value is missing (':'), or
 * there is no such option. For commands with options of their own. */
void command_line_refuse_option(int option, const char *word);

/* The text of --help. */
void command_line_print_help(void);

#endif
