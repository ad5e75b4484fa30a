/*
 * Each message is one datagram to the socket that NOTIFY_SOCKET names. Sending never waits: a
 * service manager that does not listen must not hold up the service.
 */
#include "config.h"

#include "notify.h"

#include <errno.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/log.h"

/* Room for NOTIFY_FDS_MAX descriptors, aligned as the kernel wants it. */
union control {
	struct cmsghdr header;
	char room[CMSG_SPACE(NOTIFY_FDS_MAX * sizeof(int))];
};

static void attach(struct msghdr *h, union control *control, const int *fds, size_t count)
{
	struct cmsghdr *c;

	if (count == 0)
		return;
	memset(control, 0, sizeof *control);
	h->msg_control = control->room;
	h->msg_controllen = CMSG_SPACE(count * sizeof *fds);
	c = CMSG_FIRSTHDR(h);
	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(count * sizeof *fds);
	memcpy(CMSG_DATA(c), fds, count * sizeof *fds);
}

/* `text` and descriptors, which stay the caller's, in one datagram. 0, or -1 with errno. */
static int send_text(const char *path, char *text, const int *fds, size_t count)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	struct iovec part = { text, strlen(text) };
	struct msghdr h = { .msg_name = &a, .msg_iov = &part, .msg_iovlen = 1 };
	size_t len = strlen(path);
	union control control;
	int fd;

	errno = EINVAL;
	if (len >= sizeof a.sun_path || (path[0] != '/' && path[0] != '@') ||
		count > NOTIFY_FDS_MAX)
		return -1;
	memcpy(a.sun_path, path, len);
	if (path[0] == '@') /* an abstract name */
		a.sun_path[0] = '\0';
	h.msg_namelen = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len);
	attach(&h, &control, fds, count);
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd == -1)
		return -1;
	if (sendmsg(fd, &h, MSG_NOSIGNAL) == -1) {
		fd_close(&fd);
		return -1;
	}
	fd_close(&fd);
	return 0;
}

bool notify_is_wanted(void)
{
	return getenv("NOTIFY_SOCKET") != NULL;
}

void notify_send(const char *format, ...)
{
	const char *path = getenv("NOTIFY_SOCKET");
	char text[512];
	va_list args;

	if (path == NULL)
		return;
	va_start(args, format);
	vsnprintf(text, sizeof text, format, args);
	va_end(args);
	if (send_text(path, text, NULL, 0) == -1)
		log_warn("cannot tell the service manager: %s", path);
}

int notify_send_fds(const int *fds, size_t count, const char *format, ...)
{
	const char *path = getenv("NOTIFY_SOCKET");
	char text[512];
	va_list args;

	if (path == NULL)
		return -1;
	va_start(args, format);
	vsnprintf(text, sizeof text, format, args);
	va_end(args);
	return send_text(path, text, fds, count);
}

void notify_reloading(void)
{
	notify_send("RELOADING=1\nMONOTONIC_USEC=%ju\nSTATUS=Reloading", (uintmax_t)clock_us());
}
