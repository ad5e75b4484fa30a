/*
 * When descriptors run out, accepting rests for a moment instead of spinning. Connections that wait
 * stay in the kernel's queue, and are accepted when clients have left.
 */
#include "config.h"

#include "acceptor.h"

#include <assert.h>
#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/memory.h"

/* The most connections that are accepted in one turn: a storm of them does not starve clients. */
#define BUDGET 64

/* The accept4() that finds the queue empty costs as much as one that accepts. So a turn tries only
 * as many as were there the last time the queue was found empty; epoll tells of more. After so many
 * turns in a row in which all were there, each turn tries twice as many as the one before, until
 * the queue is found empty again. */
#define FULL_ROUNDS 4

/* The kernel cuts it to net.core.somaxconn. */
#define BACKLOG 65535

#define REST_MS 100

/* That connections cannot be accepted is logged once in this time. */
#define SAY_EVERY_US UINT64_C(10000000)

/* Begins to watch the listening sockets. -1: memory is short, and some are not watched. That
 * happens only the first time, because libevent keeps its memory. */
static int watch(struct acceptors *all)
{
	for (struct list *l = all->list.next; l != &all->list; l = l->next) {
		struct acceptor *a = LIST_ITEM(l, struct acceptor, link);

		if ((!all->paused || a->stand_in != 0) && event_add(&a->readable, NULL) == -1)
			return -1;
	}
	return 0;
}

static void unwatch(struct acceptors *all)
{
	for (struct list *l = all->list.next; l != &all->list; l = l->next)
		event_del(&LIST_ITEM(l, struct acceptor, link)->readable);
}

static void watch_again(struct acceptors *all)
{
	all->resting = false;
	passing_set_room(all->passing, !all->paused);
	if (watch(all) == -1)
		log_warnx("cannot watch a listening socket");
}

/* Accepts nothing until REST_MS have passed or a client has left. */
static void rest(struct acceptors *all, const char *why)
{
	static const struct timeval pause = { .tv_usec = REST_MS * 1000 };

	if (all->said_us == 0 || all->loop->now_us - all->said_us >= SAY_EVERY_US) {
		all->said_us = all->loop->now_us;
		log_warnx("cannot accept more connections with %zu clients: %s",
			proxy_client_count(all->proxy), why);
	}
	all->resting = evtimer_add(&all->retry, &pause) == 0;
	if (!all->resting)
		return;
	unwatch(all);
	passing_set_room(all->passing, false);
}

static void retry_cb(evutil_socket_t fd, short what, void *arg)
{
	struct acceptors *all = arg;

	(void)what;
	loop_begin(all->loop, PULSE_ACCEPTING, fd);
	watch_again(all);
}

void acceptors_left(struct acceptors *all)
{
	if (!all->resting)
		return;
	event_del(&all->retry);
	watch_again(all);
}

enum accepted { ACCEPTED, NONE_WAITING, NO_ROOM };

static enum accepted judge_error(int error)
{
	switch (error) {
	case EAGAIN:
		return NONE_WAITING;
	case EINTR:
	case ECONNABORTED:
	case EPROTO:
	case EPERM:
	case ENETDOWN:
	case ENETUNREACH:
	case EHOSTDOWN:
	case EHOSTUNREACH:
	case ENONET:
	case ENOPROTOOPT:
	case EOPNOTSUPP:
		/* These are errors of a connection that died while it waited: accept(2). */
		return ACCEPTED;
	default:
		return NO_ROOM;
	}
}

static enum accepted accept_one(struct acceptor *a)
{
	struct address peer;
	int fd;

	assert(a->fd != -1);
	peer.len = sizeof peer.u;
	peer.u.sa.sa_family = AF_UNSPEC;
	fd = accept4(a->fd, &peer.u.sa, &peer.len, SOCK_NONBLOCK | SOCK_CLOEXEC);
	if (fd == -1)
		return judge_error(errno);
	/* A connection on a unix socket is not passed: the workers share that socket, and the next
	 * one that is free accepts. */
	if (address_is_unix(&peer) || !passing_pass(a->all->passing, fd, a->listener))
		proxy_accept(a->all->proxy, fd, &peer, a->listener);
	return ACCEPTED;
}

/* The queue was found empty after `count` connections. */
static void begin_rounds(struct acceptor *a, unsigned count)
{
	assert(count <= BUDGET);
	a->round = count > 0 ? count : 1;
	a->full_rounds = 0;
}

static void accept_some(struct acceptor *a)
{
	struct acceptors *all = a->all;

	/* A connection waits, or this would not have been called: for it an idle client may have
	 * to go. */
	if (proxy_is_full(all->proxy) && !proxy_make_room(all->proxy)) {
		rest(all, "that is as many as limits.connections and open files allow");
		return;
	}
	for (unsigned i = 0; i < a->round && !proxy_is_full(all->proxy); i++) {
		enum accepted result = accept_one(a);

		/* An idle connection gives back a descriptor of this process, not one of the
		 * system. */
		if (result == NO_ROOM && (errno != EMFILE || !proxy_spare_descriptor(all->proxy)))
			rest(all, strerror(errno));
		if (result == NONE_WAITING)
			begin_rounds(a, i);
		if (result != ACCEPTED)
			return;
	}
	if (++a->full_rounds >= FULL_ROUNDS)
		a->round = a->round * 2 < BUDGET ? a->round * 2 : BUDGET;
}

static void accept_cb(evutil_socket_t fd, short what, void *arg)
{
	struct acceptor *a = arg;
	struct loop *loop = a->all->loop;

	(void)what;
	loop_begin(loop, PULSE_ACCEPTING, fd);
	accept_some(a);
}

/* Takes over `fd`. NULL when memory is short. */
static struct acceptor *add(struct acceptors *all, int fd, uint32_t listener)
{
	struct acceptor *a = mem_zalloc(1, sizeof *a);

	assert(fd != -1);
	if (a == NULL)
		return NULL;
	a->all = all;
	a->fd = fd;
	a->listener = listener;
	begin_rounds(a, 0);
	if (event_assign(&a->readable, all->loop->base, fd, EV_READ | EV_PERSIST, accept_cb, a) ==
		-1) {
		mem_free(a);
		return NULL;
	}
	list_append(&all->list, &a->link);
	return a;
}

/* The event is deleted before the socket is closed: epoll goes on reporting a closed socket that
 * has duplicates. */
static void drop(struct acceptor *a)
{
	event_del(&a->readable);
	list_remove(&a->link);
	fd_close(&a->fd);
	mem_free(a);
}

int acceptors_init(struct acceptors *all, const struct worker_start *start, struct loop *loop,
	struct proxy *proxy, struct passing *passing)
{
	*all = (struct acceptors){ .loop = loop, .proxy = proxy, .passing = passing };
	list_init(&all->list);
	if (evtimer_assign(&all->retry, loop->base, retry_cb, all) == -1)
		return -1;
	for (size_t i = 0; i < start->socket_count; i++)
		if (add(all, start->sockets[i].fd, start->sockets[i].listener) == NULL)
			return -1;
	return 0;
}

int acceptors_listen(struct acceptors *all)
{
	for (struct list *l = all->list.next; l != &all->list; l = l->next)
		if (listen(LIST_ITEM(l, struct acceptor, link)->fd, BACKLOG) == -1)
			return -1;
	return watch(all);
}

int acceptors_stand_in(struct acceptors *all, int fd, uint32_t listener, uint32_t stand_in)
{
	struct acceptor *a;

	assert(fd != -1);
	/* A worker without room for clients cannot accept for another one. */
	if (all->resting)
		return -1;
	a = add(all, fd, listener);
	if (a == NULL)
		return -1;
	a->stand_in = stand_in;
	if (event_add(&a->readable, NULL) == 0)
		return 0;
	a->fd = -1;
	drop(a);
	return -1;
}

void acceptors_release(struct acceptors *all, uint32_t stand_in)
{
	struct list *next;

	for (struct list *l = all->list.next; l != &all->list; l = next) {
		struct acceptor *a = LIST_ITEM(l, struct acceptor, link);

		next = l->next;
		/* Connections that wait on it are for the worker whose socket it is. */
		if (a->stand_in == stand_in)
			drop(a);
	}
}

void acceptors_pause(struct acceptors *all, bool paused)
{
	if (list_is_empty(&all->list))
		return;
	all->paused = paused;
	unwatch(all);
	if (!all->resting)
		watch_again(all);
}

void acceptors_keep(struct acceptors *all, uint32_t listener)
{
	for (struct list *l = all->list.next; l != &all->list; l = l->next) {
		struct acceptor *a = LIST_ITEM(l, struct acceptor, link);

		if (a->listener == listener)
			a->gone = true;
	}
}

bool acceptors_leave(struct acceptors *all)
{
	struct list *next;

	for (struct list *l = all->list.next; l != &all->list; l = next) {
		struct acceptor *a = LIST_ITEM(l, struct acceptor, link);

		next = l->next;
		if (!a->gone)
			drop(a);
	}
	return !list_is_empty(&all->list);
}

void acceptors_stop(struct acceptors *all)
{
	event_del(&all->retry);
	all->resting = false;
	unwatch(all);
}

/* Accepts all that wait, also beyond the limit on clients: no other worker would serve them. */
static bool take_waiting(struct acceptor *a)
{
	for (;;) {
		switch (accept_one(a)) {
		case ACCEPTED:
			break;
		case NONE_WAITING:
			return true;
		case NO_ROOM:
			if (errno != EMFILE || !proxy_spare_descriptor(a->all->proxy))
				return false;
			break;
		}
	}
}

bool acceptors_take_waiting(struct acceptors *all)
{
	bool done = true;

	for (struct list *l = all->list.next; l != &all->list; l = l->next)
		if (!take_waiting(LIST_ITEM(l, struct acceptor, link)))
			done = false;
	return done;
}

void acceptors_close(struct acceptors *all)
{
	acceptors_stop(all);
	while (!list_is_empty(&all->list))
		drop(LIST_ITEM(all->list.next, struct acceptor, link));
}
