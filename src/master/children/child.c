/*
 * The table of children: adding, finding, naming, removing. What happens to them is decided in
 * supervise.c, and how they are ended in stop.c.
 */
#include "config.h"

#include "child.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/process.h"
#include "master/generations/generation.h"
#include "monitor/monitor.h"

struct child *child_add(
	struct list *children, enum child_role role, struct generation *g, uint32_t slot)
{
	struct child *c;

	assert(g != NULL && slot < g->workers);
	c = mem_zalloc(1, sizeof *c);
	if (c == NULL)
		return NULL;
	c->role = role;
	c->generation = g;
	c->slot = slot;
	c->channel = -1;
	c->column = ROWS_NONE;
	c->started = clock_ms();
	list_append(children, &c->link);
	return c;
}

void child_retire(struct child *c, struct board *board)
{
	if (c->place != NULL)
		board_retire(board, c->place, &c->generation->retired);
	c->place = NULL;
	if (c->column != ROWS_NONE && c->generation->rows != NULL)
		rows_retire(c->generation->rows, c->column);
	c->column = ROWS_NONE;
}

void child_remove(struct child *c, struct board *board)
{
	int error = errno; /* it may tell why a start has failed */

	list_remove(&c->link);
	child_retire(c, board);
	fd_close(&c->channel);
	if (c->life != NULL)
		(void)munmap(c->life, sizeof *c->life);
	mem_free(c);
	errno = error;
}

struct child *child_find(const struct list *children, pid_t pid)
{
	for (struct list *l = children->next; l != children; l = l->next)
		if (LIST_ITEM(l, struct child, link)->pid == pid)
			return LIST_ITEM(l, struct child, link);
	return NULL;
}

struct child *child_find_monitor(const struct list *children)
{
	for (struct list *l = children->next; l != children; l = l->next)
		if (LIST_ITEM(l, struct child, link)->role == CHILD_MONITOR)
			return LIST_ITEM(l, struct child, link);
	return NULL;
}

unsigned child_count(const struct list *children, const struct generation *g)
{
	unsigned n = 0;

	for (struct list *l = children->next; l != children; l = l->next)
		n += LIST_ITEM(l, struct child, link)->generation == g;
	return n;
}

bool child_is_any_starting(const struct list *children, const struct generation *g)
{
	for (struct list *l = children->next; l != children; l = l->next) {
		const struct child *c = LIST_ITEM(l, struct child, link);

		if ((g == NULL || c->generation == g) && c->role == CHILD_WORKER &&
			c->state == CHILD_STARTING)
			return true;
	}
	return false;
}

void child_set_state(struct child *c, enum child_state state, uint64_t timeout)
{
	static const char *const names[] = {
		[CHILD_STARTING] = "starting",
		[CHILD_READY] = "ready",
		[CHILD_DRAINING] = "draining",
		[CHILD_ENDING] = "ending",
		[CHILD_KILLED] = "killed",
	};
	char name[CHILD_NAME_SIZE];

	assert(state > c->state && state <= CHILD_KILLED);
	if (log_wants(LOG_LEVEL_DEBUG))
		log_debug("%s: %s -> %s", child_name(c, name), names[c->state], names[state]);
	c->state = state;
	c->deadline = timeout > 0 ? clock_ms() + timeout : 0;
}

const char *child_name(const struct child *c, char out[CHILD_NAME_SIZE])
{
	if (c->role == CHILD_TRIAL)
		snprintf(out, CHILD_NAME_SIZE, "trial of the new program (pid %d)", (int)c->pid);
	else if (c->role == CHILD_MONITOR)
		snprintf(out, CHILD_NAME_SIZE, "monitor gen %u (pid %d)", c->generation->number,
			(int)c->pid);
	else if (c->role == CHILD_RESOLVER)
		snprintf(out, CHILD_NAME_SIZE, "resolver gen %u (pid %d)", c->generation->number,
			(int)c->pid);
	else
		snprintf(out, CHILD_NAME_SIZE, "worker %u gen %u (pid %d)", c->slot,
			c->generation->number, (int)c->pid);
	return out;
}

/* What the signal that killed a child tells of the cause; follows the signal's name. */
static const char *explain_signal(int number)
{
	return number == SIGSYS ? " for a system call that its sandbox forbids" : "";
}

void child_describe_death(const struct child *c, int status, char out[CHILD_DEATH_SIZE])
{
	if (WIFSIGNALED(status)) {
		snprintf(out, CHILD_DEATH_SIZE, "was killed by SIG%s%s%s",
			process_signal_name(WTERMSIG(status)),
			c->hung_since != 0 ? " because it hung" : explain_signal(WTERMSIG(status)),
			WCOREDUMP(status) ? ", leaving a core" : "");
	} else if (c->why[0] != '\0') {
		snprintf(out, CHILD_DEATH_SIZE, "could not start: %s", c->why);
	} else {
		snprintf(out, CHILD_DEATH_SIZE, "exited with code %d", WEXITSTATUS(status));
	}
}
