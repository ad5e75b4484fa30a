/*
 * Time. Durations and deadlines are on CLOCK_MONOTONIC; wall time is for people and for HTTP dates.
 */
#ifndef TINYLB_BASE_CLOCK_H
#define TINYLB_BASE_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

/* The length of an IMF-fixdate (RFC 9110 5.6.7), without a NUL. */
#define CLOCK_HTTP_DATE_LEN 29

/* Monotonic microseconds and milliseconds, read now. */
uint64_t clock_us(void);
uint64_t clock_ms(void);

/* Held, wall time is read when it is first asked for, and stays that until this is called again;
 * not held, as at first, it is read each time. For the turns of a loop: a request needs it twice.
 */
void clock_hold(bool on);

/* The current time as an IMF-fixdate: CLOCK_HTTP_DATE_LEN bytes, made anew once a second; valid
 * until the next call. */
const char *clock_http_date(void);

/* Writes wall time as 2026-11-22T10:31:51.123Z (24 bytes and a NUL) into `out`. */
#define CLOCK_STAMP_SIZE 25
void clock_stamp(char out[CLOCK_STAMP_SIZE]);

#endif
