/* Reads /proc: children, their states, and the connections that a process holds. */
#include "config.h"

#include "selftest_proc.h"

#include <assert.h>
#include <dirent.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/process.h"
#include "selftest_scan.h"

#define PATH_SIZE 64

/* Of one process. */
#define SOCKETS_MAX 4096

/* Until a signal has taken effect. */
#define STOP_PAUSE_US 200
#define STOP_ROUNDS   500

bool selftest_proc_is_there(void)
{
	char path[PATH_SIZE];
	int pid = (int)getpid();

	(void)snprintf(path, sizeof path, "/proc/%d/task/%d/children", pid, pid);
	return access(path, R_OK) == 0 && access("/proc/net/tcp", R_OK) == 0;
}

/* Before its first title a child shows that of the master. */
static bool read_worker(pid_t pid, struct proc_worker *worker)
{
	char title[64];
	const char *at = title;

	worker->pid = pid;
	return process_read(pid, "cmdline", title, sizeof title) > 0 &&
	       selftest_scan_text(&at, "tinylb: worker ") &&
	       selftest_scan_number(&at, 10, &worker->slot) && selftest_scan_text(&at, " gen ") &&
	       selftest_scan_number(&at, 10, &worker->generation);
}

size_t selftest_proc_workers(pid_t master, struct proc_worker *list, size_t max)
{
	char file[PATH_SIZE], children[4096];
	const char *at = children;
	size_t count = 0;
	uint64_t pid;

	assert(master > 0);
	(void)snprintf(file, sizeof file, "task/%d/children", (int)master);
	(void)process_read(master, file, children, sizeof children);
	while (count < max && selftest_scan_number(&at, 10, &pid))
		count += read_worker((pid_t)pid, &list[count]);
	return count;
}

void selftest_proc_wait_stopped(pid_t pid)
{
	for (int i = 0; i < STOP_ROUNDS; i++) {
		/* A NUL is among them: there is no such process. */
		if (memchr("TtZX", process_state(pid), sizeof "TtZX") != NULL)
			return;
		usleep(STOP_PAUSE_US);
	}
}

struct sockets {
	uint64_t inodes[SOCKETS_MAX];
	size_t count;
};

/* The sockets among the descriptors of a process. 0, or -1 with errno. */
static int read_sockets(pid_t pid, struct sockets *sockets)
{
	char path[PATH_SIZE], target[PATH_SIZE];
	const struct dirent *entry;
	DIR *dir;

	(void)snprintf(path, sizeof path, "/proc/%d/fd", (int)pid);
	dir = opendir(path);
	if (dir == NULL)
		return -1;
	sockets->count = 0;
	while (sockets->count < SOCKETS_MAX && (entry = readdir(dir)) != NULL) {
		ssize_t len = readlinkat(dirfd(dir), entry->d_name, target, sizeof target - 1);
		const char *at = target;

		target[len > 0 ? len : 0] = '\0';
		if (selftest_scan_text(&at, "socket:["))
			sockets->count +=
				selftest_scan_number(&at, 10, &sockets->inodes[sockets->count]);
	}
	closedir(dir);
	return 0;
}

static bool has_socket(const struct sockets *sockets, uint64_t inode)
{
	for (size_t i = 0; i < sockets->count; i++)
		if (sockets->inodes[i] == inode)
			return true;
	return false;
}

/* A line of /proc/net/tcp: a number, the near and the far address, six other things, the inode. */
static bool read_connection(const char *line, uint64_t *near, uint64_t *far, uint64_t *inode)
{
	const char *at = line;
	uint64_t host;

	selftest_scan_over(&at, 1);
	if (!selftest_scan_number(&at, 16, &host) || !selftest_scan_text(&at, ":") ||
		!selftest_scan_number(&at, 16, near))
		return false;
	selftest_scan_over(&at, 0);
	if (!selftest_scan_number(&at, 16, &host) || !selftest_scan_text(&at, ":") ||
		!selftest_scan_number(&at, 16, far))
		return false;
	selftest_scan_over(&at, 6);
	return selftest_scan_number(&at, 10, inode);
}

ssize_t selftest_proc_held(pid_t pid, uint16_t port, uint16_t *far, size_t max)
{
	static struct sockets sockets;
	uint64_t near_port, far_port, inode;
	size_t count = 0;
	char line[256];
	FILE *in;

	assert(pid > 0 && max > 0);
	if (read_sockets(pid, &sockets) == -1)
		return -1;
	in = fopen("/proc/net/tcp", "re");
	if (in == NULL)
		return -1;
	/* A listening socket has no far port. */
	while (count < max && fgets(line, sizeof line, in) != NULL)
		if (read_connection(line, &near_port, &far_port, &inode) && near_port == port &&
			far_port != 0 && inode != 0 && has_socket(&sockets, inode))
			far[count++] = (uint16_t)far_port;
	(void)fclose(in);
	return (ssize_t)count;
}
