/*
 * A daemon begins with one fork and setsid(). The process that was started stays until the workers
 * are ready: its exit code tells whether the start succeeded. The terminal is kept until then, so
 * that errors are seen. The working directory stays: the path of the settings may be relative.
 */
#include "config.h"

#include "daemon.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"

static int wait_for_status(int fd)
{
	char byte;
	ssize_t n;

	do
		n = read(fd, &byte, 1);
	while (n == -1 && errno == EINTR);
	return n == 1 ? 0 : 1;
}

int daemon_start(struct daemon *d)
{
	int ends[2];
	pid_t pid;

	if (pipe2(ends, O_CLOEXEC) == -1) {
		log_error("cannot make a pipe");
		return 1;
	}
	fflush(NULL); /* or else both processes write what is buffered */
	pid = fork();
	if (pid == -1) {
		log_error("cannot fork");
		return 1;
	}
	if (pid > 0) {
		fd_close(&ends[1]);
		return wait_for_status(ends[0]);
	}
	fd_close(&ends[0]);
	setsid();
	d->on = true;
	d->status = ends[1];
	return -1;
}

void daemon_silence(void)
{
	int fd = open("/dev/null", O_RDWR | O_NOCTTY | O_CLOEXEC);

	if (fd == -1)
		return;
	for (int i = STDIN_FILENO; i <= STDERR_FILENO; i++)
		if (dup2(fd, i) == -1)
			log_warn("cannot let go of descriptor %d", i);
	if (fd > STDERR_FILENO)
		fd_close(&fd);
}

void daemon_ready(struct daemon *d)
{
	if (!d->on || d->status == -1)
		return;
	daemon_silence();
	if (fd_write_all(d->status, "1", 1) == -1)
		log_debug("nobody waits for this daemon any more");
	fd_close(&d->status);
}

void daemon_fini(struct daemon *d)
{
	fd_close(&d->status);
}
