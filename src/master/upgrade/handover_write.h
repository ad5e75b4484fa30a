/* Writes down what is handed over. */
#ifndef TINYLB_SRC_MASTER_UPGRADE_HANDOVER_WRITE_H
#define TINYLB_SRC_MASTER_UPGRADE_HANDOVER_WRITE_H

#include <stdio.h>

#include "handover.h"

/* Writes it all. 0, or -1: a text has a newline in it or is empty, or `out` has failed. */
int handover_write(const struct handover *h, FILE *out) __attribute__((warn_unused_result));

#endif
