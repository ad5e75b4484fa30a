/* What stands between the program and the kernel: the linker puts these in place of the calls. */
#ifndef TINYLB_TESTS_KERNEL_H
#define TINYLB_TESTS_KERNEL_H

#include <event2/bufferevent.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/types.h>

struct kernel {
	uint64_t now_us;
	uint64_t clock_calls; /* each callback of the program begins with one */
	bool tight;           /* small buffers in new sockets */
	bool shorts;          /* each call moves a few bytes only */
	bool splits;          /* splice does */
	bool broken;          /* the next bytes received are an error */
	bool lost;            /* nobody answers the next attempt to connect */
	bool poor;            /* there are no descriptors for the next pipe */
	unsigned splices;     /* calls so far */
};

extern struct kernel kernel;

void kernel_tighten(int fd);

ssize_t __real_recv(int fd, void *data, size_t len, int flags);
ssize_t __real_send(int fd, const void *data, size_t len, int flags);
ssize_t __real_sendmsg(int fd, const struct msghdr *message, int flags);
int __real_socket(int family, int type, int protocol);
int __real_pipe2(int ends[2], int flags);
ssize_t __real_splice(int from, loff_t *from_at, int to, loff_t *to_at, size_t len, unsigned flags);
int __real_bufferevent_socket_connect(
	struct bufferevent *buffer, const struct sockaddr *to, int len);
int __wrap_bufferevent_socket_connect(
	struct bufferevent *buffer, const struct sockaddr *to, int len);
ssize_t __wrap_recv(int fd, void *data, size_t len, int flags);
ssize_t __wrap_send(int fd, const void *data, size_t len, int flags);
ssize_t __wrap_sendmsg(int fd, const struct msghdr *message, int flags);
int __wrap_pipe2(int ends[2], int flags);
ssize_t __wrap_splice(int from, loff_t *from_at, int to, loff_t *to_at, size_t len, unsigned flags);
int __wrap_socket(int family, int type, int protocol);
uint64_t __wrap_clock_us(void);
uint64_t __wrap_clock_ms(void);

#endif
