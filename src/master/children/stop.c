/*
 * The steps by which one child ends. Nothing here waits: a step is taken, its deadline noted, and
 * the master's loop comes back.
 */
#include "config.h"

#include "stop.h"

#include <assert.h>
#include <errno.h>
#include <signal.h>

#include "base/log.h"

static void send_signal(const struct child *c, int number)
{
	char name[CHILD_NAME_SIZE];

	/* 0 and -1 would reach others. */
	assert(c->pid > 0);
	if (kill(c->pid, number) == -1 && errno != ESRCH)
		log_error("cannot send a signal to %s", child_name(c, name));
}

void stop_soon(struct child *c)
{
	if (c->state >= CHILD_ENDING)
		return;
	child_set_state(c, CHILD_ENDING, STOP_TERM_TIMEOUT_MS);
	send_signal(c, SIGTERM);
}

void stop_hung(struct child *c)
{
	assert(c->role == CHILD_WORKER && c->hung_since != 0);
	child_set_state(c, CHILD_ENDING, STOP_TERM_TIMEOUT_MS);
	send_signal(c, SIGABRT);
	/* A process that is stopped gets no other signal before it goes on. */
	send_signal(c, SIGCONT);
}

void stop_at_once(struct child *c)
{
	if (c->state == CHILD_KILLED)
		return;
	child_set_state(c, CHILD_KILLED, 0);
	send_signal(c, SIGKILL);
}

void stop_overdue(struct child *c)
{
	char name[CHILD_NAME_SIZE];

	switch (c->state) {
	case CHILD_STARTING:
		log_warnx("%s is not ready after %u ms: ending it", child_name(c, name),
			(unsigned)CHILD_START_TIMEOUT_MS);
		stop_at_once(c);
		break;
	case CHILD_DRAINING:
		log_warnx("%s is still busy at its deadline: ending it", child_name(c, name));
		stop_soon(c);
		break;
	case CHILD_ENDING:
		log_warnx("%s does not end: killing it", child_name(c, name));
		stop_at_once(c);
		break;
	case CHILD_READY:
	case CHILD_KILLED:
		c->deadline = 0;
		break;
	}
}
