/* What the monitor says in the log of the backends. */
#ifndef TINYLB_MONITOR_TARGET_LOG_H
#define TINYLB_MONITOR_TARGET_LOG_H

#include <stdbool.h>
#include <stdint.h>

#include "target_state.h"

/* `first`: nothing was known of it before. */
void target_log_down(const struct target *w, bool first, const char *why);
void target_log_refusing(const struct target *w, const char *why);

/* Its checks are passed; it is back for another reason. */
void target_log_up(const struct target *w);
void target_log_back(const struct target *w);

void target_log_ejected(const struct target *w, uint64_t ms, const struct eject_cause *cause,
	const struct rows_tally *total);

/* Its name has other addresses; none. */
void target_log_addresses(const struct target *w, bool is_new);
void target_log_gone(const struct target *w);

#endif
