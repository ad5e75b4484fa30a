/* How long to wait before a process that keeps dying is started again. Pure: time is an argument.
 */
#ifndef TINYLB_SRC_MASTER_CHILDREN_BACKOFF_H
#define TINYLB_SRC_MASTER_CHILDREN_BACKOFF_H

#include <stdint.h>

#define BACKOFF_FIRST_MS 100   /* after the second death in a row; the first one costs nothing */
#define BACKOFF_MAX_MS   5000  /* before jitter */
#define BACKOFF_RESET_MS 60000 /* a process that lived that long has no earlier deaths */

/* Zeroed before the first use. */
struct backoff {
	unsigned deaths; /* in a row */
};

/* Notes the death of a process that lived `lived_ms` and returns the pause before the next start in
 * milliseconds: 0, 100, 200, 400 ... 5000, each +-25 % by `random` (64 random bits). */
uint64_t backoff_next(struct backoff *backoff, uint64_t lived_ms, uint64_t random);

#endif
