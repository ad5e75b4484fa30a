/*
 * Opens and writes the log's targets. The system's logger is spoken to over a socket of our own and
 * not through syslog(3): a child must know which descriptor it has to keep open. Nothing here waits
 * for a reader of the log: traffic is worth more than a message.
 */
#include "config.h"

#include "log_sink.h"

#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/memory.h"

#define SYSLOG_SOCKET "/dev/log"
#define SYSLOG_LINE   2400
#define RETRY_MS      1000 /* between two attempts to find a logger that went away */

static int open_syslog(void)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX, .sun_path = SYSLOG_SOCKET };
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd != -1 && connect(fd, (struct sockaddr *)&a, sizeof a) == -1)
		fd_close(&fd);
	return fd;
}

static int open_file(struct log_sink *sink, const char *path)
{
	sink->kind = SINK_FILE;
	sink->path = mem_strdup(path);
	if (sink->path == NULL)
		return -1;
	sink->fd = fd_open_log(path);
	if (sink->fd == -1) {
		mem_free(sink->path);
		sink->path = NULL;
	}
	return sink->fd == -1 ? -1 : 0;
}

int log_sink_open(struct log_sink *sink, const char *target)
{
	*sink = (struct log_sink){ .kind = SINK_STDERR, .fd = STDERR_FILENO };
	if (strcmp(target, "stderr") == 0)
		return 0;
	if (strcmp(target, "syslog") != 0)
		return open_file(sink, target);
	sink->kind = SINK_SYSLOG;
	/* A logger that is not there yet may come: every message looks for it again. */
	sink->fd = open_syslog();
	return 0;
}

void log_sink_close(struct log_sink *sink)
{
	if (sink->kind != SINK_STDERR)
		fd_close(&sink->fd);
	mem_free(sink->path);
	sink->path = NULL;
}

/* Sends one datagram. True where the logger took it. */
static bool send_syslog(struct log_sink *sink, const char *text, size_t len)
{
	uint64_t now;

	if (sink->fd != -1 && send(sink->fd, text, len, MSG_NOSIGNAL | MSG_DONTWAIT) != -1)
		return true;
	if (sink->fd != -1 && (errno == EAGAIN || errno == ENOBUFS))
		return false;
	now = clock_ms();
	if (now < sink->retry)
		return false;
	/* The logger was restarted: once more on a new socket. */
	sink->retry = now + RETRY_MS;
	fd_close(&sink->fd);
	sink->fd = open_syslog();
	return sink->fd != -1 && send(sink->fd, text, len, MSG_NOSIGNAL | MSG_DONTWAIT) != -1;
}

/* The form that local loggers read (RFC 3164), without the host's name. */
static bool write_syslog(struct log_sink *sink, int priority, const char *line, size_t len)
{
	char stamp[32], text[SYSLOG_LINE];
	time_t now = time(NULL);
	struct tm t;
	int n;

	localtime_r(&now, &t);
	if (strftime(stamp, sizeof stamp, "%b %e %H:%M:%S", &t) == 0)
		return false;
	n = snprintf(text, sizeof text, "<%d>%s tinylb[%d]: %.*s", LOG_DAEMON | priority, stamp,
		(int)getpid(), (int)len - 1, line);
	if (n >= (int)sizeof text)
		n = (int)sizeof text - 1;
	return send_syslog(sink, text, (size_t)n);
}

/* Others share standard error: it must not be made non-blocking. A pipe that poll(2) calls writable
 * has a free page, more than a line needs, and than other processes add to it meanwhile. */
static bool is_writable(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLOUT };

	return poll(&p, 1, 0) == 1 && (p.revents & POLLOUT) != 0;
}

static bool write_line(const struct log_sink *sink, const char *line, size_t len)
{
	ssize_t n;

	if (!is_writable(sink->fd))
		return false;
	do
		n = write(sink->fd, line, len);
	while (n == -1 && errno == EINTR);
	return n != -1;
}

void log_sink_write(struct log_sink *sink, int priority, const char *line, size_t len)
{
	bool done = sink->kind == SINK_SYSLOG ? write_syslog(sink, priority, line, len)
					      : write_line(sink, line, len);

	assert(len > 0 && line[len - 1] == '\n');
	sink->lost = done ? 0 : sink->lost + 1;
}

bool log_sink_is_journal(void)
{
	const char *stream = getenv("JOURNAL_STREAM");
	char own[64];
	struct stat st;

	if (stream == NULL || fstat(STDERR_FILENO, &st) == -1)
		return false;
	snprintf(own, sizeof own, "%ju:%ju", (uintmax_t)st.st_dev, (uintmax_t)st.st_ino);
	return strcmp(stream, own) == 0;
}
