/*
 * The pid file is locked, written under another name, and then put in its place: so it is never
 * seen half written. A process id in it is that of a living master if and only if the lock is held.
 * Only a file that looks like a pid file is replaced or removed: a wrong path in the settings must
 * not cost a file.
 */
#include "config.h"

#include "pidfile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/memory.h"
#include "base/rng.h"

/* Two masters that start at the same time may take a file away from each other. One of them then
 * looks again, and sees the lock of the other. */
#define ATTEMPTS 10

/* True where the path still leads to the open file. */
static bool is_same_file(const char *path, int fd)
{
	struct stat named, open_one;

	return stat(path, &named) == 0 && fstat(fd, &open_one) == 0 &&
	       named.st_dev == open_one.st_dev && named.st_ino == open_one.st_ino;
}

/* Chooses a name for a file beside `path`, which cannot be guessed. 0, or -1 with errno. */
static int choose_name(const char *path, char *name, size_t size)
{
	uint64_t number;
	int n;

	if (rng_root_seed(&number) == -1)
		return -1;
	n = snprintf(name, size, "%s.%016jx", path, (uintmax_t)number);
	if (n >= 0 && (size_t)n < size)
		return 0;
	errno = ENAMETOOLONG;
	return -1;
}

/* A locked file under a name of its own with our id in it. Where others may write to the folder,
 * what they have put or linked there is not touched. Its descriptor, or -1 with errno. */
static int make_temporary(const char *path)
{
	char text[16];
	int n = snprintf(text, sizeof text, "%d\n", (int)getpid());
	int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0644);

	if (fd == -1)
		return -1;
	if (flock(fd, LOCK_EX | LOCK_NB) == -1 || fd_write_all(fd, text, (size_t)n) == -1) {
		unlink(path);
		fd_close(&fd);
	}
	return fd;
}

/* True for a file with a process id in it, or empty. */
static bool is_pid_file(int fd)
{
	char text[17] = "";
	struct stat st;
	size_t digits;

	if (fstat(fd, &st) == -1 || !S_ISREG(st.st_mode) || st.st_size >= (off_t)sizeof text)
		return false;
	if (pread(fd, text, sizeof text - 1, 0) != st.st_size)
		return false;
	digits = strspn(text, "0123456789");
	return (off_t)(digits + (digits > 0 && text[digits] == '\n')) == st.st_size;
}

/* Opens the file that is there. -1 with EEXIST where it is no pid file. A device is not opened at
 * all: that can have an effect. */
static int open_existing(const char *path)
{
	struct stat st;
	int fd;

	if (stat(path, &st) == 0 && !S_ISREG(st.st_mode)) {
		errno = EEXIST;
		return -1;
	}
	fd = open(path, O_RDWR | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (fd != -1 && !is_pid_file(fd)) {
		errno = EEXIST;
		fd_close(&fd);
	}
	return fd;
}

/* The lock of the file that is there. Its descriptor; -1 with ENOENT where there is none, and with
 * EWOULDBLOCK where its owner lives. */
static int lock_existing(const char *path)
{
	int fd = open_existing(path);

	if (fd != -1 && flock(fd, LOCK_EX | LOCK_NB) == -1)
		fd_close(&fd);
	return fd;
}

/* Puts `temporary` where `path` is. `old` is the lock of a stale file, or -1 where there was none.
 * 0, or -1 with EBUSY where another master was faster. */
static int put_in_place(const char *temporary, const char *path, int old)
{
	if (old != -1) {
		if (is_same_file(path, old))
			return rename(temporary, path);
		errno = EBUSY;
		return -1;
	}
	if (link(temporary, path) == 0)
		return unlink(temporary);
	if (errno == EEXIST)
		errno = EBUSY;
	return -1;
}

/* One attempt: the descriptor, or -1 with errno, EBUSY meaning another attempt. */
static int try_open(const char *path)
{
	char temporary[4096];
	int old = lock_existing(path), fd;

	if (old == -1 && errno != ENOENT)
		return -1;
	fd = choose_name(path, temporary, sizeof temporary) == -1 ? -1 : make_temporary(temporary);
	if (fd != -1 && put_in_place(temporary, path, old) == -1) {
		int saved = errno;
		unlink(temporary);
		fd_close(&fd);
		errno = saved;
	}
	fd_close(&old);
	return fd;
}

/* Says which process holds the lock. */
static void explain_lock(const char *path, char *why, size_t why_size)
{
	char text[16] = "";
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	ssize_t n = fd == -1 ? -1 : read(fd, text, sizeof text - 1);

	fd_close(&fd);
	text[n > 0 ? (size_t)n : 0] = '\0';
	text[strspn(text, "0123456789")] = '\0';
	snprintf(why, why_size, "another tinylb is running with the pid file %s (pid %s)", path,
		text[0] != '\0' ? text : "unknown");
}

int pidfile_open(struct pidfile *p, const char *path, char *why, size_t why_size)
{
	*p = (struct pidfile){ -1, NULL };
	if (path == NULL)
		return 0;
	for (int i = 0; i < ATTEMPTS; i++) {
		p->fd = try_open(path);
		if (p->fd != -1 || errno != EBUSY)
			break;
	}
	if (p->fd == -1) {
		if (errno == EWOULDBLOCK)
			explain_lock(path, why, why_size);
		else if (errno == EEXIST)
			snprintf(why, why_size, "%s is not a pid file: name another", path);
		else
			snprintf(why, why_size, "cannot write the pid file %s: %s", path,
				strerror(errno));
		return -1;
	}
	p->path = mem_strdup(path);
	return 0;
}

void pidfile_close(struct pidfile *p)
{
	if (p->fd != -1 && p->path != NULL && is_same_file(p->path, p->fd))
		unlink(p->path);
	fd_close(&p->fd);
	mem_free(p->path);
	p->path = NULL;
}
