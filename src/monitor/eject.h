/* When a backend that fails requests of users is left out for a while. Pure. */
#ifndef TINYLB_MONITOR_EJECT_H
#define TINYLB_MONITOR_EJECT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "board/row.h"
#include "settings/health.h"

/* Zeroed before the first use, but for what eject_begin takes. */
struct eject {
	uint64_t until_us; /* 0: it is not ejected */
	uint64_t well_us;  /* since when it has not been */
	uint64_t next_ms;  /* for how long the next time; 0: the first one */
	/* what was counted at the last look, and at the beginning of the window */
	uint64_t seen_failures, seen_answers;
	uint64_t window_failures, window_requests, window_us;
	uint64_t in_a_row;
	bool grew; /* there were new failures at the last look */
};

/* What eject_look found. */
struct eject_cause {
	uint64_t in_a_row; /* so many failures, or 0: */
	uint64_t failures; /* so many ... */
	uint64_t requests; /* ... of so many requests */
};

/* Counted so far is nothing of concern. */
void eject_begin(
	struct eject *eject, const struct eject_settings *settings, const struct rows_tally *total);

/*
 * Looks at what was counted. True: there have been too many failures, for `cause`. *again_us, where
 * it is not 0, says when to look once more whatever happens.
 */
bool eject_look(struct eject *eject, const struct eject_settings *settings,
	const struct rows_tally *total, uint64_t now_us, struct eject_cause *cause,
	uint64_t *again_us);

/* Ejects it, for as long as it says, in milliseconds. */
uint64_t eject_start(struct eject *eject, const struct eject_settings *settings, uint64_t now_us);

/* It is back. */
void eject_end(struct eject *eject, const struct eject_settings *settings,
	const struct rows_tally *total, uint64_t now_us);

/* How many of `count` backends may be ejected at one time. */
size_t eject_most(const struct eject_settings *settings, size_t count);

/* What failures were of, for the log. */
struct eject_kinds {
	uint64_t connect, cut, timed_out, bad, status;
};
struct eject_kinds eject_kinds(const struct rows_tally *total);

/* What most of the failures between two looks were. */
const char *eject_main_kind(const struct eject_kinds *before, const struct eject_kinds *now);

#endif
