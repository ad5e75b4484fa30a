/* The slow start: the share of its weight that a backend gets which has just come back. Pure. */
#ifndef TINYLB_MONITOR_RAMP_H
#define TINYLB_MONITOR_RAMP_H

#include <stdint.h>

/* Returns its share `us` microseconds after it came back, ROWS_LEAST_SHARE to ROWS_FULL_SHARE,
 * which it reaches after `window_ms`. *next_us: the share grows so many microseconds later; 0: it
 * is full. */
unsigned ramp_share(uint64_t us, uint64_t window_ms, uint64_t *next_us);

/* Returns how many microseconds ago a backend came back that has this share. A new monitor goes on
 * with a slow start so. */
uint64_t ramp_age_us(unsigned share, uint64_t window_ms);

#endif
