/*
 * The worker's end of escrow: each socket that it binds goes to the master before it listens, so
 * that no connection can be on it that the master's duplicate would not save.
 */
#include "config.h"

#include "escrow.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>

#include "base/channel.h"
#include "base/fd.h"
#include "base/log.h"
#include "net/listener.h"

/* Tells the master why this worker cannot start, in words for the log. */
int escrow_fail(const struct worker_start *start, const char *doing, const char *what)
{
	struct message m = { .type = MESSAGE_FAILED };

	(void)snprintf(m.text, sizeof m.text, "%s%s%s: %s", doing, *what != '\0' ? " " : "", what,
		strerror(errno));
	if (channel_send(start->channel, &m, -1) == -1)
		log_errorx("%s", m.text);
	return -1;
}

/* Logs may be reopened while a worker starts. */
static void take_log_early(struct worker_start *start, uint32_t type, int fd)
{
	if (type == MESSAGE_REOPEN_LOG && fd != -1) {
		log_take_fd(fd);
	} else if (type == MESSAGE_REOPEN_ACCESS && fd != -1 && start->access_log != -1) {
		fd_close(&start->access_log);
		start->access_log = fd;
	} else {
		fd_close(&fd);
	}
}

/* Waits for the master's word that it holds the socket. */
static int wait_escrowed(struct worker_start *start)
{
	struct pollfd wait = { .fd = start->channel, .events = POLLIN };
	struct message m;
	int fd;

	for (;;) {
		switch (channel_receive(start->channel, &m, &fd)) {
		case CHANNEL_CLOSED:
			return -1;
		case CHANNEL_MESSAGE:
			take_log_early(start, m.type, fd);
			if (m.type == MESSAGE_ESCROWED)
				return 0;
			break;
		case CHANNEL_EMPTY:
			if (poll(&wait, 1, -1) == -1 && errno != EINTR)
				return -1;
			break;
		}
	}
}

/* The socket is bound and not listening yet: no connection can be on it that the master's duplicate
 * would not save. */
static int bind_one(struct worker_start *start, struct worker_socket *socket)
{
	const struct listener_settings *listener = &start->settings->listeners[socket->listener];
	struct message m = { .type = MESSAGE_ESCROW, .number = socket->listener };

	socket->fd = listener_bind(&listener->address);
	if (socket->fd == -1)
		return escrow_fail(start, "cannot listen on", listener->address_text);
	if (channel_send(start->channel, &m, socket->fd) == -1)
		return escrow_fail(start, "cannot reach the master", "");
	return wait_escrowed(start);
}

int escrow_bind(struct worker_start *start)
{
	for (size_t i = 0; i < start->socket_count; i++)
		if (start->sockets[i].fd == -1 && bind_one(start, &start->sockets[i]) == -1)
			return -1;
	return 0;
}
