/* Signals are read from a descriptor. What they mean is decided in master.c. */
#include "config.h"

#include "signals.h"

#include <signal.h>
#include <sys/signalfd.h>
#include <unistd.h>

static void fill(sigset_t *set)
{
	static const int all[] = { SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2, SIGCHLD };

	sigemptyset(set);
	for (size_t i = 0; i < sizeof all / sizeof *all; i++)
		sigaddset(set, all[i]);
}

void signals_block(void)
{
	sigset_t set;

	fill(&set);
	sigprocmask(SIG_BLOCK, &set, NULL);
	/* A parent may have left SIGCHLD ignored: then the kernel would reap children itself. */
	signal(SIGCHLD, SIG_DFL);
	/* A log or a channel without a reader is an error of write(2), and no signal. */
	signal(SIGPIPE, SIG_IGN);
	/* So is a file that may not grow any more: a log, the board. Children inherit it. */
	signal(SIGXFSZ, SIG_IGN);
}

void signals_unblock(void)
{
	sigset_t set;

	fill(&set);
	sigprocmask(SIG_UNBLOCK, &set, NULL);
}

int signals_open(void)
{
	sigset_t set;

	fill(&set);
	return signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
}

int signals_next(int fd)
{
	struct signalfd_siginfo info;

	return read(fd, &info, sizeof info) == (ssize_t)sizeof info ? (int)info.ssi_signo : 0;
}
