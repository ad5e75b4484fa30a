/*
 * Opens and writes the log's targets. The system's logger is spoken to over a socket of our own and
 * not through syslog(3): a child must know which descriptor it has to keep open.
 */
#include "config.h"

#include "log_sink.h"

#include <errno.h>
#include <fcntl.h>
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

#include "base/fd.h"
#include "base/memory.h"

#define SYSLOG_SOCKET "/dev/log"
#define SYSLOG_LINE   2400

static int open_syslog(void)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX, .sun_path = SYSLOG_SOCKET };
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd != -1 && connect(fd, (struct sockaddr *)&a, sizeof a) == -1)
		fd_close(&fd);
	return fd;
}

int log_sink_open_path(const char *path)
{
	return open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY, 0640);
}

static int open_file(struct log_sink *sink, const char *path)
{
	sink->kind = SINK_FILE;
	sink->path = mem_strdup(path);
	if (sink->path == NULL)
		return -1;
	sink->fd = log_sink_open_path(path);
	if (sink->fd == -1) {
		mem_free(sink->path);
		sink->path = NULL;
	}
	return sink->fd == -1 ? -1 : 0;
}

int log_sink_open(struct log_sink *sink, const char *target)
{
	*sink = (struct log_sink){ SINK_STDERR, STDERR_FILENO, NULL };
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

/* The form that local loggers read (RFC 3164), without the host's name. */
static void write_syslog(struct log_sink *sink, int priority, const char *line, size_t len)
{
	char stamp[32], text[SYSLOG_LINE];
	time_t now = time(NULL);
	struct tm t;
	int n;

	localtime_r(&now, &t);
	if (strftime(stamp, sizeof stamp, "%b %e %H:%M:%S", &t) == 0)
		return;
	n = snprintf(text, sizeof text, "<%d>%s tinylb[%d]: %.*s", LOG_DAEMON | priority, stamp,
		(int)getpid(), (int)len - 1, line);
	if (n >= (int)sizeof text)
		n = (int)sizeof text - 1;
	if (send(sink->fd, text, (size_t)n, MSG_NOSIGNAL) != -1 || errno == EAGAIN)
		return;
	/* The logger was restarted: once more on a new socket. */
	fd_close(&sink->fd);
	sink->fd = open_syslog();
	if (sink->fd != -1)
		(void)send(sink->fd, text, (size_t)n, MSG_NOSIGNAL);
}

void log_sink_write(struct log_sink *sink, int priority, const char *line, size_t len)
{
	ssize_t n;

	if (sink->kind == SINK_SYSLOG) {
		write_syslog(sink, priority, line, len);
		return;
	}
	do
		n = write(sink->fd, line, len);
	while (n == -1 && errno == EINTR);
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
