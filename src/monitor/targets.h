/* All targets of one monitor, and the alarms that workers call about them. */
#ifndef TINYLB_MONITOR_TARGETS_H
#define TINYLB_MONITOR_TARGETS_H

#include <stdbool.h>
#include <stdint.h>

#include "settings/settings.h"
#include "target.h"
#include "watch.h"

struct targets {
	struct watch *watch;       /* borrowed */
	struct target_group group; /* its list is owned */
	struct target **of_row;    /* owned: of each row of the board; NULL: none */
	uint32_t *alarms;          /* owned: of each column, how many were heard */
};

/* Makes a target of each backend of the settings that has a row of its own. 0, or -1: no memory;
 * then targets_fini is not to be called. */
int targets_init(struct targets *targets, struct watch *watch, const struct settings *settings)
	__attribute__((warn_unused_result));

void targets_fini(struct targets *targets);

/* Returns the target with this row of the board, or NULL; any number is fine. */
struct target *targets_find(const struct targets *targets, uint32_t row);

/* Hears the alarms of all workers since the last call. After more than ROWS_ALARMS of one worker it
 * is not known which they were: then all targets are alarmed. */
void targets_hear(struct targets *targets);

/* Returns when the first of them is due, monotonic, in microseconds; 0: none is. */
uint64_t targets_due(const struct targets *targets);

#endif
