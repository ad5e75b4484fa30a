/*
 * The table of children: adding, finding, naming, removing. What happens to them is decided in
 * supervise.c and end.c.
 */
#include "config.h"

#include "master/children/child.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/memory.h"
#include "master/children/monitor_child.h"
#include "master/master_state.h"

struct child *child_add(struct master *m, enum child_role role, struct generation *g, uint32_t slot)
{
	struct child *c = mem_zalloc(1, sizeof *c);

	if (c == NULL)
		return NULL;
	c->role = role;
	c->generation = g;
	c->slot = slot;
	c->channel = -1;
	c->column = ROWS_NONE;
	c->started = clock_ms();
	list_append(&m->children, &c->link);
	return c;
}

void child_retire(struct master *m, struct child *c)
{
	if (c->place != NULL)
		board_retire(m->board, c->place, &c->generation->retired);
	c->place = NULL;
	if (c->column != ROWS_NONE && c->generation->rows != NULL)
		rows_retire(c->generation->rows, c->column);
	c->column = ROWS_NONE;
}

void child_remove(struct master *m, struct child *c)
{
	int error = errno; /* it may tell why a start has failed */

	list_remove(&c->link);
	child_retire(m, c);
	fd_close(&c->channel);
	monitor_forget(c);
	mem_free(c);
	errno = error;
}

struct child *child_find(struct master *m, pid_t pid)
{
	for (struct list *l = m->children.next; l != &m->children; l = l->next)
		if (LIST_ITEM(l, struct child, link)->pid == pid)
			return LIST_ITEM(l, struct child, link);
	return NULL;
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

	/* A child only ever moves on. */
	assert(state > c->state);
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
