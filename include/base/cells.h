/*
 * Cells: memory for many objects of one size that live long. They lie side by side in blocks of
 * their own, without a word of bookkeeping for each, and keep no page of the heap from being given
 * back when what came and went beside them is gone.
 */
#ifndef TINYLB_BASE_CELLS_H
#define TINYLB_BASE_CELLS_H

#include <stddef.h>
#include <stdint.h>

#include "base/list.h"

struct cells {
	size_t size;      /* of one */
	uint32_t most;    /* of them in a block */
	struct list open; /* blocks with room */
};

/* For objects of `size` bytes, a thousand at the most. */
void cells_init(struct cells *cells, size_t size);

/* Zeroed; NULL when memory is short. */
void *cells_take(struct cells *cells) __attribute__((warn_unused_result));

/* Frees one; a block in which no other is left goes, too, but for the last that has room. */
void cells_give(struct cells *cells, void *cell);

/* Frees what is kept; all cells must have been given back. */
void cells_fini(struct cells *cells);

#endif
