/* Log files that are opened anew, here and in the workers, who may lack the rights to. */
#ifndef TINYLB_SRC_MASTER_REOPEN_H
#define TINYLB_SRC_MASTER_REOPEN_H

#include "state.h"

/* USR1. What cannot be opened is told, and the old file stays. */
void reopen_logs(struct master *m);

#endif
