/*
 * Who accepts in whose place. The sockets never move: the master sends a duplicate of the one it
 * holds, and the sibling closes that when it is done. Only the current generation needs this: the
 * workers of a new one accept from all sockets when they take over.
 */
#include "config.h"

#include "master/children/stand_in.h"

#include <errno.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/memory.h"
#include "master/children/inbox.h"

#define RETRY_MS 200

/* Who could not help is not asked again for so long. */
#define REFUSED_MS 1000

/* One socket. */
struct foster {
	struct list link;     /* in master.fosters */
	uint32_t generation;  /* of `slot` */
	uint32_t slot;        /* whose socket it is */
	uint32_t socket_slot; /* and under which it is in escrow: a slot may have several */
	uint32_t listener;
	uint32_t id;          /* of the last MESSAGE_FOSTER */
	struct child *keeper; /* borrowed; NULL: nobody yet */
	bool ended;           /* the keeper is to be told */
	uint64_t due;         /* try again, monotonic ms; 0: there is nothing to do */
};

static void forget(struct foster *f)
{
	list_remove(&f->link);
	mem_free(f);
}

/* Those of a generation that is not the current one any more: its workers close what they have. */
static void forget_past(struct master *m)
{
	struct list *next;

	for (struct list *l = m->fosters.next; l != &m->fosters; l = next) {
		struct foster *f = LIST_ITEM(l, struct foster, link);

		next = l->next;
		if (m->current == NULL || f->generation != m->current->number)
			forget(f);
	}
}

static uint64_t count_kept(const struct master *m, const struct child *c)
{
	uint64_t n = 0;

	for (struct list *l = m->fosters.next; l != &m->fosters; l = l->next)
		n += LIST_ITEM(l, struct foster, link)->keeper == c;
	return n;
}

static bool can_keep(const struct master *m, const struct child *c, uint64_t now)
{
	return c->role == CHILD_WORKER && c->generation == m->current && c->state == CHILD_READY &&
	       c->channel != -1 && c->place != NULL && c->hung_since == 0 &&
	       c->refused_until <= now;
}

/* Who has the fewest clients, and of these who keeps the fewest sockets; or NULL. */
static struct child *choose(const struct master *m, const struct foster *f)
{
	struct child *best = NULL;
	uint64_t best_clients = 0, best_kept = 0, now = clock_ms();

	for (struct list *l = m->children.next; l != &m->children; l = l->next) {
		struct child *c = LIST_ITEM(l, struct child, link);
		uint64_t clients, kept;

		if (!can_keep(m, c, now) || c->slot == f->slot)
			continue;
		clients = atomic_load_explicit(&c->place->clients, memory_order_relaxed);
		kept = count_kept(m, c);
		if (best != NULL &&
			(clients > best_clients || (clients == best_clients && kept >= best_kept)))
			continue;
		best = c;
		best_clients = clients;
		best_kept = kept;
	}
	return best;
}

static int send_to(const struct foster *f, enum message_type type, int fd)
{
	struct message message = { .type = type, .number = f->listener, .id = f->id };

	return channel_send(f->keeper->channel, &message, fd);
}

static const struct escrow_entry *socket_of(const struct master *m, const struct foster *f)
{
	const struct settings *s = m->current->settings;

	return escrow_find(&m->escrow, &s->listeners[f->listener].address, f->socket_slot);
}

/* Finds somebody for it; where there is nobody, later. */
static void place(struct master *m, struct foster *f)
{
	const struct escrow_entry *e = socket_of(m, f);
	char name[CHILD_NAME_SIZE];

	f->due = clock_ms() + RETRY_MS;
	while (e != NULL && (f->keeper = choose(m, f)) != NULL) {
		f->id = ++m->last_foster;
		if (send_to(f, MESSAGE_FOSTER, e->fd) == 0) {
			f->due = 0;
			inboxes_forward(m->current->inboxes, f->slot, f->keeper->slot);
			log_info("%s accepts in the place of worker %u on %s",
				child_name(f->keeper, name), f->slot,
				m->current->settings->listeners[f->listener].address_text);
			return;
		}
		f->keeper->refused_until = clock_ms() + REFUSED_MS;
	}
}

static struct foster *find(struct master *m, uint32_t slot, uint32_t listener, uint32_t socket_slot)
{
	for (struct list *l = m->fosters.next; l != &m->fosters; l = l->next) {
		struct foster *f = LIST_ITEM(l, struct foster, link);

		if (f->slot == slot && f->listener == listener && f->socket_slot == socket_slot)
			return f;
	}
	return NULL;
}

static void begin_one(struct master *m, uint32_t slot, uint32_t listener, uint32_t socket_slot)
{
	struct foster *f = find(m, slot, listener, socket_slot);

	if (f != NULL) {
		f->ended = false;
		f->due = f->keeper != NULL ? 0 : clock_ms();
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
	list_append(&m->fosters, &f->link);
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

/* All workers accept from a unix socket; those of a generation that is being started may go again.
 */
static bool is_of_slot(const struct master *m, const struct escrow_entry *e, uint32_t slot)
{
	return !e->shared && e->slot % m->current->workers == slot &&
	       e->generation <= m->current->number;
}

void foster_begin(struct master *m, uint32_t slot)
{
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

void foster_forward(struct master *m, uint32_t slot)
{
	forget_past(m);
	for (struct list *l = m->fosters.next; l != &m->fosters; l = l->next) {
		const struct foster *f = LIST_ITEM(l, struct foster, link);

		if (f->slot != slot || f->keeper == NULL)
			continue;
		inboxes_forward(m->current->inboxes, slot, f->keeper->slot);
		return;
	}
}

/* False where the keeper does not listen at present. */
static bool end_one(struct foster *f)
{
	f->ended = true;
	f->due = clock_ms() + RETRY_MS;
	return f->keeper == NULL || f->keeper->channel == -1 ||
	       send_to(f, MESSAGE_RELEASE, -1) == 0 || errno == EPIPE;
}

void foster_end(struct master *m, uint32_t slot)
{
	struct list *next;
	bool any = false;

	forget_past(m);
	for (struct list *l = m->fosters.next; l != &m->fosters; l = next) {
		struct foster *f = LIST_ITEM(l, struct foster, link);

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

void foster_move(struct master *m, struct child *c)
{
	struct list *next;

	forget_past(m);
	for (struct list *l = m->fosters.next; l != &m->fosters; l = next) {
		struct foster *f = LIST_ITEM(l, struct foster, link);
		bool ended = f->ended;

		next = l->next;
		if (f->keeper != c)
			continue;
		/* One that only hangs closes it when it wakes up; where that cannot be said, it
		 * goes on accepting then, which does no harm. */
		(void)end_one(f);
		f->keeper = NULL;
		f->ended = false;
		if (ended)
			forget(f);
		else
			place(m, f);
	}
}

void foster_released(struct master *m, struct child *c, uint32_t id)
{
	char name[CHILD_NAME_SIZE];

	forget_past(m);
	for (struct list *l = m->fosters.next; l != &m->fosters; l = l->next) {
		struct foster *f = LIST_ITEM(l, struct foster, link);

		if (f->id != id || f->keeper != c)
			continue;
		log_info("%s cannot accept for worker %u", child_name(c, name), f->slot);
		c->refused_until = clock_ms() + REFUSED_MS;
		f->keeper = NULL;
		place(m, f);
		return;
	}
}

bool foster_is_keeper(const struct master *m, const struct child *c, const struct escrow_entry *e)
{
	int64_t listener = listener_of(m, e);

	if (is_of_slot(m, e, c->slot))
		return listener != -1;
	for (struct list *l = m->fosters.next; l != &m->fosters; l = l->next) {
		const struct foster *f = LIST_ITEM(l, struct foster, link);

		if (f->keeper == c && f->generation == m->current->number &&
			f->listener == listener && f->socket_slot == e->slot)
			return !e->shared;
	}
	return false;
}

void foster_retry(struct master *m)
{
	uint64_t now = clock_ms();
	struct list *next;

	forget_past(m);
	for (struct list *l = m->fosters.next; l != &m->fosters; l = next) {
		struct foster *f = LIST_ITEM(l, struct foster, link);

		next = l->next;
		if (f->due == 0 || f->due > now)
			continue;
		if (!f->ended)
			place(m, f);
		else if (end_one(f))
			forget(f);
	}
}

uint64_t foster_next_due(const struct master *m)
{
	uint64_t due = UINT64_MAX;

	for (struct list *l = m->fosters.next; l != &m->fosters; l = l->next) {
		const struct foster *f = LIST_ITEM(l, struct foster, link);

		if (f->due != 0 && f->due < due)
			due = f->due;
	}
	return due;
}

void foster_fini(struct master *m)
{
	while (!list_is_empty(&m->fosters))
		forget(LIST_ITEM(m->fosters.next, struct foster, link));
}
