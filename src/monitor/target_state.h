/* One backend as the monitor sees it: what is known of it, and what is due. */
#ifndef TINYLB_MONITOR_TARGET_STATE_H
#define TINYLB_MONITOR_TARGET_STATE_H

#include <event2/event_struct.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/rng.h"
#include "board/rows.h"
#include "eject.h"
#include "monitor/monitor.h"
#include "probe.h"
#include "rise_fall.h"

struct monitor;

struct target {
	/* settings */
	struct monitor *monitor;
	const struct pool_settings *pool;
	const struct backend_settings *backend;
	/* runtime */
	struct rise_fall checks;
	struct eject eject;
	struct probe probe;
	struct event timer;
	enum rows_state state;      /* as published */
	unsigned share;             /* likewise */
	bool refusing;              /* it takes no connections */
	bool silent;                /* it did not answer the last check */
	bool confirming;            /* a connection of a worker failed, and so may this one */
	uint64_t confirmed_us;      /* when that was last tried */
	uint64_t connect_failed;    /* as often, when that was last looked at */
	struct eject_kinds before;  /* likewise */
	uint32_t addresses_version; /* those that were seen */
	struct address address;     /* the first of them */
	/* monotonic, when something is due; 0: it is not */
	uint64_t probe_us, look_us, ramp_us;
	uint64_t back_us;    /* when it came back, in a slow start; 0: in none */
	uint64_t refused_us; /* since when it is refusing */
};

/* Begins to watch a backend. 0, or -1: no memory. */
int target_init(struct target *w, struct monitor *monitor, const struct pool_settings *pool,
	const struct backend_settings *backend) __attribute__((warn_unused_result));

void target_fini(struct target *w);

/* A worker has seen it fail. */
void target_alarm(struct target *w);

/* Its name may have other addresses. */
void target_look_up(struct target *w);

/* When it wants to do something next, monotonic; 0: never. */
uint64_t target_due(const struct target *w);

/* Whether it counts among those of which only some may be ejected; and whether it is. */
bool target_counts(const struct target *w);
bool target_is_ejected(const struct target *w);

/* --- for its own files --- */

uint64_t target_now_us(const struct target *w);
bool target_is_checked(const struct target *w);
bool target_is_empty(const struct target *w);
enum rows_state target_state(const struct target *w);

/* What workers have counted. */
void target_count(const struct target *w, struct rows_tally *total);

/* Writes the health word and sets the timer, after anything has changed. */
void target_settle(struct target *w);

/* It may take requests again, fewer at first. */
void target_come_back(struct target *w);

/* A connection of a worker has failed: was that an accident? */
void target_confirm(struct target *w);

/* Looks at what workers have counted; an ejection is over. */
void target_look(struct target *w);
void target_end_ejection(struct target *w);

/* The result of a probe. */
probe_done target_probed;
void target_timer_cb(evutil_socket_t fd, short what, void *arg);

#endif
