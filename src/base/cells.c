/*
 * A block is aligned to its size, so that a cell's address tells where its block begins. What was
 * never used of a block is not touched: it costs no memory yet.
 */
#include "config.h"

#include "base/cells.h"

#include <assert.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "base/memory.h"

#define BLOCK_SIZE ((size_t)64 * 1024)
#define SIZE_MOST  1000 /* of a cell: more would leave too much of a block unused */

/* In one that was given back. */
struct hole {
	struct hole *next;
};

struct block {
	struct list link; /* among the open ones; of a full one, to itself */
	struct hole *holes;
	uint32_t used;
	uint32_t fresh; /* how many were ever used: the rest lies behind those */
	_Alignas(max_align_t) char cells[];
};

/* A sanitizer sees what is done with each block of the heap, but not with a part of one. */
#ifdef __SANITIZE_ADDRESS__
static const bool is_one_by_one = true;
#else
static const bool is_one_by_one = false;
#endif

static struct block *block_of(void *cell)
{
	return (struct block *)(void *)((char *)cell - (uintptr_t)cell % BLOCK_SIZE);
}

void cells_init(struct cells *cells, size_t size)
{
	const size_t unit = _Alignof(struct hole);

	assert(size > 0 && size <= SIZE_MOST);
	cells->size = (size + unit - 1) / unit * unit;
	cells->most = (uint32_t)((BLOCK_SIZE - sizeof(struct block)) / cells->size);
	list_init(&cells->open);
}

static struct block *open_block(struct cells *cells)
{
	struct block *b;

	if (!list_is_empty(&cells->open))
		return LIST_ITEM(cells->open.next, struct block, link);
	b = mem_map(BLOCK_SIZE);
	if (b == NULL)
		return NULL;
	list_init(&b->link);
	list_append(&cells->open, &b->link);
	return b;
}

void *cells_take(struct cells *cells)
{
	struct block *b;
	void *cell;

	if (is_one_by_one)
		return mem_zalloc(1, cells->size);
	b = open_block(cells);
	if (b == NULL)
		return NULL;
	assert(b->used < cells->most);
	if (b->holes != NULL) {
		cell = b->holes;
		b->holes = b->holes->next;
	} else {
		cell = b->cells + b->fresh++ * cells->size;
	}
	if (++b->used == cells->most)
		list_remove(&b->link);
	return memset(cell, 0, cells->size);
}

void cells_give(struct cells *cells, void *cell)
{
	struct block *b = block_of(cell);
	struct hole *hole = cell;

	if (is_one_by_one) {
		mem_free(cell);
		return;
	}
	assert(b->used > 0 && b->used <= b->fresh);
	/* The one that was full is filled first: others may become empty meanwhile. */
	if (b->used == cells->most)
		list_prepend(&cells->open, &b->link);
	hole->next = b->holes;
	b->holes = hole;
	if (--b->used > 0 || cells->open.next == cells->open.prev)
		return;
	list_remove(&b->link);
	mem_unmap(b, BLOCK_SIZE);
}

void cells_fini(struct cells *cells)
{
	while (!list_is_empty(&cells->open)) {
		struct block *b = LIST_ITEM(cells->open.next, struct block, link);

		assert(b->used == 0);
		list_remove(&b->link);
		mem_unmap(b, BLOCK_SIZE);
	}
}
