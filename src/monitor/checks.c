/* Counts results in a row. While they contradict the state, the next one comes sooner. */
#include "config.h"

#include "checks.h"

void checks_init(struct checks *checks, bool up, bool known)
{
	*checks = (struct checks){ .up = up, .known = known };
}

enum checks_change checks_take(
	struct checks *checks, const struct check_settings *settings, bool passed)
{
	unsigned wanted = (unsigned)(passed ? settings->rise : settings->fall);
	bool known = checks->known;

	checks->known = true;
	if (passed == checks->up) {
		checks->against = 0;
		return CHECKS_SAME;
	}
	checks->against++;
	if (known && checks->against < wanted)
		return CHECKS_SAME;
	checks->up = passed;
	checks->against = 0;
	return passed ? CHECKS_UP : CHECKS_DOWN;
}

void checks_fail(struct checks *checks)
{
	checks_init(checks, false, true);
}

uint64_t checks_pause_us(
	const struct checks *checks, const struct check_settings *settings, uint64_t random)
{
	uint64_t ms = settings->interval;
	uint64_t tenth;

	if (checks->against > 0 && settings->fast_interval < ms)
		ms = settings->fast_interval;
	tenth = ms * 100;
	return ms * 1000 - tenth + random % (2 * tenth + 1);
}
