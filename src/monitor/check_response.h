/* Whether what a backend has sent so far is a good answer to a check. Pure. */
#ifndef TINYLB_MONITOR_CHECK_RESPONSE_H
#define TINYLB_MONITOR_CHECK_RESPONSE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/text.h"
#include "settings/pools.h"

/* Of a body so much is looked at, and of what is in front of it. */
#define CHECK_RESPONSE_BODY_MAX ((size_t)64 * 1024)
#define CHECK_RESPONSE_HEAD_MAX ((size_t)32 * 1024)

enum check_response { CHECK_RESPONSE_PARTIAL, CHECK_RESPONSE_GOOD, CHECK_RESPONSE_BAD };

/* Writes the request. False: it does not fit. */
bool check_request_write(struct text *out, const struct backend_settings *backend,
	const struct check_settings *check);

/* Looks at all that has come, which is `ended` or not. `why` says what is wrong with it. */
enum check_response check_response_judge(const char *data, size_t len, bool ended,
	const struct check_settings *check, struct text *why);

#endif
