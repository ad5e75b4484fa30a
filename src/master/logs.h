/* Opens log files anew, here and for the workers, which may lack the rights to. */
#ifndef TINYLB_SRC_MASTER_LOGS_H
#define TINYLB_SRC_MASTER_LOGS_H

#include "master_state.h"

/* USR1: reopens the log and all access logs. Where one cannot be opened that is logged, and the old
 * file stays. */
void logs_reopen(struct master *m);

/* Opens the log of `next` in this process where it is not that of `present`, or has another level.
 * 0, or -1 with errno: the old log stays. */
int logs_change(const struct settings *present, const struct settings *next)
	__attribute__((warn_unused_result));

#endif
