/* Dates in the two forms that are written, and the clock that does not go back. */
#include "config.h"

#include "base/clock.h"

#include <locale.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

/* A date parses back to the present second, whatever the locale. */
static void test_http_date(void **state)
{
	const char *date = clock_http_date(), *end;
	struct tm t = { 0 };
	time_t then, now = time(NULL);

	(void)state;
	assert_int_equal(strlen(date), CLOCK_HTTP_DATE_LEN);
	end = strptime(date, "%a, %d %b %Y %H:%M:%S GMT", &t);
	assert_non_null(end);
	assert_int_equal(*end, '\0');
	then = timegm(&t);
	assert_in_range(then, now - 2, now + 1);
}

static void test_http_date_follows_time(void **state)
{
	char first[CLOCK_HTTP_DATE_LEN + 1];
	struct timespec pause = { .tv_nsec = 20000000 };

	(void)state;
	memcpy(first, clock_http_date(), sizeof first);
	for (int i = 0; i < 100 && strcmp(first, clock_http_date()) == 0; i++)
		nanosleep(&pause, NULL);
	assert_string_not_equal(first, clock_http_date());
}

static void test_stamp(void **state)
{
	char stamp[CLOCK_STAMP_SIZE];
	struct tm t = { 0 };
	const char *end;

	(void)state;
	clock_stamp(stamp);
	assert_int_equal(strlen(stamp), CLOCK_STAMP_SIZE - 1);
	end = strptime(stamp, "%Y-%m-%dT%H:%M:%S", &t);
	assert_non_null(end);
	assert_int_equal(*end, '.');
	assert_int_equal(stamp[CLOCK_STAMP_SIZE - 2], 'Z');
	assert_in_range(timegm(&t), time(NULL) - 2, time(NULL) + 1);
}

/* Whether wall time is seen to go on. */
static bool goes_on(void)
{
	char first[CLOCK_STAMP_SIZE], later[CLOCK_STAMP_SIZE];
	struct timespec pause = { .tv_nsec = 5000000 };

	clock_stamp(first);
	nanosleep(&pause, NULL);
	clock_stamp(later);
	return strcmp(first, later) != 0;
}

static void test_hold(void **state)
{
	char held[CLOCK_STAMP_SIZE], later[CLOCK_STAMP_SIZE];

	(void)state;
	assert_true(goes_on());
	clock_hold(true);
	assert_false(goes_on());
	clock_stamp(held);
	clock_hold(true);
	clock_stamp(later);
	assert_string_not_equal(held, later);
	assert_false(goes_on());
	clock_hold(false);
	assert_true(goes_on());
}

static void test_monotonic(void **state)
{
	uint64_t us = clock_us(), ms = clock_ms();

	(void)state;
	assert_in_range(clock_us(), us, us + 5000000);
	assert_in_range(ms, us / 1000, us / 1000 + 5000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_http_date),
		cmocka_unit_test(test_http_date_follows_time),
		cmocka_unit_test(test_stamp),
		cmocka_unit_test(test_hold),
		cmocka_unit_test(test_monotonic),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
