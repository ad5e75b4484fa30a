/*
 * The worker's end of the escrow. listen() comes after the master has the duplicate, so that no
 * connection can be on a socket that the duplicate would not save.
 */
#include "config.h"

#include "bind_sockets.h"

#include <assert.h>
#include <errno.h>
#include <poll.h>

#include "base/channel.h"
#include "base/fd.h"
#include "base/log.h"
#include "net/listener.h"
#include "start_failure.h"

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

/* Waits until the master says that it holds the socket. 0, or -1: it is gone. */
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

static int bind_one(struct worker_start *start, struct worker_socket *socket)
{
	const struct listener_settings *listener = &start->settings->listeners[socket->listener];
	struct message m = { .type = MESSAGE_ESCROW, .number = socket->listener };

	assert(socket->listener < start->settings->listener_count);
	socket->fd = listener_bind(&listener->address);
	if (socket->fd == -1)
		return start_failure_tell(start, "cannot listen on", listener->address_text);
	if (channel_send(start->channel, &m, socket->fd) == -1)
		return start_failure_tell(start, "cannot reach the master", "");
	return wait_escrowed(start);
}

int bind_sockets(struct worker_start *start)
{
	for (size_t i = 0; i < start->socket_count; i++)
		if (start->sockets[i].fd == -1 && bind_one(start, &start->sockets[i]) == -1)
			return -1;
	return 0;
}
