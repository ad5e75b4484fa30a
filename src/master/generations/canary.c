/*
 * While new settings are watched, their workers accept alone in their slots: the old workers of
 * these slots go on with the clients they have. What both generations count on the board is
 * compared every LOOK_MS. The verdict is the caller's to act on.
 */
#include "config.h"

#include "canary.h"

#include <assert.h>

#include "base/clock.h"
#include "base/log.h"
#include "canary_compare.h"

#define LOOK_MS 200

/* With fewer requests during the watch, all that the old generation ever counted is the measure. */
#define LEAST_BESIDE 50

static uint32_t count_slots(const struct generation *g)
{
	uint32_t wanted = (uint32_t)g->settings->reload.canary;

	return wanted < g->workers ? wanted : g->workers;
}

/* All that the workers of a generation have counted. */
static struct board_tally tally_of(const struct master *m, const struct generation *g)
{
	struct board_tally tally = g->retired;

	for (struct list *l = m->children.next; l != &m->children; l = l->next) {
		const struct child *c = LIST_ITEM(l, struct child, link);

		if (c->generation == g && c->place != NULL)
			board_add_place(c->place, &tally);
	}
	return tally;
}

static bool is_accepted_by(const struct master *m, const struct generation *g, uint32_t slots,
	const struct escrow_entry *e)
{
	if (escrow_listener(g->settings, &e->key) == NULL)
		return false;
	return e->shared ? escrow_find(&m->escrow, &e->key, 0) == e : e->slot % g->workers < slots;
}

/* True where the new workers accept from all sockets of the old worker in `slot`. They may have
 * other addresses, and sockets go to other slots where there are more or fewer workers. */
static bool is_replaced(
	const struct master *m, const struct generation *g, uint32_t slots, uint32_t slot)
{
	const struct generation *old = m->current;

	for (size_t i = 0; i < m->escrow.count; i++) {
		const struct escrow_entry *e = &m->escrow.entries[i];
		bool is_own = e->shared || e->slot % old->workers == slot;

		if (is_own && escrow_listener(old->settings, &e->key) != NULL &&
			!is_accepted_by(m, g, slots, e))
			return false;
	}
	return true;
}

/* PAUSE: the old workers stop accepting where new ones do. RESUME: they go on. */
static void tell_old(struct master *m, const struct generation *g, enum message_type type)
{
	uint32_t slots = count_slots(g);

	for (struct list *l = m->children.next; l != &m->children; l = l->next) {
		const struct child *c = LIST_ITEM(l, struct child, link);
		struct message message = { .type = type };
		char name[CHILD_NAME_SIZE];

		if (c->generation != m->current || c->role != CHILD_WORKER || c->slot >= slots ||
			c->state != CHILD_READY)
			continue;
		/* An old worker with a socket that no new one has goes on beside them. */
		if (type == MESSAGE_PAUSE && !is_replaced(m, g, slots, c->slot))
			continue;
		/* Where that fails both accept: less is seen, and nothing is lost. */
		if (channel_send(c->channel, &message, -1) == -1)
			log_warn("%s cannot be told to accept, or not to", child_name(c, name));
	}
}

bool canary_begin(struct master *m)
{
	struct generation *g = m->next;
	uint32_t slots = count_slots(g);
	uint64_t now = clock_ms();

	assert(g->state == GENERATION_STARTING);
	if (m->current == NULL || slots == 0 || g->spawned != slots || g->watch_until != 0)
		return false;
	generation_set_state(g, GENERATION_WATCHED);
	g->deadline = UINT64_MAX;
	g->watch_until = now + g->settings->reload.watch;
	g->look_due = now + LOOK_MS;
	g->before = tally_of(m, m->current);
	tell_old(m, g, MESSAGE_PAUSE);
	log_notice("watching the new settings in %u of %u workers for %ju ms", slots, g->workers,
		(uintmax_t)g->settings->reload.watch);
	return true;
}

void canary_end(struct master *m, const struct generation *g)
{
	assert(g->watch_until == 0 || m->current != NULL);
	/* The old workers are paused until all new ones are ready: longer than the watch. */
	if (g->watch_until != 0)
		tell_old(m, g, MESSAGE_RESUME);
}

/* The new settings are good enough: the other workers are started. */
static void go_on(
	struct generation *g, const struct board_tally *old, const struct board_tally *new)
{
	generation_set_state(g, GENERATION_STARTING);
	g->deadline = clock_ms() + CHILD_START_TIMEOUT_MS;
	if (new->counts[BOARD_REQUESTS] == 0) {
		log_notice("no request came with the new settings: nothing speaks against them");
		return;
	}
	log_notice("the new settings do as well as the old ones: of %ju requests %ju were answered "
		   "with 5xx, and nine in ten took less than %ju ms; of %ju with the old ones %ju, "
		   "and %ju ms",
		(uintmax_t) new->counts[BOARD_REQUESTS], (uintmax_t) new->counts[BOARD_5XX],
		(uintmax_t)(canary_compare_usual_us(new) + 999) / 1000,
		(uintmax_t)old->counts[BOARD_REQUESTS], (uintmax_t)old->counts[BOARD_5XX],
		(uintmax_t)(canary_compare_usual_us(old) + 999) / 1000);
}

enum canary_verdict canary_look(struct master *m, char *why, size_t why_size)
{
	struct generation *g = m->next;
	struct board_tally old, new;
	uint64_t now = clock_ms();

	if (canary_next_due(m) > now)
		return CANARY_WAIT;
	g->look_due = now + LOOK_MS;
	old = tally_of(m, m->current);
	new = tally_of(m, g);
	if (old.counts[BOARD_REQUESTS] - g->before.counts[BOARD_REQUESTS] >= LEAST_BESIDE)
		old = canary_compare_since(&old, &g->before);
	if (canary_compare_is_worse(&old, &new, why, why_size))
		return CANARY_WORSE;
	if (g->watch_until > now)
		return CANARY_WAIT;
	go_on(g, &old, &new);
	return CANARY_GO_ON;
}

uint64_t canary_next_due(const struct master *m)
{
	const struct generation *g = m->next;

	if (g == NULL || g->state != GENERATION_WATCHED)
		return UINT64_MAX;
	return g->look_due < g->watch_until ? g->look_due : g->watch_until;
}
