/*
 * What all parts of the monitor share: the loop with its clock, the board, random numbers, and the
 * time of the next work. The master reads that time: a monitor that is late for it hangs.
 */
#ifndef TINYLB_MONITOR_WATCH_H
#define TINYLB_MONITOR_WATCH_H

#include <stdatomic.h>
#include <stdint.h>
#include <sys/time.h>

#include "base/rng.h"
#include "board/rows.h"
#include "net/loop.h"

/* All times are monotonic, in microseconds; a due time of 0 means that nothing is due. */
struct watch {
	struct loop loop;
	struct rng rng;
	struct rows *rows;        /* borrowed */
	_Atomic uint64_t *due_us; /* borrowed: time of the next work, for the master to read */
	uint32_t changes;         /* health words set so far */
};

/* Returns the due time that the master sees. */
uint64_t watch_due(const struct watch *watch);

/* Sets it to `due_us`, whatever it was. */
void watch_set_due(const struct watch *watch, uint64_t due_us);

/* Sets it to `due_us` where that is earlier; 0 changes nothing. */
void watch_note_due(const struct watch *watch, uint64_t due_us);

/* Returns the earlier of two due times, 0 being later than any. */
uint64_t watch_earlier(uint64_t a, uint64_t b);

/* Returns the time from now to `due_us`, for a timer: zero where that has passed. */
struct timeval watch_timeout(const struct watch *watch, uint64_t due_us);

#endif
