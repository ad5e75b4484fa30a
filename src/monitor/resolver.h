/* The process that looks up names for the monitor, and what it tells. */
#ifndef TINYLB_MONITOR_RESOLVER_H
#define TINYLB_MONITOR_RESOLVER_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "settings/lookup.h"
#include "settings/settings.h"

struct resolver_answer {
	uint32_t number; /* which name */
	int32_t count;   /* of addresses; -1: it cannot be looked up */
	char why[64];
	struct address list[LOOKUP_MAX];
};

/* Starts it for some names, in this order. *pipe, which does not block, gives an answer for each.
 * Its process id, or -1 with errno. */
pid_t resolver_start(const struct settings *settings, const char *const *hosts,
	const uint32_t *numbers, size_t count, int *pipe) __attribute__((warn_unused_result));

/* Whether an answer is such that it can be believed: it has been where bytes of strangers are. */
bool resolver_is_sound(const struct resolver_answer *answer, size_t names);

/* Ends it. */
void resolver_end(pid_t pid);

#endif
