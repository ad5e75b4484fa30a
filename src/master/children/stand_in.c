/*
 * Which sibling accepts in the place of which slot. The sockets never move: the master sends a
 * duplicate of the one that it holds, and the sibling closes that when it is done. Only the current
 * generation needs this: the workers of a new one accept from all sockets when they take over.
 */
#include "config.h"

#include "stand_in.h"

#include <assert.h>
#include <errno.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/memory.h"
#include "inbox.h"

#define RETRY_MS 200

/* A sibling that could not stand in is not asked again for so long. */
#define REFUSED_MS 1000

/* One socket of a slot. */
struct stand_in {
	struct list link;     /* in master.stand_ins */
	uint32_t generation;  /* of `slot` */
	uint32_t slot;        /* that does not accept from it */
	uint32_t socket_slot; /* under which it is in escrow: a slot may have several sockets */
	uint32_t listener;
	uint32_t id;           /* of the last MESSAGE_STAND_IN */
	struct child *sibling; /* that accepts from it; borrowed; NULL: none yet */
	bool ended;            /* the sibling is to be told to stop */
	uint64_t due;          /* try again, monotonic ms; 0: there is nothing to do */
};

static void forget(struct stand_in *f)
{
	list_remove(&f->link);
	mem_free(f);
}

/* Forgets those of a generation that is not the current one any more: its workers close the sockets
 * themselves. */
static void forget_past(struct master *m)
{
	struct list *next;

	for (struct list *l = m->stand_ins.next; l != &m->stand_ins; l = next) {
		struct stand_in *f = LIST_ITEM(l, struct stand_in, link);

		next = l->next;
		if (m->current == NULL || f->generation != m->current->number)
			forget(f);
	}
}

static uint64_t count_sockets(const struct master *m, const struct child *c)
{
	uint64_t n = 0;

	for (struct list *l = m->stand_ins.next; l != &m->stand_ins; l = l->next)
		n += LIST_ITEM(l, struct stand_in, link)->sibling == c;
	return n;
}

static bool can_stand_in(const struct master *m, const struct child *c, uint64_t now)
{
	return c->role == CHILD_WORKER && c->generation == m->current && c->state == CHILD_READY &&
	       c->channel != -1 && c->place != NULL && c->hung_since == 0 &&
	       c->refused_until <= now;
}

/* The sibling with the fewest clients, and of these the one that stands in for the fewest sockets;
 * NULL: none can. */
static struct child *choose(const struct master *m, const struct stand_in *f)
{
	struct child *best = NULL;
	uint64_t best_clients = 0, best_sockets = 0, now = clock_ms();

	for (struct list *l = m->children.next; l != &m->children; l = l->next) {
		struct child *c = LIST_ITEM(l, struct child, link);
		uint64_t clients, sockets;

		if (!can_stand_in(m, c, now) || c->slot == f->slot)
			continue;
		clients = atomic_load_explicit(&c->place->clients, memory_order_relaxed);
		sockets = count_sockets(m, c);
		if (best != NULL && (clients > best_clients ||
					    (clients == best_clients && sockets >= best_sockets)))
			continue;
		best = c;
		best_clients = clients;
		best_sockets = sockets;
	}
	return best;
}

static int send_to(const struct stand_in *f, enum message_type type, int fd)
{
	struct message message = { .type = type, .number = f->listener, .id = f->id };

	return channel_send(f->sibling->channel, &message, fd);
}

static const struct escrow_entry *socket_of(const struct master *m, const struct stand_in *f)
{
	const struct settings *s = m->current->settings;

	return escrow_find(&m->escrow, &s->listeners[f->listener].address, f->socket_slot);
}

/* Finds a sibling for it; where there is none, it is tried again later. */
static void place(struct master *m, struct stand_in *f)
{
	const struct escrow_entry *e = socket_of(m, f);
	char name[CHILD_NAME_SIZE];

	assert(f->sibling == NULL && !f->ended);
	f->due = clock_ms() + RETRY_MS;
	while (e != NULL && (f->sibling = choose(m, f)) != NULL) {
		f->id = ++m->last_stand_in;
		if (send_to(f, MESSAGE_STAND_IN, e->fd) == 0) {
			f->due = 0;
			inbox_forward(m->current->inboxes, f->slot, f->sibling->slot);
			log_info("%s accepts in the place of worker %u on %s",
				child_name(f->sibling, name), f->slot,
				m->current->settings->listeners[f->listener].address_text);
			return;
		}
		f->sibling->refused_until = clock_ms() + REFUSED_MS;
	}
}

static struct stand_in *find(
	struct master *m, uint32_t slot, uint32_t listener, uint32_t socket_slot)
{
	for (struct list *l = m->stand_ins.next; l != &m->stand_ins; l = l->next) {
		struct stand_in *f = LIST_ITEM(l, struct stand_in, link);

		if (f->slot == slot && f->listener == listener && f->socket_slot == socket_slot)
			return f;
	}
	return NULL;
}

static void begin_one(struct master *m, uint32_t slot, uint32_t listener, uint32_t socket_slot)
{
	struct stand_in *f = find(m, slot, listener, socket_slot);

	if (f != NULL) {
		f->ended = false;
		f->due = f->sibling != NULL ? 0 : clock_ms();
		return;
	}
	f = mem_zalloc(1, sizeof *f);
	if (f == NULL) {
		log_warnx("no memory to have another worker accept for worker %u", slot);
		return;
	}
	f->generation = m->current->number;
	f->slot = slot;
	f->socket_slot = socket_slot;
	f->listener = listener;
	list_append(&m->stand_ins, &f->link);
	place(m, f);
}

/* The listener of the current settings that this socket is for; -1: none. */
static int64_t listener_of(const struct master *m, const struct escrow_entry *e)
{
	const struct settings *s = m->current->settings;

	for (size_t i = 0; i < s->listener_count; i++)
		if (address_equals(&s->listeners[i].address, &e->key))
			return (int64_t)i;
	return -1;
}

/* All workers accept from a unix socket: it is of no slot. One that was made for a generation that
 * is being started may be closed again. */
static bool is_of_slot(const struct master *m, const struct escrow_entry *e, uint32_t slot)
{
	return !e->shared && e->slot % m->current->workers == slot &&
	       e->generation <= m->current->number;
}

void stand_in_begin(struct master *m, uint32_t slot)
{
	assert(m->current == NULL || slot < m->current->workers);
	forget_past(m);
	if (m->current == NULL || m->current->workers < 2)
		return;
	for (size_t i = 0; i < m->escrow.count; i++) {
		const struct escrow_entry *e = &m->escrow.entries[i];
		int64_t listener = listener_of(m, e);

		if (listener != -1 && is_of_slot(m, e, slot))
			begin_one(m, slot, (uint32_t)listener, e->slot);
	}
}

void stand_in_forward(struct master *m, uint32_t slot)
{
	forget_past(m);
	for (struct list *l = m->stand_ins.next; l != &m->stand_ins; l = l->next) {
		const struct stand_in *f = LIST_ITEM(l, struct stand_in, link);

		if (f->slot != slot || f->sibling == NULL)
			continue;
		inbox_forward(m->current->inboxes, slot, f->sibling->slot);
		return;
	}
}

/* Tells the sibling to stop. False where it does not read its channel at present: tried again. */
static bool end_one(struct stand_in *f)
{
	f->ended = true;
	f->due = clock_ms() + RETRY_MS;
	return f->sibling == NULL || f->sibling->channel == -1 ||
	       send_to(f, MESSAGE_RELEASE, -1) == 0 || errno == EPIPE;
}

void stand_in_end(struct master *m, uint32_t slot)
{
	struct list *next;
	bool any = false;

	forget_past(m);
	for (struct list *l = m->stand_ins.next; l != &m->stand_ins; l = next) {
		struct stand_in *f = LIST_ITEM(l, struct stand_in, link);

		next = l->next;
		if (f->slot != slot)
			continue;
		any = true;
		if (end_one(f))
			forget(f);
	}
	if (any)
		log_info("worker %u accepts for itself again", slot);
}

void stand_in_move(struct master *m, struct child *c)
{
	struct list *next;

	forget_past(m);
	for (struct list *l = m->stand_ins.next; l != &m->stand_ins; l = next) {
		struct stand_in *f = LIST_ITEM(l, struct stand_in, link);
		bool ended = f->ended;

		next = l->next;
		if (f->sibling != c)
			continue;
		/* A sibling that hangs closes the socket when it goes on; where it cannot be told
		 * to, it goes on accepting then, which does no harm. */
		(void)end_one(f);
		f->sibling = NULL;
		f->ended = false;
		if (ended)
			forget(f);
		else
			place(m, f);
	}
}

void stand_in_released(struct master *m, struct child *c, uint32_t id)
{
	char name[CHILD_NAME_SIZE];

	forget_past(m);
	for (struct list *l = m->stand_ins.next; l != &m->stand_ins; l = l->next) {
		struct stand_in *f = LIST_ITEM(l, struct stand_in, link);

		if (f->id != id || f->sibling != c)
			continue;
		log_info("%s cannot accept for worker %u", child_name(c, name), f->slot);
		c->refused_until = clock_ms() + REFUSED_MS;
		f->sibling = NULL;
		/* It may have been about to be told to stop. */
		if (f->ended)
			forget(f);
		else
			place(m, f);
		return;
	}
}

bool stand_in_accepts(const struct master *m, const struct child *c, const struct escrow_entry *e)
{
	int64_t listener = listener_of(m, e);

	assert(c->generation == m->current);
	if (is_of_slot(m, e, c->slot))
		return listener != -1;
	for (struct list *l = m->stand_ins.next; l != &m->stand_ins; l = l->next) {
		const struct stand_in *f = LIST_ITEM(l, struct stand_in, link);

		if (f->sibling == c && f->generation == m->current->number &&
			f->listener == listener && f->socket_slot == e->slot)
			return !e->shared;
	}
	return false;
}

void stand_in_retry(struct master *m)
{
	uint64_t now = clock_ms();
	struct list *next;

	forget_past(m);
	for (struct list *l = m->stand_ins.next; l != &m->stand_ins; l = next) {
		struct stand_in *f = LIST_ITEM(l, struct stand_in, link);

		next = l->next;
		if (f->due == 0 || f->due > now)
			continue;
		if (!f->ended)
			place(m, f);
		else if (end_one(f))
			forget(f);
	}
}

uint64_t stand_in_next_due(const struct master *m)
{
	uint64_t due = UINT64_MAX;

	for (struct list *l = m->stand_ins.next; l != &m->stand_ins; l = l->next) {
		const struct stand_in *f = LIST_ITEM(l, struct stand_in, link);

		if (f->due != 0 && f->due < due)
			due = f->due;
	}
	return due;
}

void stand_in_fini(struct master *m)
{
	while (!list_is_empty(&m->stand_ins))
		forget(LIST_ITEM(m->stand_ins.next, struct stand_in, link));
}
