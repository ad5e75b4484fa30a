/* The guard waits for the end of a pipe, kills what is left, and removes the folder. */
#include "config.h"

#include "selftest_guard.h"

#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/title.h"

void selftest_guard_sweep(const char *folder)
{
	DIR *dir = opendir(folder);
	const struct dirent *entry;

	if (dir == NULL)
		return;
	while ((entry = readdir(dir)) != NULL)
		(void)unlinkat(dirfd(dir), entry->d_name, 0);
	closedir(dir);
	(void)rmdir(folder);
}

static void run(int pipe, const char *folder)
{
	struct guard_task task = { 0 }, told;
	ssize_t n;

	signal(SIGHUP, SIG_IGN);
	fd_close_except(&pipe, 1);
	title_set("selftest guard");
	while ((n = read(pipe, &told, sizeof told)) != 0) {
		if (n == (ssize_t)sizeof told)
			task = told;
		else if (n != -1 || errno != EINTR)
			break;
	}
	if (task.group > 0)
		(void)kill(-task.group, SIGKILL);
	if (!task.keep)
		selftest_guard_sweep(folder);
	_exit(0);
}

int selftest_guard_start(struct guard *guard, const char *folder)
{
	int ends[2];

	if (pipe2(ends, O_CLOEXEC) == -1)
		return -1;
	guard->pid = fork();
	if (guard->pid == 0)
		run(ends[0], folder);
	/* Neither the terminal nor a signal to the group of the selftest reaches the guard. */
	if (guard->pid > 0)
		(void)setpgid(guard->pid, guard->pid);
	fd_close(&ends[0]);
	guard->pipe = ends[1];
	if (guard->pid == -1)
		fd_close(&guard->pipe);
	return guard->pid == -1 ? -1 : 0;
}

void selftest_guard_tell(const struct guard *guard, const struct guard_task *task)
{
	assert(task->group >= 0);
	/* Where a user has killed the guard, that cannot be helped. */
	if (guard->pipe != -1)
		(void)!write(guard->pipe, task, sizeof *task);
}

void selftest_guard_end(struct guard *guard)
{
	fd_close(&guard->pipe);
	while (guard->pid > 0 && waitpid(guard->pid, NULL, 0) == -1 && errno == EINTR)
		continue;
	guard->pid = 0;
}
