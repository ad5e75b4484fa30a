/* Ejection: a backend that fails requests of users gets none for a while. Pure. */
#ifndef TINYLB_MONITOR_EJECT_H
#define TINYLB_MONITOR_EJECT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "board/row.h"
#include "settings/health_settings.h"

/* Zeroed before the first use; then eject_begin. Times are monotonic, in microseconds. */
struct eject {
	uint64_t until_us; /* end of its ejection; 0: it is not ejected */
	uint64_t well_us;  /* end of its last ejection */
	uint64_t next_ms;  /* how long the next ejection takes; 0: there was none */
	/* counts at the last look, and at the beginning of the window */
	uint64_t seen_failures, seen_answers;
	uint64_t window_failures, window_requests, window_us;
	uint64_t in_a_row; /* failures without an answer between them */
	bool grew;         /* the last look found new failures */
};

/* What eject_look found: failures in a row, or, where that is 0, failures of requests. */
struct eject_cause {
	uint64_t in_a_row;
	uint64_t failures;
	uint64_t requests;
};

/* Begins to count: failures in `total` so far do not matter any more. */
void eject_begin(
	struct eject *eject, const struct eject_settings *settings, const struct rows_tally *total);

/*
 * Looks at the counts. True: there were too many failures, for `cause`. *again_us: when to look
 * again even if no worker calls an alarm; 0: not at all.
 */
bool eject_look(struct eject *eject, const struct eject_settings *settings,
	const struct rows_tally *total, uint64_t now_us, struct eject_cause *cause,
	uint64_t *again_us);

/* Ejects it, and returns for how many milliseconds: twice as long as the last time, but not longer
 * than time_max. Each such time that it was well since then halves that, down to `time`. */
uint64_t eject_start(struct eject *eject, const struct eject_settings *settings, uint64_t now_us);

/* Ends its ejection. */
void eject_end(struct eject *eject, const struct eject_settings *settings,
	const struct rows_tally *total, uint64_t now_us);

/* Returns how many of `count` backends may be ejected at one time. */
size_t eject_most(const struct eject_settings *settings, size_t count);

/* Counts of failures by their kind, for messages. */
struct eject_kinds {
	uint64_t connect, cut, timed_out, bad, status;
};
struct eject_kinds eject_kinds(const struct rows_tally *total);

/* Returns the kind of most failures between two looks. */
const char *eject_main_kind(const struct eject_kinds *before, const struct eject_kinds *now);

#endif
