/* Names of backends, looked up again and again, by a process of its own each time: that can block.
 */
#ifndef TINYLB_MONITOR_NAMES_H
#define TINYLB_MONITOR_NAMES_H

#include <event2/event_struct.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "settings/lookup.h"

struct monitor;
struct name;
struct resolver_answer;

struct names {
	struct monitor *monitor;
	struct name *list;                     /* owned */
	const struct backend_settings **heads; /* owned: behind the names, sorted */
	size_t count;
	struct event timer;             /* the next look-up, or the end of the present one */
	struct event readable;          /* answers */
	uint64_t due_us;                /* 0: never */
	pid_t pid;                      /* 0: nobody looks up */
	int pipe;                       /* -1: likewise */
	size_t first;                   /* who is looked up first, next time */
	struct resolver_answer *answer; /* owned: what has come of one */
	size_t len;
};

/* Begins to look up the names of the monitor's settings in their time; nothing happens where there
 * are none. 0, or -1: no memory. */
int names_init(struct names *names, struct monitor *monitor) __attribute__((warn_unused_result));

/* Ends a look-up under way, too. */
void names_fini(struct names *names);

/* When something is due next, monotonic; 0: nothing is. */
uint64_t names_due(const struct names *names);

#endif
