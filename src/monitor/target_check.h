/* What follows for a target from the results of its probes, and when the next probe is due. Pure.
 */
#ifndef TINYLB_MONITOR_TARGET_CHECK_H
#define TINYLB_MONITOR_TARGET_CHECK_H

#include <stdbool.h>
#include <stdint.h>

#include "board/rows.h"
#include "probe.h"
#include "target_state.h"

/* What one probe found. */
struct target_result {
	enum probe_result result;
	bool asked;      /* a request was sent; otherwise only a connection was tried */
	const char *why; /* why it did not pass; NULL where it did */
};

/* Plans the first probe, within half a second and within an interval; at once where it is
 * refusing. `random`: 64 random bits. */
void target_check_plan_first(struct target_state *s, uint64_t random, uint64_t now_us);

/* Plans the next probe, an interval later; never, where it has no address or no checks. */
void target_check_plan(struct target_state *s, uint64_t random, uint64_t now_us);

/* Takes the result of a probe and returns what that means. */
enum target_news target_check_take(struct target_state *s, const struct target_result *result,
	const struct rows_tally *total, uint64_t now_us);

#endif
