/*
 * The clock stands still until a target moves it, and calls do less than was asked for, as a kernel
 * may at any time: so a run is the same each time, and rare answers are common.
 */
#include "config.h"

#include "kernel.h"

#include <errno.h>
#include <event2/event.h>

struct kernel kernel = { .now_us = UINT64_C(1000000000000) };

#define SHORT_LEN 7

uint64_t __wrap_clock_us(void)
{
	kernel.clock_calls++;
	return kernel.now_us;
}

uint64_t __wrap_clock_ms(void)
{
	return kernel.now_us / 1000;
}

void kernel_tighten(int fd)
{
	int size = 1; /* the kernel makes it the least it can do with */

	(void)setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
}

int __wrap_socket(int family, int type, int protocol)
{
	int fd = __real_socket(family, type, protocol);

	if (fd != -1 && kernel.tight)
		kernel_tighten(fd);
	return fd;
}

int __wrap_bufferevent_socket_connect(
	struct bufferevent *buffer, const struct sockaddr *to, int len)
{
	if (!kernel.lost)
		return __real_bufferevent_socket_connect(buffer, to, len);
	kernel.lost = false;
	return bufferevent_disable(buffer, EV_READ | EV_WRITE);
}

ssize_t __wrap_recv(int fd, void *data, size_t len, int flags)
{
	ssize_t n =
		__real_recv(fd, data, kernel.shorts && len > SHORT_LEN ? SHORT_LEN : len, flags);

	if (n <= 0 || !kernel.broken)
		return n;
	kernel.broken = false;
	errno = ECONNRESET;
	return -1;
}

ssize_t __wrap_send(int fd, const void *data, size_t len, int flags)
{
	return __real_send(fd, data, kernel.shorts && len > SHORT_LEN ? SHORT_LEN : len, flags);
}

ssize_t __wrap_sendmsg(int fd, const struct msghdr *message, int flags)
{
	if (!kernel.shorts || message->msg_iovlen == 0)
		return __real_sendmsg(fd, message, flags);
	return __wrap_send(fd, message->msg_iov[0].iov_base, message->msg_iov[0].iov_len, flags);
}

int __wrap_pipe2(int ends[2], int flags)
{
	if (!kernel.poor)
		return __real_pipe2(ends, flags);
	kernel.poor = false;
	errno = EMFILE;
	return -1;
}

/* So much at a time where little is moved: more than would end the flow, and less. */
static const size_t splits[] = { 40000, 20000, 17000, 5000, 70000 };

ssize_t __wrap_splice(int from, loff_t *from_at, int to, loff_t *to_at, size_t len, unsigned flags)
{
	size_t split = splits[kernel.splices++ % (sizeof splits / sizeof *splits)];
	char next;

	/* Only of sockets: a pipe gives what is in it. */
	if (kernel.broken && __real_recv(from, &next, 1, MSG_PEEK) > 0) {
		kernel.broken = false;
		errno = ECONNRESET;
		return -1;
	}
	if (kernel.splits && kernel.splices % 7 == 0) {
		errno = EAGAIN;
		return -1;
	}
	return __real_splice(
		from, from_at, to, to_at, kernel.splits && split < len ? split : len, flags);
}
