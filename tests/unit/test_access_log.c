/* The access log: the form of a line, when lines are written, and what a full disk does to them. */
#include "config.h"

#include "exchange/access_log.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/memory.h"

#define LINES_SIZE ((size_t)64 * 1024)
#define LINES_FULL ((size_t)32 * 1024)
#define LINE_MOST  ((size_t)4 * 8192 + 2048)

static const char stamp[] = "2026-12-01T10:31:51.123Z";

static struct loop loop;
static struct access_log access_log;

static struct {
	char bytes[8 * LINES_SIZE];
	size_t len;
	unsigned calls;
	ssize_t result;       /* of the next call; 0: all of it */
	struct timeval after; /* of the last timer */
	unsigned timers;
	int timer_result;
	unsigned warnings;
	bool nothing; /* the next calls write nothing */
	unsigned deletes;
} seen;

int __wrap_event_del(struct event *event);
int __wrap_event_del(struct event *event)
{
	seen.deletes += event == &access_log.flush;
	return 0;
}

void __wrap_clock_stamp(char out[CLOCK_STAMP_SIZE]);
void __wrap_clock_stamp(char out[CLOCK_STAMP_SIZE])
{
	memcpy(out, stamp, CLOCK_STAMP_SIZE);
}

ssize_t __wrap_write(int fd, const void *bytes, size_t len);
ssize_t __wrap_write(int fd, const void *bytes, size_t len)
{
	size_t n = seen.result > 0 && (size_t)seen.result < len ? (size_t)seen.result : len;

	assert_int_equal(fd, access_log.fd);
	seen.calls++;
	errno = 0;
	if (seen.nothing)
		return 0;
	if (seen.result == -1) {
		errno = ENOSPC;
		return -1;
	}
	assert_true(seen.len + n <= sizeof seen.bytes);
	memcpy(seen.bytes + seen.len, bytes, n);
	seen.len += n;
	seen.result = 0;
	return (ssize_t)n;
}

int __wrap_event_add(struct event *event, const struct timeval *after);
int __wrap_event_add(struct event *event, const struct timeval *after)
{
	(void)event;
	seen.after = *after;
	seen.timers++;
	return seen.timer_result;
}

void __wrap_log_warn(const char *format, ...);
void __wrap_log_warn(const char *format, ...)
{
	assert_string_equal(format, "access log: lines are lost");
	assert_int_equal(errno, ENOSPC);
	seen.warnings++;
}

static int new_file(void)
{
	return memfd_create("access", MFD_CLOEXEC);
}

static int begin(void **state)
{
	(void)state;
	memset(&seen, 0, sizeof seen);
	if (loop_init(&loop) == -1)
		return -1;
	seen.timers = 0;
	return access_log_init(&access_log, &loop, new_file());
}

static int end(void **state)
{
	(void)state;
	access_log_fini(&access_log);
	loop_fini(&loop);
	return 0;
}

static struct record usual(void)
{
	return (struct record){ .client = escape_known(slice_of_string("192.0.2.1:4711")),
		.line = slice_of_string("GET /a HTTP/1.1"),
		.status = 200,
		.bytes = 12345,
		.backend = escape_known(slice_of_string("http://a")),
		.id = escape_known(slice_of_string("me")),
		.start_us = 1000000,
		.sought_us = 1001000,
		.connected_us = 1003000,
		.answered_us = 1006999,
		.tries = 2,
		.reason = REASON_DONE };
}

/* What one record looks like, behind the time. */
static void assert_line(const struct record *record, const char *line)
{
	seen.len = 0;
	access_log_write(&access_log, record, 1010000);
	access_log_flush(&access_log);
	assert_memory_equal(seen.bytes, stamp, CLOCK_STAMP_SIZE - 1);
	assert_int_equal(seen.len, CLOCK_STAMP_SIZE + strlen(line) + 1);
	assert_memory_equal(seen.bytes + CLOCK_STAMP_SIZE, line, strlen(line));
	assert_int_equal(seen.bytes[CLOCK_STAMP_SIZE - 1], ' ');
	assert_int_equal(seen.bytes[seen.len - 1], '\n');
}

static void test_a_line(void **state)
{
	struct record record = usual();

	(void)state;
	assert_line(
		&record, "192.0.2.1:4711 \"GET /a HTTP/1.1\" 200 12345 http://a 2/3/10 done me 2");
	record.sought_us = 1002500;
	assert_line(
		&record, "192.0.2.1:4711 \"GET /a HTTP/1.1\" 200 12345 http://a 0/3/10 done me 2");
}

static void test_what_never_was_is_a_dash(void **state)
{
	struct record record = usual();

	(void)state;
	record.backend.text = record.id.text = slice_of(NULL, 0);
	record.status = 0;
	record.answered_us = 0;
	record.reason = REASON_CLIENT_CLOSED;
	assert_line(&record, "192.0.2.1:4711 \"GET /a HTTP/1.1\" 000 12345 - 2/-/10 "
			     "client-closed - 2");
	record.connected_us = 0;
	assert_line(&record, "192.0.2.1:4711 \"GET /a HTTP/1.1\" 000 12345 - -/-/10 "
			     "client-closed - 2");
	record.sought_us = 0;
	record.connected_us = 1003000;
	record.answered_us = 1003000;
	record.start_us = 0;
	assert_line(&record, "192.0.2.1:4711 \"GET /a HTTP/1.1\" 000 12345 - -/0/- "
			     "client-closed - 2");
	/* A time that is before the other one is none. */
	record.answered_us = 1002999;
	record.start_us = 1010001;
	assert_line(&record, "192.0.2.1:4711 \"GET /a HTTP/1.1\" 000 12345 - -/-/- "
			     "client-closed - 2");
}

static void test_what_a_client_wrote_is_escaped(void **state)
{
	struct record record = usual();

	(void)state;
	record.line = slice_of_string("GET \"\n HTTP/1.1");
	assert_line(&record, "192.0.2.1:4711 \"GET \\x22\\x0a HTTP/1.1\" 200 12345 http://a "
			     "2/3/10 done me 2");
}

/* The next field of a line, up to `end`, with its escapes taken back. Returns its length. */
static size_t read_field(const char **at, const char *end, char out[64])
{
	size_t len = 0;

	for (; **at != *end; (*at)++) {
		unsigned c = (unsigned char)**at;

		/* Printable ASCII. */
		assert_in_range(c, ' ', 0x7e);
		assert_true(len < 64);
		if (c == '\\') {
			assert_int_equal(sscanf(*at, "\\x%2x", &c), 1);
			*at += 3;
		}
		out[len++] = (char)c;
	}
	assert_memory_equal(*at, end, strlen(end));
	*at += strlen(end);
	return len;
}

/* Which fields of a line hold what others chose, counted from 0. */
enum { CLIENT = 1, LINE = 2, BACKEND = 5, ID = 8 };

/* Whatever stands in whichever field: there is one line, and it has the fields that tinylb(8) says,
 * with what was put into them. */
static void assert_splits(const char *data, size_t len, size_t field)
{
	static const char *const ends[] = { " ", " \"", "\" ", " ", " ", " ", " ", " ", " ", "\n" };
	char room[4 * 64], out[64];
	struct text escaped = text_over(room, sizeof room);
	struct record record = usual();
	const char *at = seen.bytes;

	if (field == CLIENT)
		record.client = escape_field(&escaped, slice_of(data, len));
	else if (field == LINE)
		record.line = slice_of(data, len);
	else if (field == BACKEND)
		record.backend = escape_field(&escaped, slice_of(data, len));
	else
		record.id = escape_field(&escaped, slice_of(data, len));
	seen.len = 0;
	access_log_write(&access_log, &record, 1010000);
	access_log_flush(&access_log);
	assert_ptr_equal(memchr(seen.bytes, '\n', seen.len), seen.bytes + seen.len - 1);
	for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
		size_t got = read_field(&at, ends[i], out);

		if (i == field) {
			assert_int_equal(got, len);
			assert_memory_equal(out, data, len);
		}
	}
	assert_ptr_equal(at, seen.bytes + seen.len);
}

static void test_no_field_makes_another_one(void **state)
{
	static const size_t fields[] = { CLIENT, LINE, BACKEND, ID };
	static const char forged[] = "/tmp/a \"GET / HTTP/1.1\" 200\n";
	char text[24];

	(void)state;
	for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
		for (int c = 0; c < 256; c++) {
			for (size_t len = 1; len <= sizeof text; len += 11) {
				memset(text, 'x', sizeof text);
				text[len / 2] = (char)c;
				assert_splits(text, len, fields[i]);
			}
		}
		assert_splits(forged, strlen(forged), fields[i]);
	}
}

/* The longest line there is fits, however much of it has to be escaped. */
static void test_the_front_of_a_long_request_line(void **state)
{
	static char line[8193];
	struct record record = usual();
	size_t rest = strlen("192.0.2.1:4711 \"\" 200 12345 http://a 2/3/10 done me 2");

	(void)state;
	memset(line, '\001', sizeof line);
	for (size_t len = 8191; len <= 8193; len++) {
		seen.len = 0;
		record.line = slice_of(line, len);
		access_log_write(&access_log, &record, 1010000);
		access_log_flush(&access_log);
		assert_int_equal(
			seen.len, CLOCK_STAMP_SIZE + rest + 4 * (len < 8192 ? len : 8192) + 1);
	}
}

static void test_each_reason_has_a_word(void **state)
{
	static const char *const words[] = { "done", "answered-here", "upgraded", "bad-request",
		"client-limit", "no-room", "head-timeout", "client-closed", "client-timeout",
		"no-route", "loop", "no-backend", "queue-full", "queue-timeout", "connect-failed",
		"connect-timeout", "backend-closed", "backend-timeout", "bad-response", "truncated",
		"request-cut", "tunnel-timeout", "buffers-full", "no-memory", "stopped" };

	(void)state;
	assert_int_equal(sizeof words / sizeof *words, REASON_COUNT);
	for (int i = 0; i < REASON_COUNT; i++)
		assert_string_equal(reason_name((enum reason)i), words[i]);
}

/* --- when lines are written --- */

static void test_lines_wait_for_a_tenth_of_a_second(void **state)
{
	struct record record = usual();

	(void)state;
	access_log_write(&access_log, &record, 1010000);
	access_log_write(&access_log, &record, 1010000);
	assert_int_equal(seen.calls, 0);
	assert_int_equal(seen.timers, 1);
	assert_int_equal(seen.after.tv_sec, 0);
	assert_int_equal(seen.after.tv_usec, 100000);
	event_active(&access_log.flush, EV_TIMEOUT, 1);
	(void)loop_turn(&loop, false);
	assert_true(loop.awake);
	assert_int_equal(seen.calls, 1);
	assert_int_equal(access_log.len, 0);
	/* The next line waits anew. */
	access_log_write(&access_log, &record, 1010000);
	assert_int_equal(seen.timers, 2);
}

/* A timer that could not be set is set by the next line. */
static void test_without_a_timer_the_next_line_sets_one(void **state)
{
	struct record record = usual();

	(void)state;
	seen.timer_result = -1;
	access_log_write(&access_log, &record, 1010000);
	access_log_write(&access_log, &record, 1010000);
	assert_int_equal(seen.timers, 2);
}

/* Before a line comes that may not fit. */
static void test_many_lines_are_written_at_once(void **state)
{
	struct record record = usual();
	size_t line;

	(void)state;
	access_log_write(&access_log, &record, 1010000);
	line = access_log.len;
	while (seen.calls == 0)
		access_log_write(&access_log, &record, 1010000);
	assert_int_equal(seen.len % line, 0);
	assert_in_range(seen.len, LINES_SIZE - LINE_MOST + 1, LINES_SIZE - LINE_MOST + line);
	assert_int_equal(access_log.len, line);
	assert_int_equal(seen.timers, 1);
}

/* A long line that makes 32 KiB of them goes out at once. */
static void test_so_many_lines_wait_no_longer(void **state)
{
	static char text[2048];
	struct record record = usual();
	size_t rest = CLOCK_STAMP_SIZE +
		      strlen("192.0.2.1:4711 \"\" 200 12345 http://a 2/3/10 done me 2\n");

	(void)state;
	memset(text, 'x', sizeof text);
	memset(access_log.lines, '#', LINES_SIZE - LINE_MOST);
	access_log.len = LINES_SIZE - LINE_MOST;
	record.line = slice_of(text, LINES_FULL - access_log.len - rest - 1);
	access_log_write(&access_log, &record, 1010000);
	assert_int_equal(access_log.len, LINES_FULL - 1);
	assert_int_equal(seen.calls, 0);
	access_log.len = LINES_SIZE - LINE_MOST;
	record.line.len++;
	access_log_write(&access_log, &record, 1010000);
	assert_int_equal(seen.calls, 1);
	assert_int_equal(seen.len, LINES_FULL);
}

/* A line that may not fit behind what waits does not go there. */
static void test_there_is_room_for_the_longest_line(void **state)
{
	struct record record = usual();

	(void)state;
	memset(access_log.lines, '#', LINES_SIZE - LINE_MOST + 1);
	access_log.len = LINES_SIZE - LINE_MOST;
	access_log_write(&access_log, &record, 1010000);
	assert_int_equal(seen.calls, 0);
	access_log_flush(&access_log);
	seen.calls = 0;
	access_log.len = LINES_SIZE - LINE_MOST + 1;
	access_log_write(&access_log, &record, 1010000);
	assert_int_equal(seen.calls, 1);
	assert_in_range(access_log.len, 1, 200);
	access_log_flush(&access_log);
}

static void test_nothing_is_written_if_there_is_nothing(void **state)
{
	(void)state;
	access_log_flush(&access_log);
	assert_int_equal(seen.calls, 0);
}

/* --- a full disk --- */

static void test_lines_that_are_lost_are_told_of_once(void **state)
{
	struct record record = usual();

	(void)state;
	for (int i = 0; i < 3; i++) {
		access_log_write(&access_log, &record, 1010000);
		seen.result = -1;
		access_log_flush(&access_log);
		assert_int_equal(access_log.len, 0);
	}
	assert_int_equal(seen.warnings, 1);
	/* It works again, and fails again: that is news. */
	access_log_write(&access_log, &record, 1010000);
	seen.result = 0;
	access_log_flush(&access_log);
	access_log_write(&access_log, &record, 1010000);
	seen.result = -1;
	access_log_flush(&access_log);
	assert_int_equal(seen.warnings, 2);
	/* Nothing of a line was written: no line is torn. */
	assert_int_equal(seen.calls, 5);
}

/* A line of which only a part was written ends before the next one begins. */
static void test_a_torn_line_ends_first(void **state)
{
	struct record record = usual();

	(void)state;
	access_log_write(&access_log, &record, 1010000);
	seen.result = 10;
	access_log_flush(&access_log);
	assert_int_equal(seen.warnings, 1);
	assert_int_equal(seen.len, 10);
	/* Still full: not even that could be written. */
	access_log_write(&access_log, &record, 1010000);
	seen.result = -1;
	access_log_flush(&access_log);
	assert_int_equal(seen.len, 10);
	access_log_write(&access_log, &record, 1010000);
	seen.result = 0;
	access_log_flush(&access_log);
	assert_int_equal(seen.bytes[10], '\n');
	assert_memory_equal(seen.bytes + 11, stamp, CLOCK_STAMP_SIZE - 1);
	/* Once. */
	seen.len = 0;
	access_log_write(&access_log, &record, 1010000);
	access_log_flush(&access_log);
	assert_memory_equal(seen.bytes, stamp, CLOCK_STAMP_SIZE - 1);
}

/* Not a byte of it, or one. */
static void test_whether_a_line_is_torn(void **state)
{
	struct record record = usual();

	(void)state;
	seen.nothing = true;
	access_log_write(&access_log, &record, 1010000);
	access_log_flush(&access_log);
	assert_int_equal(seen.warnings, 1);
	seen.nothing = false;
	access_log_write(&access_log, &record, 1010000);
	access_log_flush(&access_log);
	assert_memory_equal(seen.bytes, stamp, CLOCK_STAMP_SIZE - 1);
	seen.len = 0;
	seen.result = 1;
	access_log_write(&access_log, &record, 1010000);
	access_log_flush(&access_log);
	access_log_write(&access_log, &record, 1010000);
	access_log_flush(&access_log);
	assert_int_equal(seen.bytes[1], '\n');
}

/* --- its file --- */

static void test_another_file_takes_over(void **state)
{
	struct record record = usual();
	int former = access_log.fd, fd;

	(void)state;
	access_log_write(&access_log, &record, 1010000);
	fd = new_file();
	access_log_take(&access_log, fd);
	/* What waited went to the former one, which is closed. */
	assert_int_equal(seen.calls, 1);
	assert_int_equal(access_log.len, 0);
	assert_int_equal(access_log.fd, fd);
	assert_int_equal(fcntl(former, F_GETFD), -1);
	access_log_write(&access_log, &record, 1010000);
	access_log_flush(&access_log);
	assert_int_equal(seen.calls, 2);
}

static void test_what_is_off_stays_off(void **state)
{
	struct access_log off;
	struct record record = usual();
	int fd = new_file();

	(void)state;
	mem_fail_after(0);
	assert_int_equal(access_log_init(&off, &loop, -1), 0);
	mem_fail_after(-1);
	access_log_write(&off, &record, 1010000);
	assert_int_equal(seen.timers, 0);
	access_log_take(&off, fd);
	assert_int_equal(off.fd, -1);
	assert_int_equal(fcntl(fd, F_GETFD), -1);
	access_log_write(&off, &record, 1010000);
	access_log_fini(&off);
	assert_int_equal(seen.calls, 0);
}

static void test_without_memory_the_file_stays_the_callers(void **state)
{
	struct access_log other;
	int fd = new_file();

	(void)state;
	mem_fail_after(0);
	assert_int_equal(access_log_init(&other, &loop, fd), -1);
	mem_fail_after(-1);
	assert_int_not_equal(fcntl(fd, F_GETFD), -1);
	close(fd);
}

static void test_the_end_writes_what_waits(void **state)
{
	struct access_log other;
	struct record record = usual();
	int fd = new_file();

	(void)state;
	other = access_log;
	assert_int_equal(access_log_init(&access_log, &loop, fd), 0);
	access_log_write(&access_log, &record, 1010000);
	seen.deletes = 0;
	access_log_fini(&access_log);
	assert_int_equal(seen.deletes, 1);
	assert_int_equal(seen.calls, 1);
	assert_int_equal(access_log.fd, -1);
	assert_null(access_log.lines);
	assert_int_equal(fcntl(fd, F_GETFD), -1);
	access_log = other;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_a_line, begin, end),
		cmocka_unit_test_setup_teardown(test_what_never_was_is_a_dash, begin, end),
		cmocka_unit_test_setup_teardown(test_what_a_client_wrote_is_escaped, begin, end),
		cmocka_unit_test_setup_teardown(test_no_field_makes_another_one, begin, end),
		cmocka_unit_test_setup_teardown(test_the_front_of_a_long_request_line, begin, end),
		cmocka_unit_test(test_each_reason_has_a_word),
		cmocka_unit_test_setup_teardown(
			test_lines_wait_for_a_tenth_of_a_second, begin, end),
		cmocka_unit_test_setup_teardown(
			test_without_a_timer_the_next_line_sets_one, begin, end),
		cmocka_unit_test_setup_teardown(test_many_lines_are_written_at_once, begin, end),
		cmocka_unit_test_setup_teardown(test_so_many_lines_wait_no_longer, begin, end),
		cmocka_unit_test_setup_teardown(
			test_there_is_room_for_the_longest_line, begin, end),
		cmocka_unit_test_setup_teardown(
			test_nothing_is_written_if_there_is_nothing, begin, end),
		cmocka_unit_test_setup_teardown(
			test_lines_that_are_lost_are_told_of_once, begin, end),
		cmocka_unit_test_setup_teardown(test_a_torn_line_ends_first, begin, end),
		cmocka_unit_test_setup_teardown(test_another_file_takes_over, begin, end),
		cmocka_unit_test_setup_teardown(test_what_is_off_stays_off, begin, end),
		cmocka_unit_test_setup_teardown(
			test_without_memory_the_file_stays_the_callers, begin, end),
		cmocka_unit_test_setup_teardown(test_the_end_writes_what_waits, begin, end),
		cmocka_unit_test_setup_teardown(test_whether_a_line_is_torn, begin, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
