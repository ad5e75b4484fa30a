/*
 * Messages between master and worker. A message is whole or it is nothing: the socket keeps message
 * boundaries, and whatever is not exactly one struct message with at most one descriptor ends the
 * channel, since the other side can then only be broken.
 */
#include "config.h"

#include "base/channel.h"

#include <assert.h>
#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>

#include "base/fd.h"

/* Room for one descriptor, aligned as the kernel wants it. */
union control {
	struct cmsghdr header;
	char room[CMSG_SPACE(sizeof(int))];
};

int channel_pair(int ends[2])
{
	return socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends);
}

static void attach_fd(struct msghdr *h, union control *control, int fd)
{
	struct cmsghdr *c;

	memset(control, 0, sizeof *control);
	h->msg_control = control->room;
	h->msg_controllen = sizeof control->room;
	c = CMSG_FIRSTHDR(h);
	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof fd);
	memcpy(CMSG_DATA(c), &fd, sizeof fd);
}

int channel_send(int channel, struct message *m, int fd)
{
	struct iovec part = { m, sizeof *m };
	struct msghdr h = { .msg_iov = &part, .msg_iovlen = 1 };
	union control control;
	ssize_t n;

	assert(m->type >= MESSAGE_ESCROW && m->type <= MESSAGE_PASSED);
	m->magic = MESSAGE_MAGIC;
	m->text[sizeof m->text - 1] = '\0';
	if (fd != -1)
		attach_fd(&h, &control, fd);
	do
		n = sendmsg(channel, &h, MSG_NOSIGNAL);
	while (n == -1 && errno == EINTR);
	return n == -1 ? -1 : 0;
}

/* The descriptor that came along, or -1. */
static int detach_fd(struct msghdr *h)
{
	struct cmsghdr *c = CMSG_FIRSTHDR(h);
	int fd = -1;

	if (c != NULL && c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS &&
		c->cmsg_len >= CMSG_LEN(sizeof fd))
		memcpy(&fd, CMSG_DATA(c), sizeof fd);
	return fd;
}

/* A descriptor can be cut off because this process may not have one more: that is no fault of the
 * other side, and the message is whole without it. One that came with a second one is. */
static bool is_well_formed(const struct message *m, const struct msghdr *h, size_t len, int fd)
{
	bool surplus = (h->msg_flags & MSG_CTRUNC) != 0 && fd != -1;

	return len == sizeof *m && (h->msg_flags & MSG_TRUNC) == 0 && !surplus &&
	       m->magic == MESSAGE_MAGIC && memchr(m->text, '\0', sizeof m->text) != NULL;
}

enum channel_result channel_receive(int channel, struct message *m, int *fd)
{
	struct iovec part = { m, sizeof *m };
	union control control;
	struct msghdr h = { .msg_iov = &part,
		.msg_iovlen = 1,
		.msg_control = control.room,
		/* Without the padding of CMSG_SPACE, which would hold a second descriptor. */
		.msg_controllen = CMSG_LEN(sizeof *fd) };
	ssize_t n;

	*fd = -1;
	do
		n = recvmsg(channel, &h, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
	while (n == -1 && errno == EINTR);
	if (n == -1)
		return errno == EAGAIN ? CHANNEL_EMPTY : CHANNEL_CLOSED;
	*fd = detach_fd(&h);
	if (is_well_formed(m, &h, (size_t)n, *fd))
		return CHANNEL_MESSAGE;
	fd_close(fd);
	return CHANNEL_CLOSED;
}
