/* Reads what handover_write wrote. */
#ifndef TINYLB_SRC_MASTER_UPGRADE_HANDOVER_READ_H
#define TINYLB_SRC_MASTER_UPGRADE_HANDOVER_READ_H

#include "handover.h"

/*
 * `text` has `len` bytes and a NUL behind them, is changed, and stays borrowed. Takes nothing that
 * is not whole and consistent. 0; or -1 with *why, and there is nothing to free. Whether
 * descriptors are what they are said to be is not looked at here.
 */
int handover_read(struct handover *h, char *text, size_t len, const char **why)
	__attribute__((warn_unused_result));

#endif
