/* One backend that the monitor watches: its state, its probe, its timer, its health word. */
#ifndef TINYLB_MONITOR_TARGET_H
#define TINYLB_MONITOR_TARGET_H

#include <event2/event_struct.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "probe.h"
#include "target_state.h"
#include "watch.h"

struct target;

/* All targets of the monitor. Which share of a pool is ejected is counted over them. */
struct target_group {
	struct target *list;
	size_t count;
};

struct target {
	struct watch *watch;              /* borrowed */
	const struct target_group *group; /* borrowed; has this target */
	struct target_state state;
	struct probe probe;
	struct event timer;
	uint32_t addresses_version; /* of the addresses as last seen */
};

/* Begins to watch a backend, where the previous monitor has left it. `t` is zeroed. 0, or -1: no
 * memory. */
int target_init(struct target *t, struct watch *watch, const struct target_group *group,
	const struct pool_settings *pool, const struct backend_settings *backend)
	__attribute__((warn_unused_result));

/* Stops its probe and its timer. */
void target_fini(struct target *t);

/* A worker saw the backend fail: the timer looks at the counts, at once. */
void target_alarm(struct target *t);

/* The backend's name was looked up: takes its addresses, if they have changed. */
void target_look_up(struct target *t);

/* Returns when it has something to do next, monotonic, in microseconds; 0: never. */
uint64_t target_due(const struct target *t);

#endif
