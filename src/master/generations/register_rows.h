/* Gives the backends and pools of a generation their rows on the board. */
#ifndef TINYLB_SRC_MASTER_GENERATIONS_REGISTER_ROWS_H
#define TINYLB_SRC_MASTER_GENERATIONS_REGISTER_ROWS_H

#include <stddef.h>

#include "master/master_state.h"

/*
 * Notes in the settings of `g`, which has no rows yet, which rows its backends and pools have:
 * those that the same backends had before where there are such. Where there is no room for them, or
 * for the generation's workers, all generations from this one on get more. 0, or -1 with `why`.
 */
int register_rows(struct master *m, struct generation *g, char *why, size_t why_size)
	__attribute__((warn_unused_result));

/* Gives the rows back, and the generation's share of them. Does nothing where it has none. */
void register_rows_drop(struct generation *g);

#endif
