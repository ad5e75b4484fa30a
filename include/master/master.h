/*
 * The master: reads settings, forks workers, keeps their listening sockets, replaces the dead,
 * reloads, stops. No libevent, no HTTP: it never reads a byte that a peer sent.
 */
#ifndef TINYLB_MASTER_MASTER_H
#define TINYLB_MASTER_MASTER_H

#include <stdbool.h>

#include "settings/settings.h"

struct master_options {
	/* Loads the settings, at the start and at every HUP; `context` is handed on. */
	struct settings *(*load)(void *context);
	void *context;
	const char *file;     /* the settings file, for the title of the process; NULL: none */
	const char *pid_file; /* NULL: what the settings say */
	/* Leave the terminal: the caller returns when the workers are ready. A log target "stderr"
	 * then leads nowhere; load() has to give another one. */
	bool daemon;
	/* The words that the program was started with, for the program that takes over from it
	 * (USR2); NULL: none can. */
	char *const *arguments;
	/* Called once when the first generation is ready; may be NULL. */
	void (*ready)(void *context);
};

/* Runs until it was told to stop. Returns the exit code: 0 stopped as asked, 1 could not start. A
 * program that takes over from a running one goes on in its place. */
int master_run(const struct master_options *options);

/* True in a program that is to take over from a running one. */
bool master_is_taking_over(void);

/* What a program says last that passed its trial, behind its name and version. The same in all
 * versions. */
#define MASTER_TRIAL_PASSED "can take over"

/* Whether this program could take over what is in the open file `state`: 0, or -1 and standard
 * error says why. Changes nothing. */
int master_trial(int state) __attribute__((warn_unused_result));

#endif
