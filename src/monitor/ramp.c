/* The share grows in proportion to time, from a tenth on: less would not warm up anything. */
#include "config.h"

#include "ramp.h"

#include <assert.h>

#include "board/row.h"

#define STEPS 20

unsigned ramp_share(uint64_t us, uint64_t window_ms, uint64_t *next_us)
{
	uint64_t window_us = window_ms * 1000;
	unsigned share;

	*next_us = 0;
	if (us >= window_us)
		return ROWS_FULL_SHARE;
	share = (unsigned)(us * ROWS_FULL_SHARE / window_us);
	*next_us = (us * STEPS / window_us + 1) * window_us / STEPS - us;
	/* The window is a multiple of 1,000 microseconds, and so of the steps. */
	assert(*next_us > 0);
	assert(share < ROWS_FULL_SHARE);
	return share > ROWS_LEAST_SHARE ? share : ROWS_LEAST_SHARE;
}

uint64_t ramp_age_us(unsigned share, uint64_t window_ms)
{
	if (share <= ROWS_LEAST_SHARE)
		return 0;
	return window_ms * 1000 * share / ROWS_FULL_SHARE;
}
