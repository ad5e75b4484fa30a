/*
 * The monitor: one process that watches the backends for all workers. It checks them, leaves those
 * out that fail requests, lets them come back by and by, looks their names up again, and writes
 * what it finds where workers read it (board/rows.h, settings/addresses.h).
 */
#ifndef TINYLB_MONITOR_MONITOR_H
#define TINYLB_MONITOR_MONITOR_H

#include <stdatomic.h>
#include <stdint.h>

#include "base/pulse.h"
#include "board/rows.h"
#include "settings/settings.h"

/* In memory that it shares with the master, all zeros at first. */
struct monitor_life {
	struct pulse pulse;
	_Atomic uint64_t due_us; /* when it wants to do something next, monotonic; 0: never */
};

struct monitor_start {
	const struct settings *settings; /* borrowed for the life of the process */
	struct rows *rows;               /* borrowed */
	struct monitor_life *life;       /* borrowed */
	uint64_t seed;
	int channel; /* to the master; when that closes it the monitor ends */
};

/* The exit code of one that could not start; the log says why. */
#define MONITOR_EXIT_START 3

/*
 * Runs the monitor and returns its exit code. To be called in a process just forked, with signals
 * still blocked and privileges given up; descriptors of others must be closed already.
 */
int monitor_run(const struct monitor_start *start);

#endif
