/* How much of its weight a backend gets that has just come back. Pure. */
#ifndef TINYLB_MONITOR_RAMP_H
#define TINYLB_MONITOR_RAMP_H

#include <stdint.h>

/* Its share `us` after it came back, 1 to ROWS_FULL_SHARE: a tenth at first, all of it after
 * `window_ms`. *next_us: when it is worth while to ask again; 0: it has all. */
unsigned ramp_share(uint64_t us, uint64_t window_ms, uint64_t *next_us);

/* How long ago it came back that has this share: for who takes over from another monitor. */
uint64_t ramp_age_us(unsigned share, uint64_t window_ms);

#endif
