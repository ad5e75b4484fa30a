/* Whether what a backend has sent so far is a good answer to a check. Pure. */
#ifndef TINYLB_MONITOR_ANSWER_H
#define TINYLB_MONITOR_ANSWER_H

#include <stdbool.h>
#include <stddef.h>

#include "base/text.h"
#include "settings/pools.h"

/* Of a body so much is looked at, and of what is in front of it. */
#define MONITOR_BODY_MAX ((size_t)64 * 1024)
#define ANSWER_HEAD_MAX  ((size_t)32 * 1024)

enum answer_verdict { ANSWER_PARTIAL, ANSWER_GOOD, ANSWER_BAD };

/* Writes the request. False: it does not fit. */
bool answer_write_request(struct text *out, const struct backend_settings *backend,
	const struct check_settings *check);

/* Looks at all that has come, which is `ended` or not. `why` says what is wrong with it. */
enum answer_verdict answer_judge(const char *data, size_t len, bool ended,
	const struct check_settings *check, struct text *why);

#endif
