/* The program that this process runs, and how it becomes another. */
#ifndef TINYLB_SRC_MASTER_UPGRADE_PROGRAM_H
#define TINYLB_SRC_MASTER_UPGRADE_PROGRAM_H

#include <stdbool.h>

#include "handover.h"

/* The absolute path by which this program was started: a newer version will be found there. To be
 * freed with mem_free; NULL: it cannot be told. */
char *program_find(void) __attribute__((warn_unused_result));

/* `keep`: all descriptors of a hand-over stay open in the next program; else none does. 0, or -1
 * with errno. */
int program_keep(const struct handover *h, bool keep) __attribute__((warn_unused_result));

/* Runs the program at `path`, or the open file `fd` unless that is -1. Returns only where that
 * fails, with errno. */
void program_become(const char *path, int fd, char *const *words);

#endif
