/* Where in their room the rows have what, and what a process knows of them. */
#ifndef TINYLB_SRC_BOARD_ROWS_FORM_H
#define TINYLB_SRC_BOARD_ROWS_FORM_H

#include <stddef.h>

#include "board/rows.h"
#include "keys.h"
#include "room.h"

#define ROWS_SECRET_SIZE 16

/* The first of it is compared: it must be what this program means. */
struct rows_header {
	uint64_t magic;
	uint32_t rows, pools, columns;
	uint32_t cells_size, pool_size, alarms_size, notes_size;
	unsigned char secret[ROWS_SECRET_SIZE];
	_Alignas(64) _Atomic uint32_t version; /* of health words */
	_Alignas(64) _Atomic uint32_t looks;   /* of the monitor, for alarms */
	_Alignas(64) _Atomic uint32_t
		seqlock;            /* odd while the master moves what a dead worker counted */
	_Atomic uint32_t rows_used; /* those behind them have never been taken */
	_Atomic uint32_t columns_used;
};

struct rows {
	unsigned shares;
	struct board *board; /* borrowed */
	struct room room;
	int alarm; /* owned; an eventfd */
	/* the parts of the room */
	struct rows_header *header;
	_Atomic uint64_t *health; /* of each row: a word, alone in no line: written seldom */
	_Atomic uint64_t *keys;   /* of each row, and behind them of each pool */
	_Atomic uint32_t *taken;  /* of each column: 1, it has a worker */
	struct rows_alarms *alarms;
	struct rows_line *gauges;   /* by gauge, bank, row */
	struct rows_pool *pool;     /* by column, pool */
	struct rows_cells *retired; /* by row: of the dead */
	struct rows_cells *cells;   /* by column, row */
	struct rows_notes *notes;   /* by row */
	/* the master's */
	struct keys row_keys;
	struct keys pool_keys;
};

#endif
