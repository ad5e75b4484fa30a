/*
 * Preloaded into the program under test, this makes a process turn in place for ever: the one that
 * receives the word SPIN-HERE. tests/lib/spin.py is the other end.
 */
#include "config.h"

#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

static const char word[] = "SPIN-HERE";

static volatile bool forever = true;

ssize_t recv(int fd, void *data, size_t size, int flags)
{
	ssize_t n = syscall(SYS_recvfrom, fd, data, size, flags, NULL, NULL);

	if (n > 0 && memmem(data, (size_t)n, word, sizeof word - 1) != NULL)
		while (forever)
			;
	return n;
}
