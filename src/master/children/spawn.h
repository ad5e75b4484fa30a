/* Forks children, and makes them what they are. */
#ifndef TINYLB_SRC_MASTER_CHILDREN_SPAWN_H
#define TINYLB_SRC_MASTER_CHILDREN_SPAWN_H

#include <sys/types.h>

#include "master/master_state.h"

/* As fork(2). Buffered output is written before, so that the child does not write it again. */
pid_t spawn_fork(void) __attribute__((warn_unused_result));

/* What every child does first: closes all descriptors but `keep`, takes its name, opens the log of
 * its generation. 0, or -1 with errno. */
int spawn_become(const struct master *m, const struct generation *g, const char *title,
	const int *keep, size_t count) __attribute__((warn_unused_result));

/* Starts a worker for `slot` of `g`, on the sockets that are in escrow for it. 0, or -1 with errno.
 */
int spawn_worker(struct master *m, struct generation *g, uint32_t slot)
	__attribute__((warn_unused_result));

/* Starts the process that looks up the names in the settings of `g`, and ends with 0 where that was
 * done. 0, or -1 with errno. */
int spawn_resolver(struct master *m, struct generation *g) __attribute__((warn_unused_result));

#endif
