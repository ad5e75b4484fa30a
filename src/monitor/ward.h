/* One backend as the monitor sees it: what is known of it, and what is due. */
#ifndef TINYLB_MONITOR_WARD_H
#define TINYLB_MONITOR_WARD_H

#include <event2/event_struct.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/rng.h"
#include "board/rows.h"
#include "checks.h"
#include "eject.h"
#include "monitor/monitor.h"
#include "probe.h"

struct monitor;

struct ward {
	/* settings */
	struct monitor *monitor;
	const struct pool_settings *pool;
	const struct backend_settings *backend;
	/* runtime */
	struct checks checks;
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
int ward_init(struct ward *w, struct monitor *monitor, const struct pool_settings *pool,
	const struct backend_settings *backend) __attribute__((warn_unused_result));

void ward_fini(struct ward *w);

/* A worker has seen it fail. */
void ward_alarm(struct ward *w);

/* Its name may have other addresses. */
void ward_look_up(struct ward *w);

/* When it wants to do something next, monotonic; 0: never. */
uint64_t ward_due(const struct ward *w);

/* Whether it counts among those of which only some may be ejected; and whether it is. */
bool ward_counts(const struct ward *w);
bool ward_is_ejected(const struct ward *w);

/* --- for its own files --- */

uint64_t ward_now_us(const struct ward *w);
bool ward_is_checked(const struct ward *w);
bool ward_is_empty(const struct ward *w);
enum rows_state ward_state(const struct ward *w);

/* What workers have counted. */
void ward_count(const struct ward *w, struct rows_tally *total);

/* Writes the health word and sets the timer, after anything has changed. */
void ward_settle(struct ward *w);

/* It may take requests again, fewer at first. */
void ward_come_back(struct ward *w);

/* A connection of a worker has failed: was that an accident? */
void ward_confirm(struct ward *w);

/* Looks at what workers have counted; an ejection is over. */
void ward_look(struct ward *w);
void ward_end_ejection(struct ward *w);

/* The result of a probe. */
probe_done ward_probed;
void ward_timer_cb(evutil_socket_t fd, short what, void *arg);

#endif
