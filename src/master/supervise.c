/*
 * Watches over children. A worker of the current generation that dies is replaced on the same
 * sockets, at once or after a pause (backoff.h); one of the generation being started makes that
 * start fail; one of the past is only seen off.
 */
#include "config.h"

#include "master/supervise.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/process.h"
#include "master/children/hang.h"
#include "master/children/monitor_child.h"
#include "master/children/spawn.h"
#include "master/children/stand_in.h"
#include "master/generations/canary.h"
#include "master/generations/reload.h"
#include "master/shutdown.h"
#include "master/sockets/fdstore.h"
#include "master/upgrade/upgrade.h"

/* A worker has bound a socket: from now on the connections on it outlive the worker. */
static void take_escrow(struct master *m, struct child *c, uint32_t number, int fd)
{
	const struct settings *s = c->generation->settings;
	struct message answer = { .type = MESSAGE_ESCROWED, .number = number };
	char name[CHILD_NAME_SIZE];

	if (c->state != CHILD_STARTING || number >= s->listener_count || fd == -1 ||
		escrow_find(&m->escrow, &s->listeners[number].address, c->slot) != NULL) {
		log_warnx("%s sent a socket that nobody asked for", child_name(c, name));
		fd_close(&fd);
		return;
	}
	if (escrow_add(&m->escrow, &s->listeners[number].address, c->slot, c->generation->number,
		    fd) == -1 ||
		channel_send(c->channel, &answer, -1) == -1)
		log_error("cannot take a socket from %s", child_name(c, name));
}

static void take_ready(struct master *m, struct child *c)
{
	char name[CHILD_NAME_SIZE];

	if (c->state != CHILD_STARTING)
		return;
	child_set_state(c, CHILD_READY, 0);
	if (c->generation->state == GENERATION_CURRENT)
		log_info("%s is ready", child_name(c, name));
	if (c->generation == m->current)
		foster_end(m, c->slot);
}

static void take_cut(struct generation *g, const struct message *message)
{
	g->cut_requests += message->number;
	g->cut_idle += message->id;
	g->cut_workers++;
}

static void take_message(struct master *m, struct child *c, const struct message *message, int fd)
{
	switch (message->type) {
	case MESSAGE_ESCROW:
		take_escrow(m, c, message->number, fd);
		return;
	case MESSAGE_READY:
		take_ready(m, c);
		end_tell_ready(m, c);
		break;
	case MESSAGE_CUT:
		take_cut(c->generation, message);
		break;
	case MESSAGE_PASSED:
		end_rescue_passed(m, c->generation);
		break;
	case MESSAGE_RELEASED:
		foster_released(m, c, message->id);
		break;
	case MESSAGE_FAILED:
		snprintf(c->why, sizeof c->why, "%s", message->text);
		break;
	default:
		log_warnx("worker %u sent a message of type %u", c->slot, message->type);
		break;
	}
	fd_close(&fd);
}

void supervise_read(struct master *m, struct child *c)
{
	struct message message;
	int fd;

	while (c->channel != -1) {
		switch (channel_receive(c->channel, &message, &fd)) {
		case CHANNEL_MESSAGE:
			take_message(m, c, &message, fd);
			break;
		case CHANNEL_CLOSED:
			fd_close(&c->channel);
			return;
		case CHANNEL_EMPTY:
			return;
		}
	}
}

/* Behind the name of a signal: what it tells of its cause. */
static const char *explain_signal(int number)
{
	return number == SIGSYS ? " for a system call that its sandbox forbids" : "";
}

void supervise_describe_death(const struct child *c, int status, char out[DEATH_SIZE])
{
	if (WIFSIGNALED(status)) {
		snprintf(out, DEATH_SIZE, "was killed by SIG%s%s%s",
			process_signal_name(WTERMSIG(status)),
			c->hung_since != 0 ? " because it hung" : explain_signal(WTERMSIG(status)),
			WCOREDUMP(status) ? ", leaving a core" : "");
	} else if (c->why[0] != '\0') {
		snprintf(out, DEATH_SIZE, "could not start: %s", c->why);
	} else {
		snprintf(out, DEATH_SIZE, "exited with code %d", WEXITSTATUS(status));
	}
}

/* Gives a dead worker's slot its next date. */
static void schedule(struct master *m, struct generation *g, uint32_t slot, uint64_t lived)
{
	struct slot *s = &g->slots[slot];

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
		foster_begin(m, c->slot);
}

/* The start of a whole generation ends with the death of one of its workers. */
static void fail_start(struct master *m, const struct child *c, const char *death)
{
	char why[DEATH_SIZE + 16];

	if (c->why[0] != '\0')
		snprintf(why, sizeof why, "%s", c->why);
	else
		snprintf(why, sizeof why, "worker %u %s", c->slot, death);
	reload_fail(m, why);
}

static void bury_worker(struct master *m, struct child *c, int status)
{
	bool asked = c->state >= CHILD_ENDING || (c->state == CHILD_DRAINING && status == 0);
	char name[CHILD_NAME_SIZE], death[DEATH_SIZE];

	supervise_describe_death(c, status, death);
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

static void bury(struct master *m, pid_t pid, int status)
{
	struct child *c = child_find(m, pid);

	if (c == NULL) {
		log_debug("process %d has ended; it is none of ours", (int)pid);
		return;
	}
	/* What it said last explains why it died. */
	supervise_read(m, c);
	/* Its id may be another process's soon: nobody must find it any more. */
	list_remove(&c->link);
	/* First of all: what siblings pass to it would have to wait for the next one. */
	child_retire(m, c);
	foster_move(m, c);
	if (c->role == CHILD_TRIAL)
		upgrade_tried(m, status);
	else if (c->role == CHILD_WORKER)
		bury_worker(m, c, status);
	else if (c->role == CHILD_MONITOR)
		monitor_died(m, c, status);
	else if (c->generation == m->next)
		reload_resolved(m, status == 0);
	child_remove(m, c);
}

void supervise_reap(struct master *m)
{
	int status;
	pid_t pid;

	/* One SIGCHLD may stand for many deaths. */
	while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
		bury(m, pid, status);
}

static void respawn(struct master *m, struct generation *g, uint32_t slot)
{
	g->slots[slot].due = 0;
	if (spawn_worker(m, g, slot) == -1) {
		log_error("cannot start worker %u", slot);
		schedule(m, g, slot, 0);
		foster_begin(m, slot);
	}
}

/* What may soon be in force. */
static const struct settings *next_settings(const struct master *m)
{
	return m->next != NULL ? m->next->settings : NULL;
}

void supervise_timers(struct master *m)
{
	struct generation *g = m->current;
	uint64_t now = clock_ms();
	size_t held;

	for (struct list *l = m->children.next; l != &m->children; l = l->next) {
		struct child *c = LIST_ITEM(l, struct child, link);
		if (c->deadline != 0 && c->deadline <= now)
			end_overdue(c);
	}
	for (uint32_t i = 0; g != NULL && i < g->workers; i++)
		if (g->slots[i].due != 0 && g->slots[i].due <= now)
			respawn(m, g, i);
	if (m->next != NULL && m->next->deadline <= now)
		reload_overdue(m);
	foster_retry(m);
	hang_look(m);
	monitor_look(m);
	held = m->escrow.count;
	escrow_expire(&m->escrow, now, next_settings(m));
	if (m->escrow.count != held)
		fdstore_sync(m);
	if (m->lame_duck_end != 0 && m->lame_duck_end <= now)
		end_lame_duck(m);
	fdstore_retry(m);
	canary_look(m);
}

static uint64_t earlier(uint64_t a, uint64_t b)
{
	return b != 0 && b < a ? b : a;
}

uint64_t supervise_next_due(const struct master *m)
{
	const struct generation *g = m->current;
	uint64_t due = earlier(foster_next_due(m), fdstore_due(m));

	for (struct list *l = m->children.next; l != &m->children; l = l->next)
		due = earlier(due, LIST_ITEM(l, struct child, link)->deadline);
	for (uint32_t i = 0; g != NULL && i < g->workers; i++)
		due = earlier(due, g->slots[i].due);
	if (m->next != NULL)
		due = earlier(due, m->next->deadline);
	due = earlier(due, hang_next_due(m));
	due = earlier(due, monitor_next_due(m));
	due = earlier(due, canary_next_due(m));
	due = earlier(due, m->lame_duck_end);
	return earlier(due, escrow_next_due(&m->escrow, next_settings(m)));
}
