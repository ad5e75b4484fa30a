/*
 * The board has the count of clients of each worker, and how many are on their way to it: without
 * these, in a rush all workers would pass to the same sibling. A sibling also accepts connections
 * itself; when it is full, passed ones wait in its inbox. A sibling that leaves them waiting for
 * long gets no more: it may hang, and without clients nothing else shows that.
 */
#include "config.h"

#include "passing.h"

#include <assert.h>
#include <fcntl.h>
#include <sys/socket.h>

#include "base/channel.h"
#include "base/fd.h"
#include "base/memory.h"

/* A sibling must have fewer clients by this much, and by a tenth, for a pass to pay. */
#define LEAD_LEAST 2

/* So many siblings are looked at for one connection. */
#define LOOKS_MAX 8

/* A sibling may hang whose pulse is so old, with connections in its inbox; or with clients. */
#define SILENT_US  UINT64_C(50000)
#define STALLED_US UINT64_C(500000)

/* The least time between two searches of the board for the place of a sibling. */
#define SEARCH_US UINT64_C(100000)

/* Without room for connections in the inbox, it is looked at again after so long. */
#define REST_MS 100

static uint32_t sibling_count(const struct passing *p)
{
	return p->start->inboxes != NULL ? p->start->workers : 0;
}

/* A place can become that of another worker at any time. */
static bool is_place_of(const struct passing *p, struct board_place *place, uint32_t slot)
{
	return atomic_load_explicit(&place->generation, memory_order_acquire) ==
		       p->start->generation &&
	       atomic_load_explicit(&place->slot, memory_order_relaxed) == slot;
}

static void search_board(struct passing *p)
{
	struct board *board = p->start->board;

	if (p->searched_us != 0 && p->loop->now_us - p->searched_us < SEARCH_US)
		return;
	p->searched_us = p->loop->now_us;
	for (uint32_t i = 0; i < board_size(board); i++) {
		struct board_place *place = board_place_at(board, i);
		uint32_t slot = atomic_load_explicit(&place->slot, memory_order_relaxed);

		if (slot < sibling_count(p) && is_place_of(p, place, slot))
			p->places[slot] = place;
	}
}

static struct board_place *find_place(struct passing *p, uint32_t slot)
{
	assert(slot < sibling_count(p));
	if (p->places[slot] == NULL || !is_place_of(p, p->places[slot], slot)) {
		p->places[slot] = NULL;
		search_board(p);
	}
	return p->places[slot];
}

/* A send that fails is counted back, perhaps after the sibling has found its inbox empty: then the
 * difference is below 0. */
static uint64_t waiting_for(struct board_place *place)
{
	uint32_t waiting = atomic_load_explicit(&place->passed, memory_order_relaxed) -
			   atomic_load_explicit(&place->taken, memory_order_relaxed);

	return waiting <= INT32_MAX ? waiting : 0;
}

/* How many clients a sibling has, with those on their way to it; UINT64_MAX: it accepts none. */
static uint64_t load_of(struct passing *p, uint32_t slot)
{
	struct board_place *place = find_place(p, slot);
	uint64_t silent_us, clients, waiting;

	if (place == NULL || atomic_load_explicit(&place->takes, memory_order_relaxed) == 0)
		return UINT64_MAX;
	silent_us =
		p->loop->now_us - atomic_load_explicit(&place->pulse.beat_us, memory_order_relaxed);
	clients = atomic_load_explicit(&place->clients, memory_order_relaxed);
	waiting = waiting_for(place);
	/* A pulse that has just beaten may be ahead of this worker's clock. */
	if (silent_us < INT64_MAX &&
		((waiting > 0 && silent_us > SILENT_US) || (clients > 0 && silent_us > STALLED_US)))
		return UINT64_MAX;
	/* All workers have the same limit. */
	return clients + waiting < proxy_most_clients(p->proxy) ? clients + waiting : UINT64_MAX;
}

/* Chooses among some siblings the slot with the fewest clients; this worker's own where a pass does
 * not pay. */
static uint32_t choose(struct passing *p)
{
	uint64_t mine = proxy_client_count(p->proxy) + 1;
	uint64_t lead = mine / 10 > LEAD_LEAST ? mine / 10 : LEAD_LEAST;
	uint32_t own = p->start->slot, best = own, count = sibling_count(p), slot;
	uint64_t least = mine > lead ? mine - lead : 0;

	if (least == 0)
		return own;
	slot = rng_below(&p->rng, count);
	for (uint32_t i = 0; i < count && i <= LOOKS_MAX; i++, slot = (slot + 1) % count) {
		uint64_t load = slot != own ? load_of(p, slot) : UINT64_MAX;

		if (load < least) {
			least = load;
			best = slot;
		}
	}
	return best;
}

bool passing_pass(struct passing *p, int fd, uint32_t listener)
{
	struct message m = { .type = MESSAGE_CLIENT, .number = listener };
	struct board_place *place;
	uint32_t slot;

	assert(fd != -1);
	if (!p->open)
		return false;
	slot = choose(p);
	if (slot == p->start->slot)
		return false;
	place = p->places[slot];
	atomic_fetch_add_explicit(&place->passed, 1, memory_order_relaxed);
	if (channel_send(p->start->inboxes[slot].in, &m, fd) == -1) {
		atomic_fetch_sub_explicit(&place->passed, 1, memory_order_relaxed);
		return false;
	}
	fd_close(&fd);
	return true;
}

static void take(struct passing *p, const struct message *m, int fd)
{
	struct board_place *place = p->start->place;
	struct address peer;

	atomic_store_explicit(&place->taken,
		atomic_load_explicit(&place->taken, memory_order_relaxed) + 1,
		memory_order_relaxed);
	peer.len = sizeof peer.u;
	if (m->type != MESSAGE_CLIENT || m->number >= p->start->settings->listener_count ||
		getpeername(fd, &peer.u.sa, &peer.len) == -1)
		fd_close(&fd); /* it is gone already */
	else
		proxy_accept(p->proxy, fd, &peer, m->number);
}

static bool make_reserve(struct passing *p)
{
	if (p->reserve == -1)
		p->reserve = fcntl(p->start->channel, F_DUPFD_CLOEXEC, 0);
	return p->reserve != -1;
}

/* The inbox is empty: nothing is on its way, also where a sibling died between count and send. */
static void forget_waiting(struct passing *p)
{
	struct board_place *place = p->start->place;

	atomic_store_explicit(&place->taken,
		atomic_load_explicit(&place->passed, memory_order_relaxed), memory_order_relaxed);
}

/* When passing has ended there is no limit on clients: no other worker would serve those in the
 * inbox. */
static bool is_full(const struct passing *p)
{
	return p->open && proxy_is_full(p->proxy);
}

/* The inbox waits until a client leaves, or for REST_MS, in which a client may have become idle. */
static void rest(struct passing *p)
{
	static const struct timeval pause = { .tv_usec = REST_MS * 1000 };

	assert(p->places != NULL);
	p->resting = true;
	event_del(&p->readable);
	(void)event_add(&p->retry, &pause);
}

/* Looks into the inbox at once: its connections have waited for longer than those in the kernel. */
static void look_again(struct passing *p)
{
	if (event_add(&p->readable, NULL) == -1)
		return;
	p->resting = false;
	event_del(&p->retry);
	event_active(&p->readable, EV_READ, 1);
}

static void take_some(struct passing *p)
{
	struct message m;
	int fd;

	if (is_full(p) && !proxy_make_room(p->proxy)) {
		rest(p);
		return;
	}
	while (!is_full(p)) {
		if (!make_reserve(p)) {
			rest(p);
			return;
		}
		fd_close(&p->reserve);
		switch (channel_receive(p->start->inboxes[p->start->slot].out, &m, &fd)) {
		case CHANNEL_MESSAGE:
			take(p, &m, fd);
			break;
		case CHANNEL_CLOSED:
			/* The master and all siblings are gone: the inbox would be readable for
			 * ever. */
			event_del(&p->readable);
			return;
		case CHANNEL_EMPTY:
			forget_waiting(p);
			return;
		}
	}
}

static void inbox_cb(evutil_socket_t fd, short what, void *arg)
{
	struct passing *p = arg;

	(void)what;
	loop_begin(p->loop, PULSE_ACCEPTING, fd);
	take_some(p);
}

static void retry_cb(evutil_socket_t fd, short what, void *arg)
{
	struct passing *p = arg;

	(void)what;
	loop_begin(p->loop, PULSE_ACCEPTING, fd);
	look_again(p);
}

int passing_init(
	struct passing *p, const struct worker_start *start, struct loop *loop, struct proxy *proxy)
{
	assert(start->inboxes == NULL || start->slot < start->workers);
	*p = (struct passing){ .start = start, .loop = loop, .proxy = proxy, .reserve = -1 };
	if (start->inboxes == NULL)
		return 0;
	rng_seed(&p->rng, ~start->root_seed, start->slot, start->generation, start->respawn);
	p->places = mem_zalloc(start->workers, sizeof(struct board_place *));
	if (p->places == NULL || evtimer_assign(&p->retry, loop->base, retry_cb, p) == -1 ||
		event_assign(&p->readable, loop->base, start->inboxes[start->slot].out,
			EV_READ | EV_PERSIST, inbox_cb, p) == -1)
		return -1;
	return event_add(&p->readable, NULL);
}

void passing_fini(struct passing *p)
{
	if (p->places != NULL) {
		event_del(&p->readable);
		event_del(&p->retry);
	}
	p->resting = false;
	mem_free(p->places);
	p->places = NULL;
	fd_close(&p->reserve);
}

void passing_set_room(struct passing *p, bool room)
{
	atomic_store_explicit(&p->start->place->takes, room && p->open, memory_order_relaxed);
}

void passing_begin(struct passing *p)
{
	assert(!p->open);
	p->open = p->places != NULL;
	passing_set_room(p, true);
}

void passing_end(struct passing *p)
{
	p->open = false;
	passing_set_room(p, false);
	passing_left(p);
}

void passing_left(struct passing *p)
{
	if (p->resting)
		look_again(p);
}
