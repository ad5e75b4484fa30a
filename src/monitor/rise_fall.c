/* Counts results in a row. While they contradict the state, the next check comes sooner. */
#include "config.h"

#include "rise_fall.h"

void rise_fall_init(struct rise_fall *checks, bool up, bool known)
{
	*checks = (struct rise_fall){ .up = up, .known = known };
}

enum rise_fall_change rise_fall_take(
	struct rise_fall *checks, const struct check_settings *settings, bool passed)
{
	unsigned wanted = (unsigned)(passed ? settings->rise : settings->fall);
	bool known = checks->known;

	checks->known = true;
	if (passed == checks->up) {
		checks->against = 0;
		return RISE_FALL_SAME;
	}
	checks->against++;
	if (known && checks->against < wanted)
		return RISE_FALL_SAME;
	checks->up = passed;
	checks->against = 0;
	return passed ? RISE_FALL_UP : RISE_FALL_DOWN;
}

void rise_fall_fail(struct rise_fall *checks)
{
	rise_fall_init(checks, false, true);
}

uint64_t rise_fall_pause_us(
	const struct rise_fall *checks, const struct check_settings *settings, uint64_t random)
{
	uint64_t ms = settings->interval;
	uint64_t tenth;

	if (checks->against > 0 && settings->fast_interval < ms)
		ms = settings->fast_interval;
	tenth = ms * 100;
	return ms * 1000 - tenth + random % (2 * tenth + 1);
}
