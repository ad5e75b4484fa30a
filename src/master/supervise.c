/*
 * Watches over children. A worker of the current generation that dies is replaced on the same
 * sockets, at once or after a pause (backoff.h); the death of one of the generation being started
 * makes that start fail; that of a past one is only logged.
 */
#include "config.h"

#include "supervise.h"

#include <assert.h>
#include <stdio.h>
#include <sys/wait.h>

#include "base/clock.h"
#include "base/log.h"
#include "master/children/hang.h"
#include "master/children/monitor_child.h"
#include "master/children/spawn.h"
#include "master/children/stand_in.h"
#include "master/children/stop.h"
#include "master/generations/canary.h"
#include "master/generations/reload.h"
#include "master/upgrade/upgrade.h"
#include "messages.h"
#include "shutdown.h"

/* Decides when the next worker of a slot starts. `lived`: how long the last one did, ms. */
static void schedule(struct master *m, struct generation *g, uint32_t slot, uint64_t lived)
{
	struct slot *s = &g->slots[slot];

	assert(slot < g->workers);
	s->due = clock_ms() + backoff_next(&s->backoff, lived, rng_next(&m->jitter));
	s->respawn++;
}

static void replace(struct master *m, const struct child *c, const char *death)
{
	struct slot *s = &c->generation->slots[c->slot];
	char name[CHILD_NAME_SIZE];
	uint64_t now = clock_ms();

	schedule(m, c->generation, c->slot, now - c->started);
	if (s->due > now)
		log_errorx("%s %s; the next one starts in %ju ms", child_name(c, name), death,
			(uintmax_t)(s->due - now));
	else
		log_errorx("%s %s; the next one starts now", child_name(c, name), death);
	if (s->due > now)
		stand_in_begin(m, c->slot);
}

/* A worker of the next generation has died: its start has failed. */
static void fail_start(struct master *m, const struct child *c, const char *death)
{
	char why[CHILD_DEATH_SIZE + 16];

	if (c->why[0] != '\0')
		snprintf(why, sizeof why, "%s", c->why);
	else
		snprintf(why, sizeof why, "worker %u %s", c->slot, death);
	reload_fail(m, why);
}

static void worker_died(struct master *m, struct child *c, int status)
{
	bool asked = c->state >= CHILD_ENDING || (c->state == CHILD_DRAINING && status == 0);
	char name[CHILD_NAME_SIZE], death[CHILD_DEATH_SIZE];

	child_describe_death(c, status, death);
	c->generation->killed += c->state == CHILD_KILLED;
	if (!asked && c->generation == m->next)
		fail_start(m, c, death);
	else if (c->generation == m->current)
		replace(m, c, death);
	else if (asked)
		log_debug("%s %s", child_name(c, name), death);
	else
		log_errorx("%s %s while it was draining", child_name(c, name), death);
}

static void child_died(struct master *m, pid_t pid, int status)
{
	struct child *c = child_find(&m->children, pid);

	if (c == NULL) {
		log_debug("process %d has ended; it is none of ours", (int)pid);
		return;
	}
	/* Its last words say why it died. */
	messages_read(m, c);
	/* Its process id may soon be that of another process: it must not be found by it. */
	list_remove(&c->link);
	/* This comes first: what siblings pass to it now would wait for the next worker. */
	child_retire(c, m->board);
	stand_in_move(m, c);
	if (c->role == CHILD_TRIAL)
		upgrade_tried(m, status);
	else if (c->role == CHILD_WORKER)
		worker_died(m, c, status);
	else if (c->role == CHILD_MONITOR)
		monitor_child_died(m, c, status);
	else if (c->generation == m->next)
		reload_resolved(m, status == 0);
	child_remove(c, m->board);
}

void supervise_reap(struct master *m)
{
	int status;
	pid_t pid;

	/* One SIGCHLD may stand for many deaths. */
	while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
		child_died(m, pid, status);
}

static void respawn(struct master *m, struct generation *g, uint32_t slot)
{
	assert(g == m->current);
	g->slots[slot].due = 0;
	if (spawn_worker(m, g, slot) == -1) {
		log_error("cannot start worker %u", slot);
		schedule(m, g, slot, 0);
		stand_in_begin(m, slot);
	}
}

static void stop_overdue_children(struct master *m, uint64_t now)
{
	for (struct list *l = m->children.next; l != &m->children; l = l->next) {
		struct child *c = LIST_ITEM(l, struct child, link);

		if (c->deadline != 0 && c->deadline <= now)
			stop_overdue(c);
	}
}

static void respawn_due(struct master *m, uint64_t now)
{
	struct generation *g = m->current;

	for (uint32_t i = 0; g != NULL && i < g->workers; i++)
		if (g->slots[i].due != 0 && g->slots[i].due <= now)
			respawn(m, g, i);
}

static void expire_escrow(struct master *m, uint64_t now)
{
	size_t held = m->escrow.count;

	escrow_expire(&m->escrow, now, master_state_next_settings(m));
	if (m->escrow.count != held)
		fdstore_sync(&m->fdstore, &m->escrow);
}

void supervise_timers(struct master *m)
{
	uint64_t now = clock_ms();
	char why[256];

	stop_overdue_children(m, now);
	respawn_due(m, now);
	if (m->next != NULL && m->next->deadline <= now)
		reload_overdue(m);
	stand_in_retry(m);
	if (hang_look(m, why, sizeof why) == HANG_WATCHED)
		reload_roll_back(m, why);
	monitor_child_look(m);
	expire_escrow(m, now);
	if (m->lame_duck_end != 0 && m->lame_duck_end <= now)
		shutdown_drain(m);
	fdstore_retry(&m->fdstore, &m->escrow);
	if (canary_look(m, why, sizeof why) == CANARY_WORSE)
		reload_roll_back(m, why);
}

static uint64_t earlier(uint64_t a, uint64_t b)
{
	return b != 0 && b < a ? b : a;
}

uint64_t supervise_next_due(const struct master *m)
{
	const struct generation *g = m->current;
	uint64_t due = earlier(stand_in_next_due(m), fdstore_due(&m->fdstore));

	for (struct list *l = m->children.next; l != &m->children; l = l->next)
		due = earlier(due, LIST_ITEM(l, struct child, link)->deadline);
	for (uint32_t i = 0; g != NULL && i < g->workers; i++)
		due = earlier(due, g->slots[i].due);
	if (m->next != NULL)
		due = earlier(due, m->next->deadline);
	due = earlier(due, hang_next_due(m));
	due = earlier(due, monitor_child_next_due(m));
	due = earlier(due, canary_next_due(m));
	due = earlier(due, m->lame_duck_end);
	return earlier(due, escrow_next_due(&m->escrow, master_state_next_settings(m)));
}
