/*
 * Accepting. Where descriptors run out it rests for a moment instead of spinning: what waits stays
 * in the kernel's queue and is served when others have gone.
 */
#include "config.h"

#include "acceptor.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/memory.h"

/* Connections taken in one turn, so that a storm of them does not starve those that are served. */
#define BUDGET 64

/* The kernel holds it to net.core.somaxconn. */
#define BACKLOG 65535

#define REST_MS 100

/* Exhaustion is said once in this time. */
#define SAY_EVERY_US UINT64_C(10000000)

/* Begins to watch the listening sockets. -1: not all of them, for want of memory; only the first
 * time, for libevent keeps the room. */
static int watch(struct acceptors *all)
{
	for (size_t i = 0; i < all->count; i++) {
		struct acceptor *a = &all->list[i];

		if (a->fd != -1 && event_add(&a->readable, NULL) == -1)
			return -1;
	}
	return 0;
}

static void unwatch(struct acceptors *all)
{
	for (size_t i = 0; i < all->count; i++)
		if (all->list[i].fd != -1)
			event_del(&all->list[i].readable);
}

static void watch_again(struct acceptors *all)
{
	all->resting = false;
	if (watch(all) == -1)
		log_warnx("cannot watch a listening socket");
}

/* Waits for a moment, or for a client to leave. */
static void rest(struct acceptors *all, const char *why)
{
	static const struct timeval pause = { .tv_usec = REST_MS * 1000 };

	if (all->said_us == 0 || all->loop->now_us - all->said_us >= SAY_EVERY_US) {
		all->said_us = all->loop->now_us;
		log_warnx("cannot accept more connections with %zu clients: %s",
			proxy_client_count(all->proxy), why);
	}
	all->resting = evtimer_add(&all->retry, &pause) == 0;
	if (all->resting)
		unwatch(all);
}

static void retry_cb(evutil_socket_t fd, short what, void *arg)
{
	struct acceptors *all = arg;

	(void)fd;
	(void)what;
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
		/* Of a connection that died while it waited: accept(2). */
		return ACCEPTED;
	default:
		return NO_ROOM;
	}
}

static enum accepted accept_one(struct acceptor *a)
{
	struct address peer;
	int fd;

	peer.len = sizeof peer.u;
	peer.u.sa.sa_family = AF_UNSPEC;
	fd = accept4(a->fd, &peer.u.sa, &peer.len, SOCK_NONBLOCK | SOCK_CLOEXEC);
	if (fd == -1)
		return judge_error(errno);
	proxy_accept(a->all->proxy, fd, &peer, a->listener);
	return ACCEPTED;
}

static bool is_full(const struct acceptors *all)
{
	return proxy_client_count(all->proxy) >= all->most;
}

static void accept_cb(evutil_socket_t fd, short what, void *arg)
{
	struct acceptor *a = arg;
	struct acceptors *all = a->all;

	(void)fd;
	(void)what;
	loop_wake(all->loop);
	/* Somebody waits, or this would not have been called. */
	if (is_full(all) && !proxy_make_room(all->proxy)) {
		rest(all, "that is as many as limits.connections and open files allow");
		return;
	}
	for (int i = 0; i < BUDGET && !is_full(all); i++) {
		enum accepted result = accept_one(a);

		/* Only of our own descriptors is there one more when somebody goes. */
		if (result == NO_ROOM && (errno != EMFILE || !proxy_spare_descriptor(all->proxy)))
			rest(all, strerror(errno));
		if (result != ACCEPTED)
			return;
	}
}

int acceptors_init(struct acceptors *all, struct loop *loop, struct proxy *proxy,
	const struct worker_socket *sockets, size_t count, size_t most)
{
	*all = (struct acceptors){ .loop = loop, .proxy = proxy, .count = count, .most = most };
	all->list = mem_zalloc(count, sizeof *all->list);
	if (all->list == NULL || evtimer_assign(&all->retry, loop->base, retry_cb, all) == -1)
		return -1;
	for (size_t i = 0; i < count; i++) {
		struct acceptor *a = &all->list[i];

		a->all = all;
		a->fd = sockets[i].fd;
		a->listener = sockets[i].listener;
		if (event_assign(&a->readable, loop->base, a->fd, EV_READ | EV_PERSIST, accept_cb,
			    a) == -1)
			return -1;
	}
	return 0;
}

int acceptors_listen(struct acceptors *all)
{
	for (size_t i = 0; i < all->count; i++)
		if (listen(all->list[i].fd, BACKLOG) == -1)
			return -1;
	return watch(all);
}

void acceptors_keep(struct acceptors *all, uint32_t listener)
{
	for (size_t i = 0; i < all->count; i++)
		if (all->list[i].listener == listener)
			all->list[i].gone = true;
}

/* The event goes first: epoll would go on reporting a socket of which there are duplicates. */
static void close_one(struct acceptor *a)
{
	if (a->fd != -1)
		event_del(&a->readable);
	fd_close(&a->fd);
}

bool acceptors_leave(struct acceptors *all)
{
	bool left = false;

	for (size_t i = 0; i < all->count; i++) {
		if (!all->list[i].gone)
			close_one(&all->list[i]);
		left = left || all->list[i].gone;
	}
	return left;
}

void acceptors_stop(struct acceptors *all)
{
	event_del(&all->retry);
	all->resting = false;
	unwatch(all);
}

/* As many as there are: a limit on clients is of no use to those whom nobody else will serve. */
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

	for (size_t i = 0; i < all->count; i++)
		if (all->list[i].fd != -1 && !take_waiting(&all->list[i]))
			done = false;
	return done;
}

void acceptors_close(struct acceptors *all)
{
	acceptors_stop(all);
	for (size_t i = 0; i < all->count; i++)
		close_one(&all->list[i]);
	mem_free(all->list);
	all->list = NULL;
	all->count = 0;
}
