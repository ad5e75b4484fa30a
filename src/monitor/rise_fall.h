/* What follows from the results of a backend's checks. Pure. */
#ifndef TINYLB_MONITOR_RISE_FALL_H
#define TINYLB_MONITOR_RISE_FALL_H

#include <stdbool.h>
#include <stdint.h>

#include "settings/health.h"

struct rise_fall {
	bool up;
	bool known;       /* there has been a result, or what was before is known */
	unsigned against; /* results in a row that say otherwise than `up` */
};

enum rise_fall_change { RISE_FALL_SAME, RISE_FALL_UP, RISE_FALL_DOWN };

/* Of a backend that nothing is known of the first result is believed at once. */
void rise_fall_init(struct rise_fall *checks, bool up, bool known);

/* Takes a result and says what changes by it. */
enum rise_fall_change rise_fall_take(
	struct rise_fall *checks, const struct check_settings *settings, bool passed);

/* It has failed in another way that leaves no doubt. */
void rise_fall_fail(struct rise_fall *checks);

/* How long to wait for the next check, in microseconds: an interval, a tenth of it more or less by
 * `random` (64 random bits). */
uint64_t rise_fall_pause_us(
	const struct rise_fall *checks, const struct check_settings *settings, uint64_t random);

#endif
