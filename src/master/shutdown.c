/*
 * The phases of the end. Nothing here waits: a step is taken, its deadline noted, and the master's
 * loop comes back.
 */
#include "config.h"

#include "shutdown.h"

#include "base/clock.h"
#include "base/log.h"
#include "master/children/stop.h"
#include "master/generations/generation_drain.h"
#include "master/generations/reload.h"
#include "messages.h"
#include "notify.h"

/* Puts the current or the next generation among the past ones. */
static void retire(struct master *m, struct generation **g, enum generation_state state)
{
	if (*g == NULL)
		return;
	generation_set_state(*g, state);
	list_append(&m->past, &(*g)->link);
	*g = NULL;
}

/* No generation is current or next any more, and no worker is started. */
static void retire_all(struct master *m)
{
	m->lame_duck_end = 0;
	fdstore_clear(&m->fdstore);
	retire(m, &m->next, GENERATION_FAILED);
	retire(m, &m->current, GENERATION_DRAINING);
}

/* How long it will take at the most to end, ms: what workers get, and the steps after that. */
static uint64_t longest_end(const struct master *m)
{
	uint64_t longest = 0;

	for (const struct list *l = m->children.next; l != &m->children; l = l->next) {
		const struct child *c = LIST_ITEM(l, struct child, link);
		uint64_t drain = c->generation->settings->timeouts.drain;

		if (drain > longest)
			longest = drain;
	}
	return longest + GENERATION_DRAIN_GRACE_MS + 2 * STOP_TERM_TIMEOUT_MS;
}

/* Without being asked to a service manager waits no longer than its own settings say. */
static void notify_stopping(const struct master *m, uint64_t lame_duck, const char *status)
{
	notify_send("STOPPING=1\nEXTEND_TIMEOUT_USEC=%ju\nSTATUS=%s",
		(uintmax_t)(lame_duck + longest_end(m)) * 1000, status);
}

void shutdown_drain(struct master *m)
{
	master_state_set_phase(m, MASTER_STOPPING);
	notify_stopping(m, 0, "Finishing what is in flight");
	log_notice("stopping: finishing what is in flight");
	/* First the sockets let no client in any more, then workers take the clients that are in,
	 * and close their own copies: later clients are refused and not reset. */
	escrow_close(&m->escrow);
	messages_read_starting(m, NULL);
	generation_drain_begin(m, NULL);
	retire_all(m);
}

/* From here on workers answer requests for the state of health so that others learn of the end. */
static void begin_lame_duck(struct master *m, uint64_t duration)
{
	master_state_set_phase(m, MASTER_LAME_DUCK);
	m->lame_duck_end = clock_ms() + duration;
	notify_stopping(m, duration, "Serving on as a lame duck");
	log_notice("stopping in %ju ms: serving on until then", (uintmax_t)duration);
	if (m->next != NULL)
		reload_withdraw(m);
	for (struct list *l = m->children.next; l != &m->children; l = l->next) {
		const struct child *c = LIST_ITEM(l, struct child, link);

		if (c->generation == m->current && c->state == CHILD_READY)
			messages_tell_lame_duck(m, c);
	}
}

static void end_at_once(struct master *m)
{
	if (m->phase != MASTER_ENDING)
		master_state_set_phase(m, MASTER_ENDING);
	log_notice("stopping at once");
	for (struct list *l = m->children.next; l != &m->children; l = l->next)
		stop_soon(LIST_ITEM(l, struct child, link));
	retire_all(m);
}

void shutdown_request(struct master *m)
{
	uint64_t lame_duck = m->current != NULL ? m->current->settings->timeouts.lame_duck : 0;

	if (m->phase != MASTER_RUNNING)
		end_at_once(m);
	else if (lame_duck > 0)
		begin_lame_duck(m, lame_duck);
	else
		shutdown_drain(m);
}
