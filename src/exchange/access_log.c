/*
 * Writes the access log. Lines are gathered for a tenth of a second or 32 KiB and go out with one
 * write(2) of whole lines: on a file opened for appending those of several workers never mix.
 */
#include "config.h"

#include "exchange/access_log.h"

#include <errno.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/escape.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/text.h"

#define LINES_SIZE ((size_t)64 * 1024)
#define LINES_FULL ((size_t)32 * 1024)

/* Of a longer request line the log shows the front. The longest line of the log: all of that
 * escaped, and the rest, of which a backend's URL is the longest. */
#define REQUEST_LINE_MAX ((size_t)8192)
#define LINE_MAX_LEN     (4 * REQUEST_LINE_MAX + 2048)

const char *reason_name(enum reason reason)
{
	static const char *const names[REASON_COUNT] = {
		[REASON_DONE] = "done",
		[REASON_ANSWERED_HERE] = "answered-here",
		[REASON_UPGRADED] = "upgraded",
		[REASON_BAD_REQUEST] = "bad-request",
		[REASON_CLIENT_LIMIT] = "client-limit",
		[REASON_NO_ROOM] = "no-room",
		[REASON_HEAD_TIMEOUT] = "head-timeout",
		[REASON_CLIENT_CLOSED] = "client-closed",
		[REASON_CLIENT_TIMEOUT] = "client-timeout",
		[REASON_NO_ROUTE] = "no-route",
		[REASON_LOOP] = "loop",
		[REASON_NO_BACKEND] = "no-backend",
		[REASON_QUEUE_FULL] = "queue-full",
		[REASON_QUEUE_TIMEOUT] = "queue-timeout",
		[REASON_CONNECT_FAILED] = "connect-failed",
		[REASON_CONNECT_TIMEOUT] = "connect-timeout",
		[REASON_BACKEND_CLOSED] = "backend-closed",
		[REASON_BACKEND_TIMEOUT] = "backend-timeout",
		[REASON_BAD_RESPONSE] = "bad-response",
		[REASON_TRUNCATED] = "truncated",
		[REASON_REQUEST_CUT] = "request-cut",
		[REASON_TUNNEL_TIMEOUT] = "tunnel-timeout",
		[REASON_BUFFERS_FULL] = "buffers-full",
		[REASON_NO_MEMORY] = "no-memory",
		[REASON_STOPPED] = "stopped",
	};

	return names[reason];
}

/* A line that was cut off by a full disk ends where the next one begins. */
static ssize_t write_lines(struct access_log *log)
{
	ssize_t n;

	if (log->torn && write(log->fd, "\n", 1) == 1)
		log->torn = false;
	n = write(log->fd, log->lines, log->len);
	if (n >= 0 && n < (ssize_t)log->len) {
		log->torn = n > 0;
		errno = ENOSPC;
	}
	return n;
}

void access_log_flush(struct access_log *log)
{
	bool failed;

	if (log->len == 0)
		return;
	failed = write_lines(log) != (ssize_t)log->len;
	if (failed && !log->failed)
		log_warn("access log: lines are lost");
	log->failed = failed;
	log->len = 0;
}

static void flush_cb(evutil_socket_t fd, short what, void *arg)
{
	struct access_log *log = arg;

	(void)fd;
	(void)what;
	loop_begin(log->loop, PULSE_LOGGING, log->fd);
	log->waiting = false;
	access_log_flush(log);
}

int access_log_init(struct access_log *log, struct loop *loop, int fd)
{
	*log = (struct access_log){ .loop = loop, .fd = fd };
	for (int i = 0; i < REASON_COUNT; i++)
		log->reason_lens[i] = (uint8_t)strlen(reason_name((enum reason)i));
	if (evtimer_assign(&log->flush, loop->base, flush_cb, log) == -1)
		return -1;
	if (fd == -1)
		return 0;
	log->lines = mem_alloc(LINES_SIZE);
	return log->lines != NULL ? 0 : -1;
}

void access_log_fini(struct access_log *log)
{
	access_log_flush(log);
	event_del(&log->flush);
	mem_free(log->lines);
	log->lines = NULL;
	fd_close(&log->fd);
}

void access_log_take(struct access_log *log, int fd)
{
	if (log->fd == -1) {
		fd_close(&fd);
		return;
	}
	access_log_flush(log);
	fd_close(&log->fd);
	log->fd = fd;
}

/* Milliseconds from one moment to another, or a dash where one of them never came. */
static void add_time(struct text *line, uint64_t from_us, uint64_t to_us)
{
	if (from_us == 0 || to_us == 0 || to_us < from_us)
		text_add_char(line, '-');
	else
		text_add_decimal(line, (to_us - from_us) / 1000);
}

static void add_or_dash(struct text *line, struct slice s)
{
	if (slice_is_empty(s))
		text_add_char(line, '-');
	else
		text_add_slice(line, s);
}

static void write_line(
	struct text *line, const struct access_log *log, const struct record *r, uint64_t now_us)
{
	char stamp[CLOCK_STAMP_SIZE];

	clock_stamp(stamp);
	text_add(line, stamp, CLOCK_STAMP_SIZE - 1);
	text_add_char(line, ' ');
	add_or_dash(line, r->client.text);
	text_add_string(line, " \"");
	escape_quoted(
		line, slice_of(r->line.data,
			      r->line.len < REQUEST_LINE_MAX ? r->line.len : REQUEST_LINE_MAX));
	text_add_string(line, "\" ");
	if (r->status != 0)
		text_add_decimal(line, (uint64_t)r->status);
	else
		text_add_string(line, "000");
	text_add_char(line, ' ');
	text_add_decimal(line, r->bytes);
	text_add_char(line, ' ');
	add_or_dash(line, r->backend.text);
	text_add_char(line, ' ');
	add_time(line, r->sought_us, r->connected_us);
	text_add_char(line, '/');
	add_time(line, r->connected_us, r->answered_us);
	text_add_char(line, '/');
	add_time(line, r->start_us, now_us);
	text_add_char(line, ' ');
	text_add(line, reason_name(r->reason), log->reason_lens[r->reason]);
	text_add_char(line, ' ');
	add_or_dash(line, r->id.text);
	text_add_char(line, ' ');
	text_add_decimal(line, r->tries);
	text_add_char(line, '\n');
}

static void flush_soon(struct access_log *log)
{
	static const struct timeval soon = { .tv_usec = 100 * 1000 };

	if (log->len >= LINES_FULL)
		access_log_flush(log);
	else if (!log->waiting)
		log->waiting = evtimer_add(&log->flush, &soon) == 0;
}

void access_log_write(struct access_log *log, const struct record *record, uint64_t now_us)
{
	struct text line;

	if (log->fd == -1)
		return;
	if (LINES_SIZE - log->len < LINE_MAX_LEN)
		access_log_flush(log);
	line = text_over(log->lines + log->len, LINES_SIZE - log->len);
	write_line(&line, log, record, now_us);
	if (!line.overflow)
		log->len += line.len;
	flush_soon(log);
}
