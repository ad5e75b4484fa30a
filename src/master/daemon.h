/* Leaving the terminal (--daemon). */
#ifndef TINYLB_SRC_MASTER_DAEMON_H
#define TINYLB_SRC_MASTER_DAEMON_H

#include <stdbool.h>

struct daemon {
	bool on;
	int status; /* owned: a pipe to the process that was started; -1: it was told, or there is
		       none */
};

/*
 * Forks. In the new process, which goes on, returns -1. In the old one waits until the new one is
 * ready and returns the exit code: 0, or 1 if it ended before.
 */
int daemon_start(struct daemon *d) __attribute__((warn_unused_result));

/* Tells the waiting process that all is well, and lets go of its terminal. */
void daemon_ready(struct daemon *d);

/* Makes the standard descriptors lead nowhere. */
void daemon_silence(void);

/* Closes the pipe: a waiting process that was told nothing takes that for failure. */
void daemon_fini(struct daemon *d);

#endif
