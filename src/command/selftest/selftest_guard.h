/*
 * A process that cleans up after `tinylb selftest`, however that ends. When the selftest is killed,
 * nothing else could remove its folder, or end a process that it had halted.
 */
#ifndef TINYLB_COMMAND_SELFTEST_GUARD_H
#define TINYLB_COMMAND_SELFTEST_GUARD_H

#include <stdbool.h>
#include <sys/types.h>

struct guard {
	pid_t pid; /* also of a process group of its own */
	int pipe;  /* its end tells the guard that the time has come */
};

/* What is to be done at the end. The guard goes by what it was told last. */
struct guard_task {
	pid_t group; /* the process group to kill; 0: none */
	bool keep;   /* the folder */
};

/* Starts it for that folder. 0, or -1 with errno. To be called before other processes are started,
 * which must not inherit the pipe beyond an exec or fd_close_except. */
int selftest_guard_start(struct guard *guard, const char *folder)
	__attribute__((warn_unused_result));

void selftest_guard_tell(const struct guard *guard, const struct guard_task *task);

/* Lets it do its task now, and waits for that. */
void selftest_guard_end(struct guard *guard);

/* Removes a folder without folders in it. */
void selftest_guard_sweep(const char *folder);

#endif
