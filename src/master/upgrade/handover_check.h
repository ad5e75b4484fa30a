/* Whether what was handed over fits together. */
#ifndef TINYLB_SRC_MASTER_UPGRADE_HANDOVER_CHECK_H
#define TINYLB_SRC_MASTER_UPGRADE_HANDOVER_CHECK_H

#include "handover.h"

/* Finds what cannot be seen in one line alone. NULL, or what is wrong. */
const char *handover_check(const struct handover *h);

#endif
