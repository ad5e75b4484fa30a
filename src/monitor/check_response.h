/* Whether the bytes that a backend has sent so far are a good response to a check. Pure. */
#ifndef TINYLB_MONITOR_CHECK_RESPONSE_H
#define TINYLB_MONITOR_CHECK_RESPONSE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/text.h"
#include "settings/pools.h"

/* So many bytes of a body are looked at, and of the heads before it. */
#define CHECK_RESPONSE_BODY_MAX ((size_t)64 * 1024)
#define CHECK_RESPONSE_HEAD_MAX ((size_t)32 * 1024)

enum check_response { CHECK_RESPONSE_PARTIAL, CHECK_RESPONSE_GOOD, CHECK_RESPONSE_BAD };

/* Judges all bytes so far. `ended`: the backend has closed the connection. After
 * CHECK_RESPONSE_BAD `why` says what is wrong; PARTIAL wants more bytes. Not for two threads. */
enum check_response check_response_judge(const char *data, size_t len, bool ended,
	const struct check_settings *check, struct text *why);

#endif
