/* The beginning of the board's memory, and what a process knows of it. */
#ifndef TINYLB_SRC_BOARD_FORM_H
#define TINYLB_SRC_BOARD_FORM_H

#include <stddef.h>

#include "board/board.h"

struct board_header {
	uint64_t magic;
	uint32_t version;
	uint32_t header_size;
	uint32_t place_size;
	uint32_t place_count;
	uint32_t counter_count;
	uint32_t bucket_count;
	uint32_t unused[8]; /* zeros: what is compared has no gaps */
	_Alignas(64) _Atomic uint32_t
		seqlock;              /* odd while the master moves what a dead worker counted */
	_Atomic uint32_t places_used; /* those behind them have never been taken */
	/* The room in force, behind the places. */
	_Atomic uint32_t room_id;
	_Atomic uint64_t room_offset;
	_Atomic uint64_t room_length;
	struct board_cells retired;
};

struct board {
	struct board_header *header; /* shared */
	struct board_place *places;
	size_t length;
	int fd; /* owned */
};

static inline uint64_t board_read(const _Atomic uint64_t *cell)
{
	return atomic_load_explicit(cell, memory_order_relaxed);
}

#endif
