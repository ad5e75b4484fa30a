/*
 * Reads the clocks and writes dates. The HTTP date is kept for the second in which it was made,
 * because every response without a Date needs one.
 */
#include "config.h"

#include "base/clock.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

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
	struct timespec now;

	/* The coarse clock costs no more than a memory read and is exact to a few milliseconds. */
	clock_gettime(CLOCK_REALTIME_COARSE, &now);
	if (now.tv_sec != made) {
		made = now.tv_sec;
		write_http_date(date, made);
	}
	return date;
}

void clock_stamp(char out[CLOCK_STAMP_SIZE])
{
	char text[96];
	struct timespec now;
	struct tm t;

	clock_gettime(CLOCK_REALTIME, &now);
	gmtime_r(&now.tv_sec, &t);
	snprintf(text, sizeof text, "%04d-%02d-%02dT%02d:%02d:%02d.%03ldZ", t.tm_year + 1900,
		t.tm_mon + 1, t.tm_mday, t.tm_hour, t.tm_min, t.tm_sec, now.tv_nsec / 1000000);
	memcpy(out, text, CLOCK_STAMP_SIZE - 1);
	out[CLOCK_STAMP_SIZE - 1] = '\0';
}
