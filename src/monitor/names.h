/*
 * Looks up the names of backends again and again. Each look-up runs in a process of its own, the
 * resolver, because it can block.
 */
#ifndef TINYLB_MONITOR_NAMES_H
#define TINYLB_MONITOR_NAMES_H

#include <event2/event_struct.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "name_list.h"
#include "settings/settings.h"
#include "targets.h"
#include "watch.h"

struct resolver_answer;

struct names {
	struct watch *watch;             /* borrowed */
	const struct settings *settings; /* borrowed */
	const struct targets *targets;   /* borrowed: told of new addresses */
	struct name_list list;
	struct event timer;             /* the next look-up, or the end of the present one */
	struct event readable;          /* answers have come */
	uint64_t due_us;                /* of the timer; 0: never */
	pid_t pid;                      /* of the resolver; 0: none runs */
	int pipe;                       /* from it; -1: none runs */
	struct resolver_answer *answer; /* owned: the answer that is being read */
	size_t len;                     /* so many bytes of it have come */
};

/* Begins to look up the names of the settings, each in its interval. Without names nothing happens.
 * 0, or -1: no memory. */
int names_init(struct names *names, struct watch *watch, const struct settings *settings,
	const struct targets *targets) __attribute__((warn_unused_result));

/* Ends a look-up under way, too. */
void names_fini(struct names *names);

/* Returns when something is due next, monotonic, in microseconds; 0: nothing is. */
uint64_t names_due(const struct names *names);

#endif
