/* What follows from the results of a backend's checks. Pure. */
#ifndef TINYLB_MONITOR_CHECKS_H
#define TINYLB_MONITOR_CHECKS_H

#include <stdbool.h>
#include <stdint.h>

#include "settings/health.h"

struct checks {
	bool up;
	bool known;       /* there has been a result, or what was before is known */
	unsigned against; /* results in a row that say otherwise than `up` */
};

enum checks_change { CHECKS_SAME, CHECKS_UP, CHECKS_DOWN };

/* Of a backend that nothing is known of the first result is believed at once. */
void checks_init(struct checks *checks, bool up, bool known);

/* Takes a result and says what changes by it. */
enum checks_change checks_take(
	struct checks *checks, const struct check_settings *settings, bool passed);

/* It has failed in another way that leaves no doubt. */
void checks_fail(struct checks *checks);

/* How long to wait for the next check, in microseconds: an interval, a tenth of it more or less by
 * `random` (64 random bits). */
uint64_t checks_pause_us(
	const struct checks *checks, const struct check_settings *settings, uint64_t random);

#endif
