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
	const char *pid_file; /* NULL: what the settings say */
	/* Leave the terminal: the caller returns when the workers are ready. A log target "stderr"
	 * then leads nowhere; load() has to give another one. */
	bool daemon;
	/* Called once when the first generation is ready; may be NULL. */
	void (*ready)(void *context);
};

/* Runs until it was told to stop. Returns the exit code: 0 stopped as asked, 1 could not start. */
int master_run(const struct master_options *options);

#endif
