/* Keeps what was logged last, and counts: each __wrap_log_* of a test hands its arguments on. */
#ifndef TINYLB_TESTS_UNIT_SAID_H
#define TINYLB_TESTS_UNIT_SAID_H

#include <stdarg.h>
#include <stdio.h>

static char said[256];
static unsigned said_count;

static void __attribute__((format(printf, 1, 0))) keep_said(const char *format, va_list arguments)
{
	(void)vsnprintf(said, sizeof said, format, arguments);
	said_count++;
}

#endif
