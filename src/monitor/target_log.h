/* The messages of the monitor about its targets: one line a change, with its reason. */
#ifndef TINYLB_MONITOR_TARGET_LOG_H
#define TINYLB_MONITOR_TARGET_LOG_H

#include <stdint.h>

#include "target_state.h"

/* Logs what `news` means. `why` is the reason of a failed check or connection; NULL for all other
 * news. */
void target_log_news(const struct target_state *s, enum target_news news, const char *why);

/* Logs that it is ejected for `ms` milliseconds, after `cause`; `total` tells what most of the
 * failures since the last look were. */
void target_log_ejected(const struct target_state *s, uint64_t ms, const struct eject_cause *cause,
	const struct rows_tally *total);

#endif
