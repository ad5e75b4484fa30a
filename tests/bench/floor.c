/* The floor: what it costs at least to stand between a client and a backend. Bytes are received and
   sent on, nothing is read in them; every client connection has a backend connection of its own,
   made when it is accepted. All that a balancer costs more is what its work costs. */

#include "config.h"

#include "common.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

struct side {
	struct side *peer;
	struct pair *pair;
	int fd;
	uint32_t events; /* what is waited for */
	bool ended;      /* it sends no more */
	char *rest;      /* owned: of the peer's, what this one could not take yet */
	size_t rest_at;
	size_t rest_length;
};

struct pair {
	struct side sides[2];
	struct pair *next; /* closed, freed after the turn */
};

static int epoll_fd;
static int listener;
static struct sockaddr_in backend;
static struct pair *closed;
static char buffer[RECEIVE_BYTES];

static void pair_close(struct pair *pair)
{
	for (int i = 0; i < 2; i++) {
		close(pair->sides[i].fd);
		pair->sides[i].fd = -1;
		free(pair->sides[i].rest);
	}
	pair->next = closed;
	closed = pair;
}

static void side_init(struct pair *pair, int number, int fd)
{
	struct side *side = &pair->sides[number];

	side->pair = pair;
	side->peer = &pair->sides[!number];
	side->fd = fd;
	socket_no_delay(fd);
	events_set(epoll_fd, fd, side, &side->events, EPOLLIN);
}

static void listener_ready(void)
{
	int client;

	while ((client = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) != -1) {
		struct pair *pair = calloc(1, sizeof(*pair));
		int fd = pair ? socket_connect(&backend) : -1;

		if (fd == -1) {
			perror("floor: no backend connection");
			free(pair);
			close(client);
			continue;
		}
		side_init(pair, 0, client);
		side_init(pair, 1, fd);
	}
}

static void side_change(struct side *side, uint32_t wanted)
{
	events_set(epoll_fd, side->fd, side, &side->events, wanted);
}

/* Keeps what the target did not take; its source is not read until that is gone. */
static void rest_keep(struct side *target, const char *data, size_t length)
{
	target->rest = malloc(length);
	if (!target->rest) {
		pair_close(target->pair);
		return;
	}
	memcpy(target->rest, data, length);
	target->rest_at = 0;
	target->rest_length = length;
	side_change(target, target->events | EPOLLOUT);
	side_change(target->peer, target->peer->events & ~EPOLLIN);
}

static void side_read(struct side *side)
{
	struct side *target = side->peer;
	ssize_t got = recv(side->fd, buffer, sizeof(buffer), 0);
	ssize_t sent;

	if (got > 0) {
		sent = send(target->fd, buffer, got, MSG_NOSIGNAL);
		if (sent == -1 && errno == EAGAIN)
			sent = 0;
		if (sent == -1)
			pair_close(side->pair);
		else if (sent < got)
			rest_keep(target, buffer + sent, got - sent);
	} else if (got == 0) {
		side->ended = true;
		if (target->ended || shutdown(target->fd, SHUT_WR) == -1)
			pair_close(side->pair);
		else
			side_change(side, side->events & ~EPOLLIN);
	} else if (errno != EAGAIN) {
		pair_close(side->pair);
	}
}

static void side_write(struct side *side)
{
	ssize_t sent = send(side->fd, side->rest + side->rest_at, side->rest_length - side->rest_at,
		MSG_NOSIGNAL);

	if (sent == -1 && errno != EAGAIN) {
		pair_close(side->pair);
		return;
	}
	side->rest_at += sent == -1 ? 0 : sent;
	if (side->rest_at < side->rest_length)
		return;
	free(side->rest);
	side->rest = NULL;
	side_change(side, side->events & ~EPOLLOUT);
	side_change(side->peer, side->peer->events | EPOLLIN);
}

static void side_ready(struct side *side, uint32_t events)
{
	if (side->fd != -1 && side->rest && (events & (EPOLLOUT | EPOLLERR | EPOLLHUP)))
		side_write(side);
	if (side->fd != -1 && (side->events & EPOLLIN) &&
		(events & (EPOLLIN | EPOLLERR | EPOLLHUP)))
		side_read(side);
}

static void turn(void)
{
	struct epoll_event events[TURN_EVENTS];
	int count = epoll_wait(epoll_fd, events, TURN_EVENTS, -1);

	for (int i = 0; i < count; i++) {
		if (events[i].data.ptr)
			side_ready(events[i].data.ptr, events[i].events);
		else
			listener_ready();
	}
	while (closed) {
		struct pair *next = closed->next;

		free(closed);
		closed = next;
	}
}

int main(int argc, char **argv)
{
	uint32_t none = 0;
	uint16_t port;

	if (argc != 3) {
		fprintf(stderr, "usage: floor LISTEN BACKEND\n"
				"Relays bytes; both are PORT (of 127.0.0.1) or HOST:PORT.\n"
				"Prints \"ready PORT\"; a LISTEN of 0 is any free port.\n");
		return 2;
	}
	process_prepare();
	backend = address_parse(argv[2]);
	epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (epoll_fd == -1)
		die("epoll_create1");
	listener = socket_listen(address_parse(argv[1]), &port);
	events_set(epoll_fd, listener, NULL, &none, EPOLLIN);
	printf("ready %d\n", port);
	fflush(stdout);
	for (;;)
		turn();
}
