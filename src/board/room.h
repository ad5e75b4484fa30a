/* Room at the end of the board's memory, for those rows that are in force. */
#ifndef TINYLB_SRC_BOARD_ROOM_H
#define TINYLB_SRC_BOARD_ROOM_H

#include <stddef.h>
#include <stdint.h>

#include "board/board.h"

struct room {
	void *memory;    /* shared; whole pages */
	uint64_t offset; /* in the board's file */
	uint64_t length;
	uint32_t id; /* from 1; 0: there is none */
};

/* Makes more room, of zeros. 0, or -1 with errno. */
int room_make(struct board *board, size_t length, struct room *room)
	__attribute__((warn_unused_result));

/* The room that is in force. 0, or -1 with errno; ENOENT: there is none. */
int room_map(struct board *board, struct room *room) __attribute__((warn_unused_result));

/* From now on this is the one in force. */
void room_use(struct board *board, const struct room *room);

/* Unmaps it; what is in the file stays. */
void room_unmap(struct room *room);

/* Where in `length` bytes from `offset` on there is something, for a start; `offset + length`:
 * nowhere. It may answer with too little, never with too much. */
uint64_t room_next(const struct board *board, uint64_t offset, uint64_t length);

#endif
