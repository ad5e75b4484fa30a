/*
 * The end of generations. Old ones are bounded in number, but never cut short: what wants to start
 * another one asks here when there is room.
 */
#include "config.h"

#include "generation_drain.h"

#include <assert.h>

#include "base/log.h"
#include "master/children/inbox.h"
#include "master/children/stop.h"
#include "register_rows.h"

/* How many generations may still finish what they have, besides the current one. */
#define OLD_MAX 2

/* Tells a worker at which of its addresses no other process accepts. 0, or -1: it does not read its
 * channel. */
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

static void end_child(const struct master *m, struct child *c)
{
	if (c->state >= CHILD_DRAINING)
		return;
	if (c->state == CHILD_STARTING || c->role == CHILD_MONITOR) {
		stop_at_once(c);
	} else if (c->channel == -1 || tell_drain(m, c) == -1) {
		/* It does not read its channel: it is ending already, or hangs. */
		stop_soon(c);
	} else {
		child_set_state(c, CHILD_DRAINING,
			c->generation->settings->timeouts.drain + GENERATION_DRAIN_GRACE_MS);
	}
}

void generation_drain_begin(struct master *m, const struct generation *g)
{
	for (struct list *l = m->children.next; l != &m->children; l = l->next) {
		struct child *c = LIST_ITEM(l, struct child, link);

		if (g == NULL || c->generation == g)
			end_child(m, c);
	}
}

uint64_t generation_drain_due(const struct master *m, const struct generation *g)
{
	uint64_t end = 0;

	for (struct list *l = m->children.next; l != &m->children; l = l->next) {
		const struct child *c = LIST_ITEM(l, struct child, link);
		bool counts = c->generation == g && c->role == CHILD_WORKER;

		/* A killed worker has no deadline, and is gone in a moment. */
		if (counts && c->deadline > end)
			end = c->deadline;
	}
	return end;
}

uint64_t generation_drain_room_due(const struct master *m)
{
	uint64_t due = UINT64_MAX;
	unsigned count = 0;

	for (struct list *l = m->past.next; l != &m->past; l = l->next) {
		uint64_t end = generation_drain_due(m, LIST_ITEM(l, struct generation, link));

		if (end != 0 && end < due)
			due = end;
		count += end != 0;
	}
	return count < OLD_MAX ? 0 : due;
}

static const struct child *find_in_slot(
	const struct master *m, const struct generation *g, uint32_t slot)
{
	for (const struct list *l = m->children.next; l != &m->children; l = l->next) {
		const struct child *c = LIST_ITEM(l, struct child, link);

		if (c->generation == g && c->role == CHILD_WORKER && c->slot == slot)
			return c;
	}
	return NULL;
}

/* A worker of the generation that takes what others pass to it. */
static const struct child *find_taker(const struct master *m, const struct generation *g)
{
	for (const struct list *l = m->children.next; l != &m->children; l = l->next) {
		const struct child *c = LIST_ITEM(l, struct child, link);

		if (c->generation == g && c->role == CHILD_WORKER &&
			(c->state == CHILD_READY || c->state == CHILD_DRAINING))
			return c;
	}
	return NULL;
}

void generation_drain_rescue(const struct master *m, const struct generation *g)
{
	const struct child *taker = find_taker(m, g);

	assert(g != NULL);
	for (uint32_t slot = 0; taker != NULL && slot < g->workers; slot++)
		if (find_in_slot(m, g, slot) == NULL)
			inbox_forward(g->inboxes, slot, taker->slot);
}

static void tell_end(const struct generation *g)
{
	if (g->cut_workers == 0 && g->killed == 0)
		log_info("generation %u has ended", g->number);
	else
		log_notice("generation %u has ended; cut off were %u requests and %u idle "
			   "connections of %u workers, and all that %u killed ones had",
			g->number, g->cut_requests, g->cut_idle, g->cut_workers, g->killed);
}

void generation_drain_free(struct master *m)
{
	struct list *next;

	for (struct list *l = m->past.next; l != &m->past; l = next) {
		struct generation *g = LIST_ITEM(l, struct generation, link);

		next = l->next;
		if (child_count(&m->children, g) > 0)
			continue;
		if (g->state == GENERATION_DRAINING)
			tell_end(g);
		register_rows_drop(g);
		generation_free(g);
	}
	if (m->rows != NULL && list_is_empty(&m->past))
		rows_settle(m->rows);
}
