/*
 * The ways down. Nothing here waits: a step is taken, its deadline noted, and the loop comes back.
 */
#include "config.h"

#include "master/shutdown.h"

#include <errno.h>
#include <signal.h>

#include "base/clock.h"
#include "base/log.h"
#include "master/children/inbox.h"
#include "master/children/spawn.h"
#include "master/generations/reload.h"
#include "master/notify.h"
#include "master/sockets/fdstore.h"
#include "master/supervise.h"

/* What a draining worker gets beyond its own deadline, to end by itself. */
#define DRAIN_GRACE_MS  1000
#define TERM_TIMEOUT_MS 2000

static void send_signal(const struct child *c, int number)
{
	char name[CHILD_NAME_SIZE];

	if (kill(c->pid, number) == -1 && errno != ESRCH)
		log_error("cannot send a signal to %s", child_name(c, name));
}

static void kill_child(struct child *c)
{
	child_set_state(c, CHILD_KILLED, 0);
	send_signal(c, SIGKILL);
}

/* SIGTERM, and SIGKILL a little later. */
static void end_soon(struct child *c)
{
	if (c->state >= CHILD_ENDING)
		return;
	child_set_state(c, CHILD_ENDING, TERM_TIMEOUT_MS);
	send_signal(c, SIGTERM);
}

void end_at_once(struct child *c)
{
	if (c->state != CHILD_KILLED)
		kill_child(c);
}

void end_hung(struct child *c)
{
	child_set_state(c, CHILD_ENDING, TERM_TIMEOUT_MS);
	send_signal(c, SIGABRT);
	/* One that is stopped gets no other signal before it goes on. */
	send_signal(c, SIGCONT);
}

/* Which of its addresses nobody else accepts at. 0, or -1: it does not read its channel. */
static int tell_gone(const struct master *master, const struct child *c)
{
	const struct settings *old = c->generation->settings;
	struct message m = { .type = MESSAGE_GONE };

	for (size_t i = 0; i < old->listener_count; i++) {
		m.number = (uint32_t)i;
		if (escrow_listener(master->current->settings, &old->listeners[i].address) ==
				NULL &&
			channel_send(c->channel, &m, -1) == -1)
			return -1;
	}
	return 0;
}

static int tell_drain(const struct master *master, const struct child *c)
{
	bool replaced =
		master->phase == MASTER_RUNNING && c->generation->state == GENERATION_DRAINING;
	struct message m = { .type = MESSAGE_DRAIN,
		.number = replaced ? DRAIN_REPLACED : DRAIN_STOP };

	if (replaced && tell_gone(master, c) == -1)
		return -1;
	return channel_send(c->channel, &m, -1);
}

/* See end_generation. */
static void end_gently(struct master *master, struct child *c)
{
	/* It may have become ready and accepted already. */
	if (c->state == CHILD_STARTING)
		supervise_read(master, c);
	if (c->state >= CHILD_DRAINING)
		return;
	if (c->state == CHILD_STARTING || c->role == CHILD_MONITOR) {
		kill_child(c);
	} else if (c->channel == -1 || tell_drain(master, c) == -1) {
		/* It does not read its channel: it is ending already, or hangs. */
		end_soon(c);
	} else {
		child_set_state(c, CHILD_DRAINING,
			c->generation->settings->timeouts.drain + DRAIN_GRACE_MS);
	}
}

void end_overdue(struct child *c)
{
	char name[CHILD_NAME_SIZE];

	switch (c->state) {
	case CHILD_STARTING:
		log_warnx("%s is not ready after %u ms: ending it", child_name(c, name),
			(unsigned)START_TIMEOUT_MS);
		kill_child(c);
		break;
	case CHILD_DRAINING:
		log_warnx("%s is still busy at its deadline: ending it", child_name(c, name));
		end_soon(c);
		break;
	case CHILD_ENDING:
		log_warnx("%s does not end: killing it", child_name(c, name));
		kill_child(c);
		break;
	case CHILD_READY:
	case CHILD_KILLED:
		c->deadline = 0;
		break;
	}
}

/* A worker of the generation, in that slot or (UINT32_MAX) any that takes what others passed. */
static const struct child *find_worker(
	const struct master *m, const struct generation *g, uint32_t slot)
{
	for (const struct list *l = m->children.next; l != &m->children; l = l->next) {
		const struct child *c = LIST_ITEM(l, struct child, link);
		bool takes = c->state == CHILD_READY || c->state == CHILD_DRAINING;

		if (c->generation == g && c->role == CHILD_WORKER &&
			(c->slot == slot || (slot == UINT32_MAX && takes)))
			return c;
	}
	return NULL;
}

void end_rescue_passed(const struct master *m, const struct generation *g)
{
	const struct child *heir = find_worker(m, g, UINT32_MAX);

	for (uint32_t slot = 0; heir != NULL && slot < g->workers; slot++)
		if (find_worker(m, g, slot) == NULL)
			inboxes_forward(g->inboxes, slot, heir->slot);
}

void end_generation(struct master *m, const struct generation *g)
{
	for (struct list *l = m->children.next; l != &m->children; l = l->next) {
		struct child *c = LIST_ITEM(l, struct child, link);
		if (g == NULL || c->generation == g)
			end_gently(m, c);
	}
}

uint64_t end_due(const struct master *m, const struct generation *g)
{
	uint64_t end = 0;

	for (struct list *l = m->children.next; l != &m->children; l = l->next) {
		const struct child *c = LIST_ITEM(l, struct child, link);
		bool counts = c->generation == g && c->role == CHILD_WORKER;

		/* One that was killed has no deadline, and is gone in a moment. */
		if (counts && c->deadline > end)
			end = c->deadline;
	}
	return end;
}

static void end_all_soon(struct master *m)
{
	for (struct list *l = m->children.next; l != &m->children; l = l->next)
		end_soon(LIST_ITEM(l, struct child, link));
}

/* Makes what is current or next a thing of the past. */
static void retire(struct master *m, struct generation **g, enum generation_state state)
{
	if (*g == NULL)
		return;
	(*g)->state = state;
	list_append(&m->past, &(*g)->link);
	*g = NULL;
}

/* Everything that is current or next becomes a thing of the past, and nobody starts any more. */
static void retire_all(struct master *m)
{
	m->lame_duck_end = 0;
	fdstore_clear(m);
	retire(m, &m->next, GENERATION_FAILED);
	retire(m, &m->current, GENERATION_DRAINING);
}

/* How long it will take at the most to end: what workers get, and the steps after that. */
static uint64_t longest_end(const struct master *m)
{
	uint64_t longest = 0;

	for (const struct list *l = m->children.next; l != &m->children; l = l->next) {
		const struct child *c = LIST_ITEM(l, struct child, link);
		uint64_t drain = c->generation->settings->timeouts.drain;

		if (drain > longest)
			longest = drain;
	}
	return longest + DRAIN_GRACE_MS + 2 * TERM_TIMEOUT_MS;
}

/* A service manager would not wait for longer than its own settings say without being asked to. */
static void notify_stopping(const struct master *m, uint64_t lame_duck, const char *status)
{
	notify_send("STOPPING=1\nEXTEND_TIMEOUT_USEC=%ju\nSTATUS=%s",
		(uintmax_t)(lame_duck + longest_end(m)) * 1000, status);
}

static void drain_all(struct master *m)
{
	m->phase = MASTER_STOPPING;
	notify_stopping(m, 0, "Finishing what is in flight");
	log_notice("stopping: finishing what is in flight");
	/* First nobody gets in any more, then workers take who is in and close their own copies;
	 * whoever comes later is refused and not reset. */
	escrow_close(&m->escrow);
	end_generation(m, NULL);
	retire_all(m);
}

void end_tell_ready(const struct master *m, const struct child *c)
{
	struct message message = { .type = MESSAGE_LAME_DUCK };

	if (m->phase == MASTER_LAME_DUCK && c->channel != -1 &&
		channel_send(c->channel, &message, -1) == -1)
		log_warn("a worker does not learn that it is a lame duck");
}

/* Whoever asks for the state of health has to be told from here on that it ends. */
static void begin_lame_duck(struct master *m, uint64_t duration)
{
	m->phase = MASTER_LAME_DUCK;
	m->lame_duck_end = clock_ms() + duration;
	notify_stopping(m, duration, "Serving on as a lame duck");
	log_notice("stopping in %ju ms: serving on until then", (uintmax_t)duration);
	if (m->next != NULL)
		reload_withdraw(m);
	for (struct list *l = m->children.next; l != &m->children; l = l->next) {
		const struct child *c = LIST_ITEM(l, struct child, link);

		if (c->generation == m->current && c->state == CHILD_READY)
			end_tell_ready(m, c);
	}
}

void end_lame_duck(struct master *m)
{
	drain_all(m);
}

void end_master(struct master *m)
{
	uint64_t lame_duck = m->current != NULL ? m->current->settings->timeouts.lame_duck : 0;

	if (m->phase != MASTER_RUNNING) {
		m->phase = MASTER_ENDING;
		log_notice("stopping at once");
		end_all_soon(m);
		retire_all(m);
	} else if (lame_duck > 0) {
		begin_lame_duck(m, lame_duck);
	} else {
		drain_all(m);
	}
}
