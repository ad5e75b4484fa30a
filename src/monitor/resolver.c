/*
 * Name servers can be silent for long, and what they say is taken apart by code of others: hence a
 * process that can be killed, that has no rights, and whose answers are looked at twice.
 */
#include "config.h"

#include "resolver.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/privilege.h"
#include "base/title.h"

/* Whatever ends the monitor ends it. */
static void follow(pid_t monitor)
{
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) == -1 || getppid() != monitor)
		_exit(1);
}

static void look_up(const char *host, uint32_t number, struct resolver_answer *answer)
{
	const char *why = "";

	*answer = (struct resolver_answer){ .number = number };
	answer->count = address_resolve(host, 0, answer->list, LOOKUP_MAX, &why);
	if (answer->count == -1)
		(void)snprintf(answer->why, sizeof answer->why, "%s", why);
}

static void run(const struct settings *settings, const char *const *hosts, const uint32_t *numbers,
	size_t count, int out, pid_t monitor)
{
	static struct resolver_answer answer;
	const int keep[] = { out, log_keep_fd() };

	fd_close_except(keep, sizeof keep / sizeof *keep);
	title_set("resolver");
	log_set_role("resolver");
	if (privilege_leave_root(settings->user) == -1)
		log_warn("names are looked up as root");
	follow(monitor);
	for (size_t i = 0; i < count; i++) {
		look_up(hosts[i], numbers[i], &answer);
		if (fd_write_all(out, &answer, sizeof answer) == -1)
			_exit(1);
	}
	_exit(0);
}

pid_t resolver_start(const struct settings *settings, const char *const *hosts,
	const uint32_t *numbers, size_t count, int *pipe)
{
	pid_t monitor = getpid(), pid;
	int ends[2];

	assert(count > 0);
	if (pipe2(ends, O_CLOEXEC) == -1)
		return -1;
	if (fcntl(ends[0], F_SETFL, O_NONBLOCK) == -1 || (pid = fork()) == -1) {
		fd_close(&ends[0]);
		fd_close(&ends[1]);
		return -1;
	}
	if (pid == 0)
		run(settings, hosts, numbers, count, ends[1], monitor);
	fd_close(&ends[1]);
	*pipe = ends[0];
	return pid;
}

static bool is_sound_address(const struct address *a)
{
	return (a->len == sizeof a->u.in && a->u.sa.sa_family == AF_INET) ||
	       (a->len == sizeof a->u.in6 && a->u.sa.sa_family == AF_INET6);
}

bool resolver_is_sound(const struct resolver_answer *answer, size_t names)
{
	if (answer->number >= names || answer->count == 0 || answer->count < -1 ||
		answer->count > LOOKUP_MAX || answer->why[sizeof answer->why - 1] != '\0')
		return false;
	for (int i = 0; i < answer->count; i++)
		if (!is_sound_address(&answer->list[i]))
			return false;
	return true;
}

void resolver_end(pid_t pid)
{
	assert(pid > 0);
	(void)kill(pid, SIGKILL);
	/* It is gone in a moment. */
	while (waitpid(pid, NULL, 0) == -1 && errno == EINTR)
		;
}
