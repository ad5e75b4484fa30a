/* The balancer that `tinylb selftest` starts: its process group and what it tells. */
#ifndef TINYLB_COMMAND_SELFTEST_BALANCER_H
#define TINYLB_COMMAND_SELFTEST_BALANCER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "selftest_guard.h"

struct balancer {
	const char *folder; /* borrowed: it runs there */
	const char *file;   /* borrowed: its settings */
	const char *log;    /* borrowed: where its messages go */
	pid_t master;       /* also the number of its process group; 0: there is none */
	uint16_t port;
	int told; /* a socket: what the balancer tells a service manager */
	/* what it has told so far */
	unsigned ready_count; /* how often it was ready, after a start or a reload */
	uint64_t generation;
	uint64_t workers;
};

/* Starts it, and tells the guard of it. 0, or -1 and it was said why. */
int selftest_balancer_fork(struct balancer *b, const struct guard *guard)
	__attribute__((warn_unused_result));

/* Waits until it is ready and its port is known. 0, or -1 and it was said why. */
int selftest_balancer_wait_ready(struct balancer *b) __attribute__((warn_unused_result));

/* Takes in what it has told since. */
void selftest_balancer_listen(struct balancer *b);

/* Sends a signal to the master. */
void selftest_balancer_signal(const struct balancer *b, int number);

/* True when the master has ended; *code and *status are as in siginfo_t. It is not reaped yet, so
 * that its number stays its own. */
bool selftest_balancer_has_ended(const struct balancer *b, int *code, int *status);

/* True when none of its processes is left. Reaps the master. */
bool selftest_balancer_is_gone(const struct balancer *b);

/* Ends all of its processes, gently and then by force. */
void selftest_balancer_end(struct balancer *b);

#endif
