/* Log files that are opened anew, here and in the workers, who may lack the rights to. */
#ifndef TINYLB_SRC_MASTER_LOGS_H
#define TINYLB_SRC_MASTER_LOGS_H

#include "master/master_state.h"

/* USR1. What cannot be opened is told, and the old file stays. */
void reopen_logs(struct master *m);

/* Opens the log of `next` in this process, where that is another one than that of `present`, or has
 * another level. 0, or -1 with errno: then the old one stays. */
int reopen_changed_log(const struct settings *present, const struct settings *next)
	__attribute__((warn_unused_result));

#endif
