/*
 * Makes sockets to listen on. When they begin to listen is for others to decide: with SO_REUSEPORT
 * it is listen(2), not bind(2), that joins the kernel's group.
 */
#include "config.h"

#include "net/listener.h"

#include <errno.h>
#include <linux/filter.h>
#include <netinet/tcp.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "pace.h"

static int set_on(int fd, int level, int option)
{
	int on = 1;

	return setsockopt(fd, level, option, &on, sizeof on);
}

/* The wildcard means every address the machine has, whatever the version of IP. */
static bool is_wildcard6(const struct address *a)
{
	return a->u.sa.sa_family == AF_INET6 && IN6_IS_ADDR_UNSPECIFIED(&a->u.in6.sin6_addr);
}

static struct address wildcard4(const struct address *a)
{
	struct address v4 = { .len = sizeof v4.u.in };

	v4.u.in.sin_family = AF_INET;
	v4.u.in.sin_port = a->u.in6.sin6_port;
	return v4;
}

static int set_options(int fd, const struct address *a, bool share)
{
	int only6 = !is_wildcard6(a);

	if (address_is_unix(a))
		return 0;
	/* What is accepted has what the listening socket has. */
	pace_spare(fd, a);
	if (set_on(fd, SOL_SOCKET, SO_REUSEADDR) == -1)
		return -1;
	if (share && set_on(fd, SOL_SOCKET, SO_REUSEPORT) == -1)
		return -1;
	if (a->u.sa.sa_family == AF_INET6 &&
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &only6, sizeof only6) == -1)
		return -1;
	return set_on(fd, IPPROTO_TCP, TCP_NODELAY);
}

/* The path of a unix socket has its mode from the moment it is there. All users may connect, as to
 * a TCP port; the mode of the folder can keep users out. */
static int bind_address(int fd, const struct address *a)
{
	mode_t former;
	int result;

	if (!address_is_unix(a))
		return bind(fd, &a->u.sa, a->len);
	former = umask(0111);
	result = bind(fd, &a->u.sa, a->len);
	umask(former);
	return result;
}

static int bind_socket(const struct address *a, bool share)
{
	int fd = socket(a->u.sa.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd == -1)
		return -1;
	if (set_options(fd, a, share) == -1 || bind_address(fd, a) == -1)
		fd_close(&fd);
	return fd;
}

static int bind_any_version(const struct address *a, bool share)
{
	int fd = bind_socket(a, share);

	/* EAFNOSUPPORT: no IPv6 in the kernel. EADDRNOTAVAIL: it is there, but switched off. */
	if (fd == -1 && is_wildcard6(a) && (errno == EAFNOSUPPORT || errno == EADDRNOTAVAIL)) {
		struct address v4 = wildcard4(a);
		fd = bind_socket(&v4, share);
	}
	return fd;
}

int listener_bind(const struct address *a)
{
	return bind_any_version(a, true);
}

int listener_probe(const struct address *a)
{
	int fd = bind_any_version(a, false);

	if (fd == -1)
		return -1;
	fd_close(&fd);
	return 0;
}

void listener_gate(int fd, bool shut)
{
	/* What it sees begins with the TCP header: a SYN that acknowledges nothing is dropped, the
	 * rest passes as it is. */
	static struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 13),
		BPF_STMT(BPF_ALU | BPF_AND | BPF_K, 0x12), /* SYN and ACK */
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0x02, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, 0),
		BPF_STMT(BPF_RET | BPF_K, UINT32_MAX),
	};
	static const struct sock_fprog program = { sizeof code / sizeof *code, code };

	(void)setsockopt(fd, SOL_SOCKET, shut ? SO_ATTACH_FILTER : SO_DETACH_FILTER, &program,
		sizeof program);
}
