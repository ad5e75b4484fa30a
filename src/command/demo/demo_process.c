/*
 * Backends of the demo as processes: the socket that each listens on, and the fork. What such a
 * process does then stands in demo_backend.c.
 */
#include "config.h"

#include <arpa/inet.h>
#include <assert.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/title.h"
#include "demo_process.h"
#include "net/address.h"

int demo_process_listen(uint16_t *port)
{
	struct address a = { .len = sizeof a.u.in };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	int on = 1;

	assert(port != NULL);
	a.u.in.sin_family = AF_INET;
	a.u.in.sin_port = htons(*port);
	a.u.in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (fd == -1)
		return -1;
	if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) == -1 ||
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) == -1 ||
		bind(fd, &a.u.sa, a.len) == -1 || listen(fd, SOMAXCONN) == -1 ||
		getsockname(fd, &a.u.sa, &a.len) == -1)
		fd_close(&fd);
	else
		*port = address_port(&a);
	return fd;
}

/* The backend's process. Ctrl-C may reach it too, but it has to answer what is in flight, and ends
 * with the lifeline; where the parent is killed before it can close anything, by the signal. */
static void run(const struct demo_backend *start, pid_t parent)
{
	const int keep[] = { start->listener, start->lifeline };

	prctl(PR_SET_PDEATHSIG, SIGTERM);
	if (getppid() != parent)
		_exit(0);
	signal(SIGINT, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
	signal(SIGPIPE, SIG_IGN);
	fd_close_except(keep, 2);
	fd_raise_limit();
	title_set("demo backend %u", start->port);
	_exit(demo_backend_run(start));
}

pid_t demo_process_fork(const struct demo_backend *start)
{
	pid_t parent = getpid();
	pid_t pid = fork();

	assert(start->listener != -1 && start->lifeline != -1);
	if (pid == 0)
		run(start, parent);
	return pid;
}
