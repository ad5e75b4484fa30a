/* Gives the backends and pools of a generation their rows on the board. */
#ifndef TINYLB_SRC_MASTER_GENERATIONS_REGISTER_ROWS_H
#define TINYLB_SRC_MASTER_GENERATIONS_REGISTER_ROWS_H

#include <stddef.h>

#include "master/master_state.h"

/*
 * Notes in the settings which rows they have, those that the same backends have had before where
 * there are such. Where there is no room for them, or for the generation's workers, all generations
 * from this one on get more. 0, or -1 with `why`.
 */
int roll_call(struct master *m, struct generation *g, char *why, size_t why_size)
	__attribute__((warn_unused_result));

/* They are not needed any more. Nothing happens where roll_call was not called. */
void roll_dismiss(struct generation *g);

#endif
