/*
 * One pipe and the two sockets at its ends. It is made as large as the kernel lets the user have
 * it, for on a real network each packet takes one of its places, however short it is.
 */
#include "config.h"

#include "net/pipe.h"

#include <assert.h>
#include <fcntl.h>
#include <linux/sock_diag.h>
#include <stdint.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/fd.h"

/* What an unprivileged user may have by default. Where many pipes of the user have used up his
 * share (fs.pipe-user-pages-soft) it stays small, and less goes through it at a time. */
#define SIZE_WANTED (1024 * 1024)

void pipe_init(struct pipe *p)
{
	p->ends[0] = -1;
	p->ends[1] = -1;
	p->held = 0;
}

bool pipe_open(struct pipe *p)
{
	if (p->ends[0] != -1)
		return true;
	if (pipe2(p->ends, O_NONBLOCK | O_CLOEXEC) == -1) {
		pipe_init(p);
		return false;
	}
	(void)fcntl(p->ends[1], F_SETPIPE_SZ, SIZE_WANTED);
	return true;
}

void pipe_close(struct pipe *p)
{
	fd_close(&p->ends[0]);
	fd_close(&p->ends[1]);
	p->held = 0;
}

size_t pipe_room(int fd)
{
	uint32_t memory[SK_MEMINFO_VARS] = { 0 };
	socklen_t len = sizeof memory;
	uint32_t used;

	if (getsockopt(fd, SOL_SOCKET, SO_MEMINFO, memory, &len) == -1)
		return 0;
	/* The one is TCP's measure, the other that of unix sockets. */
	used = memory[SK_MEMINFO_WMEM_QUEUED];
	if (used < memory[SK_MEMINFO_WMEM_ALLOC])
		used = memory[SK_MEMINFO_WMEM_ALLOC];
	return used < memory[SK_MEMINFO_SNDBUF] ? memory[SK_MEMINFO_SNDBUF] - used : 0;
}

ssize_t pipe_fill(struct pipe *p, int fd, size_t most)
{
	ssize_t n;

	assert(p->ends[1] != -1 && p->held == 0);
	n = splice(fd, NULL, p->ends[1], NULL, most, SPLICE_F_MOVE | SPLICE_F_NONBLOCK);
	p->held += n > 0 ? (size_t)n : 0;
	return n;
}

ssize_t pipe_drain(struct pipe *p, int fd, size_t len)
{
	ssize_t n;

	assert(len <= p->held);
	n = splice(p->ends[0], NULL, fd, NULL, len, SPLICE_F_MOVE | SPLICE_F_NONBLOCK);
	p->held -= n > 0 ? (size_t)n : 0;
	return n;
}

ssize_t pipe_read(struct pipe *p, char *to, size_t size)
{
	ssize_t n;

	assert(p->held > 0);
	n = read(p->ends[0], to, size);
	p->held -= n > 0 ? (size_t)n : 0;
	return n;
}
