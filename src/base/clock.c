/*
 * Reads the clocks and writes dates. What is written is kept for the second in which it was made:
 * every request needs a date or two, and to write one costs as much as to parse a head.
 */
#include "config.h"

#include "base/clock.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

/* Wall time, and whether it is held and was read since. */
static struct timespec wall;
static bool held, is_read;

void clock_hold(bool on)
{
	held = on;
	is_read = false;
}

static const struct timespec *read_wall(void)
{
	if (!held || !is_read)
		clock_gettime(CLOCK_REALTIME, &wall);
	is_read = true;
	return &wall;
}

uint64_t clock_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

uint64_t clock_ms(void)
{
	return clock_us() / 1000;
}

/* Not strftime(3): its names follow the locale. */
static void write_http_date(char out[CLOCK_HTTP_DATE_LEN + 1], time_t now)
{
	static const char days[7][4] = { "Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat" };
	static const char months[12][4] = { "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug",
		"Sep", "Oct", "Nov", "Dec" };
	char text[80];
	struct tm t;

	gmtime_r(&now, &t);
	snprintf(text, sizeof text, "%s, %02d %s %04d %02d:%02d:%02d GMT", days[t.tm_wday],
		t.tm_mday, months[t.tm_mon], t.tm_year + 1900, t.tm_hour, t.tm_min, t.tm_sec);
	memcpy(out, text, CLOCK_HTTP_DATE_LEN);
	out[CLOCK_HTTP_DATE_LEN] = '\0';
}

const char *clock_http_date(void)
{
	static char date[CLOCK_HTTP_DATE_LEN + 1];
	static time_t made = -1;
	const struct timespec *now = read_wall();

	if (now->tv_sec != made) {
		made = now->tv_sec;
		write_http_date(date, made);
	}
	return date;
}

static void write_stamp(char out[CLOCK_STAMP_SIZE], time_t now)
{
	char text[96];
	struct tm t;

	gmtime_r(&now, &t);
	snprintf(text, sizeof text, "%04d-%02d-%02dT%02d:%02d:%02d.000Z", t.tm_year + 1900,
		t.tm_mon + 1, t.tm_mday, t.tm_hour, t.tm_min, t.tm_sec);
	memcpy(out, text, CLOCK_STAMP_SIZE - 1);
	out[CLOCK_STAMP_SIZE - 1] = '\0';
}

void clock_stamp(char out[CLOCK_STAMP_SIZE])
{
	static char stamp[CLOCK_STAMP_SIZE];
	static time_t made = -1;
	const struct timespec *now = read_wall();
	unsigned ms = (unsigned)(now->tv_nsec / 1000000);

	if (now->tv_sec != made) {
		made = now->tv_sec;
		write_stamp(stamp, made);
	}
	memcpy(out, stamp, CLOCK_STAMP_SIZE);
	out[CLOCK_STAMP_SIZE - 5] = (char)('0' + ms / 100);
	out[CLOCK_STAMP_SIZE - 4] = (char)('0' + ms / 10 % 10);
	out[CLOCK_STAMP_SIZE - 3] = (char)('0' + ms % 10);
}
