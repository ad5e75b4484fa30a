/* What the user can type, beside the demo. Each returns the exit code. */
#ifndef TINYLB_COMMAND_COMMAND_H
#define TINYLB_COMMAND_COMMAND_H

#include "command/command_line.h"
#include "settings/settings_load.h"

/* Runs the balancer, from a file or from the command line. */
int command_run(const struct command_line *words);

/* Whether command_run would go well in the place of a running program, whose state is in
 * words->trial: its settings and that state are tested, and nothing else. */
int command_trial(const struct command_line *words);

/* Tests settings, dumps them, or lists the options there are. */
int command_check(const struct command_line *words);

int command_version(void);

/* Loads what the words name. NULL: mistakes were reported. */
struct settings *command_load(const struct command_line *words, struct settings_errors *errors)
	__attribute__((warn_unused_result));

/* What a user without any settings can do next. */
void command_hint_first_steps(void);

#endif
