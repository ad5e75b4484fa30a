/* The result of a backend's checks: up or down, with `rise` and `fall` of the settings. Pure. */
#ifndef TINYLB_MONITOR_RISE_FALL_H
#define TINYLB_MONITOR_RISE_FALL_H

#include <stdbool.h>
#include <stdint.h>

#include "settings/health_settings.h"

struct rise_fall {
	bool up;
	bool known;       /* there was a result, or the previous monitor has left one */
	unsigned against; /* results in a row that contradict `up` */
};

enum rise_fall_change { RISE_FALL_SAME, RISE_FALL_UP, RISE_FALL_DOWN };

/* While a backend is not `known`, its first result counts at once. */
void rise_fall_init(struct rise_fall *checks, bool up, bool known);

/* Takes a result and returns what changes by it. */
enum rise_fall_change rise_fall_take(
	struct rise_fall *checks, const struct check_settings *settings, bool passed);

/* Takes it down at once: it failed in a way that leaves no doubt. */
void rise_fall_fail(struct rise_fall *checks);

/* Returns how long to wait for the next check, in microseconds: an interval, a tenth of it more or
 * less by `random` (64 random bits). */
uint64_t rise_fall_pause_us(
	const struct rise_fall *checks, const struct check_settings *settings, uint64_t random);

#endif
