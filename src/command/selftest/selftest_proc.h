/* What /proc says of the balancer that `tinylb selftest` has started. */
#ifndef TINYLB_COMMAND_SELFTEST_PROC_H
#define TINYLB_COMMAND_SELFTEST_PROC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct proc_worker {
	pid_t pid;
	uint64_t slot;
	uint64_t generation;
};

/* True where /proc can tell what is asked here of it. */
bool selftest_proc_is_there(void);

/* The workers among the children of `master`, up to `max`, by their titles. */
size_t selftest_proc_workers(pid_t master, struct proc_worker *list, size_t max);

/* Waits, for a moment only, until a process that was sent SIGSTOP stands still. */
void selftest_proc_wait_stopped(pid_t pid);

/*
 * The far ports of the connections to 127.0.0.1:port that `pid` holds, up to `max`. Returns how
 * many there are, or -1 with errno where that cannot be read.
 */
ssize_t selftest_proc_held(pid_t pid, uint16_t port, uint16_t *far, size_t max);

#endif
