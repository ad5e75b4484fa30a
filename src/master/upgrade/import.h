/* Takes over what another program wrote down (export.h). */
#ifndef TINYLB_SRC_MASTER_UPGRADE_IMPORT_H
#define TINYLB_SRC_MASTER_UPGRADE_IMPORT_H

#include "handover.h"
#include "master/master_state.h"

/*
 * Takes over all that `h` has, in a master that is empty. 0; or -1 with *why, and all descriptors
 * are as they were: another program can still take them over.
 */
int import_state(struct master *m, const struct handover *h, const char **why)
	__attribute__((warn_unused_result));

#endif
