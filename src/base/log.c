/*
 * Messages to the administrator: levels, the form of a line, and the verbs. Each finished message
 * is escaped, whatever it is made of.
 */
#include "config.h"

#include "base/log.h"

#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <syslog.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/escape.h"
#include "base/fd.h"
#include "log_sink.h"

#define LINE_MAX_SIZE 2048
#define PREFIX_SIZE   128
#define SUFFIX_SIZE   64
#define ROLE_SIZE     32

static struct {
	struct log_sink sink;
	struct log_sink echo_sink;
	enum log_form form;
	bool journal; /* standard error is the journal's */
	bool echo;    /* errors and warnings go to standard error too */
	char role[ROLE_SIZE];
} state = { .sink = { .kind = SINK_STDERR, .fd = STDERR_FILENO },
	.echo_sink = { .kind = SINK_STDERR, .fd = STDERR_FILENO } };

/* Outside of `state` so that log_wants costs no call. */
enum log_level log_level_now = LOG_LEVEL_NOTICE;

static const struct {
	const char *name;
	int priority;
} levels[] = {
	[LOG_LEVEL_ERROR] = { "error", LOG_ERR },
	[LOG_LEVEL_WARN] = { "warn", LOG_WARNING },
	[LOG_LEVEL_NOTICE] = { "notice", LOG_NOTICE },
	[LOG_LEVEL_INFO] = { "info", LOG_INFO },
	[LOG_LEVEL_DEBUG] = { "debug", LOG_DEBUG },
};

int log_open(const char *target, enum log_level level)
{
	struct log_sink fresh;

	if (log_sink_open(&fresh, target) == -1)
		return -1;
	log_sink_close(&state.sink);
	state.sink = fresh;
	log_level_now = level;
	state.journal = log_sink_is_journal();
	return 0;
}

int log_reopen(void)
{
	int fd;

	if (state.sink.kind != SINK_FILE)
		return 0;
	fd = fd_open_log(state.sink.path);
	if (fd == -1)
		return -1;
	log_take_fd(fd);
	return 0;
}

int log_fd(void)
{
	return state.sink.kind == SINK_FILE ? state.sink.fd : -1;
}

int log_keep_fd(void)
{
	return state.sink.kind == SINK_STDERR ? -1 : state.sink.fd;
}

void log_take_fd(int fd)
{
	if (state.sink.kind != SINK_FILE) {
		fd_close(&fd);
		return;
	}
	fd_close(&state.sink.fd);
	state.sink.fd = fd;
}

void log_set_form(enum log_form form)
{
	state.form = form;
}

void log_set_echo(bool on)
{
	state.echo = on;
}

void log_set_role(const char *role)
{
	snprintf(state.role, sizeof state.role, "%s", role);
	/* A process that was just forked tells of its own losses. */
	state.sink.lost = 0;
}

/* What stands before the message; returns its length. */
static size_t write_prefix(
	char *out, size_t size, const struct log_sink *sink, enum log_level level)
{
	const char *role = state.role[0] != '\0' ? state.role : "-";
	char stamp[CLOCK_STAMP_SIZE];
	int n;

	if (state.form == LOG_FORM_PLAIN)
		return 0;
	if (sink->kind == SINK_SYSLOG) {
		n = snprintf(out, size, "%s: ", role);
	} else if (sink->kind == SINK_STDERR && state.journal) {
		n = snprintf(out, size, "<%d>%s: ", levels[level].priority, role);
	} else {
		clock_stamp(stamp);
		n = snprintf(out, size, "%s tinylb[%d] %s %s: ", stamp, (int)getpid(), role,
			levels[level].name);
	}
	assert(n > 0 && (size_t)n < size);
	return (size_t)n;
}

/* What stands behind a message that came through after others did not; returns its length. */
static size_t write_suffix(char *out, size_t size, const struct log_sink *sink)
{
	int n;

	if (sink->lost == 0)
		return 0;
	n = snprintf(out, size, " (%u message%s before this could not be written)", sink->lost,
		sink->lost == 1 ? "" : "s");
	assert(n > 0 && (size_t)n < size);
	return (size_t)n;
}

static void emit(struct log_sink *sink, enum log_level level, struct slice message)
{
	char line[PREFIX_SIZE + LINE_MAX_SIZE + SUFFIX_SIZE + 1];
	size_t used = write_prefix(line, PREFIX_SIZE, sink, level);

	assert(message.len <= LINE_MAX_SIZE);
	memcpy(line + used, message.data, message.len);
	used += message.len;
	used += write_suffix(line + used, SUFFIX_SIZE, sink);
	line[used] = '\n';
	log_sink_write(sink, levels[level].priority, line, used + 1);
}

/* `error` is the errno to explain, or 0. */
__attribute__((format(printf, 3, 0))) static void write_message(
	enum log_level level, int error, const char *format, va_list args)
{
	int saved = errno;
	char message[LINE_MAX_SIZE], bytes[LINE_MAX_SIZE];
	struct text escaped = text_over(bytes, sizeof bytes);
	size_t len;

	vsnprintf(message, sizeof message, format, args);
	len = strlen(message);
	if (error != 0)
		snprintf(message + len, sizeof message - len, ": %s", strerror(error));
	escape_message(&escaped, slice_of_string(message));
	emit(&state.sink, level, text_slice(&escaped));
	if (state.echo && level <= LOG_LEVEL_WARN && state.sink.kind != SINK_STDERR)
		emit(&state.echo_sink, level, text_slice(&escaped));
	errno = saved;
}

void log_error(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	write_message(LOG_LEVEL_ERROR, errno, format, args);
	va_end(args);
}

void log_errorx(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	write_message(LOG_LEVEL_ERROR, 0, format, args);
	va_end(args);
}

void log_warn(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	if (log_wants(LOG_LEVEL_WARN))
		write_message(LOG_LEVEL_WARN, errno, format, args);
	va_end(args);
}

void log_warnx(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	if (log_wants(LOG_LEVEL_WARN))
		write_message(LOG_LEVEL_WARN, 0, format, args);
	va_end(args);
}

void log_notice(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	if (log_wants(LOG_LEVEL_NOTICE))
		write_message(LOG_LEVEL_NOTICE, 0, format, args);
	va_end(args);
}

void log_info(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	if (log_wants(LOG_LEVEL_INFO))
		write_message(LOG_LEVEL_INFO, 0, format, args);
	va_end(args);
}

void log_debug(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	if (log_wants(LOG_LEVEL_DEBUG))
		write_message(LOG_LEVEL_DEBUG, 0, format, args);
	va_end(args);
}
