/* Keeps what log_warnx logs. For tests that wrap it. */
#ifndef TINYLB_TESTS_UNIT_SAID_WARNX_H
#define TINYLB_TESTS_UNIT_SAID_WARNX_H

#include "said.h"

void __wrap_log_warnx(const char *format, ...) __attribute__((format(printf, 1, 2)));
void __wrap_log_warnx(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	keep_said(format, arguments);
	va_end(arguments);
}

#endif
