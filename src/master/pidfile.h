/* The pid file: the process that holds its lock is the running instance. */
#ifndef TINYLB_SRC_MASTER_PIDFILE_H
#define TINYLB_SRC_MASTER_PIDFILE_H

#include <stddef.h>

struct pidfile {
	int fd;     /* locked for as long as it is open; -1: none */
	char *path; /* owned */
};

/* Writes the file with the id of this process. A stale pid file is replaced, and no other file is.
 * `path` NULL: no file. 0, or -1 with a message in `why`. */
int pidfile_open(struct pidfile *p, const char *path, char *why, size_t why_size)
	__attribute__((warn_unused_result));

/* Removes the file where it is still that of this process, and lets go of the lock. */
void pidfile_close(struct pidfile *p);

#endif
