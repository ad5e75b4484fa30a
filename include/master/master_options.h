/* What the master is told by the program that it runs in. */
#ifndef TINYLB_MASTER_MASTER_OPTIONS_H
#define TINYLB_MASTER_MASTER_OPTIONS_H

#include <stdbool.h>

struct settings;

struct master_options {
	/* Loads the settings, at the start and at every HUP: the caller's, to be freed with
	 * settings_free; NULL: they are refused, and the reasons were logged. `context` is handed
	 * on. */
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

/* The last line that a program writes which passed its trial, behind its name and version. The same
 * in all versions. */
#define MASTER_TRIAL_PASSED "can take over"

#endif
