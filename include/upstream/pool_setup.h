/* Sets up the backends' side of a worker, and takes it down. */
#ifndef TINYLB_UPSTREAM_POOL_SETUP_H
#define TINYLB_UPSTREAM_POOL_SETUP_H

#include "upstream/pool.h"

/* Makes the pools of the settings. Of `upstream` the members above "runtime" and `rng` must be set,
 * and the rest be zero. 0, or -1 when memory is short; pool_setup_fini is allowed then, too. */
int pool_setup_init(struct upstream_context *upstream) __attribute__((warn_unused_result));

/* Their connections must be closed before. */
void pool_setup_fini(struct upstream_context *upstream);

/* The same of one pool, which is zeroed at first. */
int pool_setup_init_one(struct pool *pool, struct upstream_context *upstream,
	const struct pool_settings *settings) __attribute__((warn_unused_result));
void pool_setup_fini_one(struct pool *pool);

#endif
