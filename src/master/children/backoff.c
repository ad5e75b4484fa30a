/*
 * The restart policy. After the first death the next process starts at once, because the death is
 * most likely the only one. A process that dies again and again is started more and more rarely.
 * Jitter keeps slots that die of the same cause from coming back in step.
 */
#include "config.h"

#include "backoff.h"

/* Makes `pause` (ms) up to a quarter shorter or longer. */
static uint64_t add_jitter(uint64_t pause, uint64_t random)
{
	uint64_t quarter = pause / 4;

	return pause == 0 ? 0 : pause - quarter + random % (2 * quarter + 1);
}

uint64_t backoff_next(struct backoff *backoff, uint64_t lived_ms, uint64_t random)
{
	uint64_t pause = 0;

	if (lived_ms >= BACKOFF_RESET_MS)
		backoff->deaths = 0;
	if (backoff->deaths > 0)
		pause = BACKOFF_FIRST_MS;
	for (unsigned i = 1; i < backoff->deaths && pause < BACKOFF_MAX_MS; i++)
		pause *= 2;
	if (pause > BACKOFF_MAX_MS)
		pause = BACKOFF_MAX_MS;
	if (pause < BACKOFF_MAX_MS)
		backoff->deaths++;
	return add_jitter(pause, random);
}
