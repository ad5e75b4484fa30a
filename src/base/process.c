/* Reads /proc. Nothing here waits, and nothing is kept. */
#include "config.h"

#include "base/process.h"

#include <assert.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"

size_t process_read(pid_t pid, const char *file, char *out, size_t size)
{
	char path[64];
	ssize_t n;
	int fd;

	assert(size > 0);
	(void)snprintf(path, sizeof path, "/proc/%d/%s", (int)pid, file);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	n = fd != -1 ? read(fd, out, size - 1) : 0;
	fd_close(&fd);
	n = n > 0 ? n : 0;
	out[n] = '\0';
	return (size_t)n;
}

char process_state(pid_t pid)
{
	char stat[512];
	const char *after;

	(void)process_read(pid, "stat", stat, sizeof stat);
	after = strrchr(stat, ')'); /* behind its name, which may be anything */
	return after != NULL && after[1] == ' ' ? after[2] : '\0';
}

const char *process_signal_name(int number)
{
	const char *name = sigabbrev_np(number);

	return name != NULL ? name : "?";
}
