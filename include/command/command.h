/* The commands of the program but for the demo and the selftest. Each returns the exit code. */
#ifndef TINYLB_COMMAND_COMMAND_H
#define TINYLB_COMMAND_COMMAND_H

#include "command/command_line.h"
#include "settings/settings_load.h"

/* Runs the balancer, from a file or from the command line. */
int command_run(const struct command_line *words);

/* Tests whether command_run could take the place of a running program, whose state is in
 * words->trial. Tests the settings and that state, and nothing else. */
int command_trial(const struct command_line *words);

/* Tests settings, dumps them, or lists all options. */
int command_check(const struct command_line *words);

/* Prints the versions of the program and of libevent. */
int command_version(void);

/* Loads the settings that the command line names. The caller frees them. NULL: mistakes were
 * reported. */
struct settings *command_load(const struct command_line *words, struct settings_errors *errors)
	__attribute__((warn_unused_result));

/* Prints what a user without any settings can do next. */
void command_hint_first_steps(void);

#endif
