/*
 * Numbers for keys: which row of a table on the board belongs to which key. The keys stand on the
 * board, for the next master; how often each is in use, and where to find it, is known to the
 * master alone. O(1).
 */
#ifndef TINYLB_SRC_BOARD_KEYS_H
#define TINYLB_SRC_BOARD_KEYS_H

#include <stdbool.h>
#include <stdint.h>

#define KEYS_NONE UINT32_MAX

struct keys {
	_Atomic uint64_t *on_board; /* borrowed; 0: the row is free */
	uint32_t size;
	uint32_t free;     /* the first free row; KEYS_NONE: none */
	uint32_t mask;     /* of the buckets */
	uint32_t *buckets; /* owned: the first row of each */
	uint32_t *next;    /* owned: the next row of the same bucket, or free row */
	uint32_t *uses;    /* owned: how often each row is in use */
	bool *inherited;   /* owned: one of those is of before */
	uint32_t heirs;    /* how many are */
};

/* Takes up what stands on the board. 0, or -1 when memory is short. */
int keys_init(struct keys *keys, _Atomic uint64_t *on_board, uint32_t size)
	__attribute__((warn_unused_result));
void keys_fini(struct keys *keys);

/* The row of a key, which is in use once more, or a free one that it gets. KEYS_NONE: none is.
 * *is_new: the row was free. */
uint32_t keys_take(struct keys *keys, uint64_t key, bool *is_new);

/* It is in use once less, and free where that was all. */
void keys_drop(struct keys *keys, uint32_t row);

/* Drops the uses of before: of keys that stood there at keys_init, or came with keys_inherit. */
void keys_settle(struct keys *keys);
void keys_inherit(struct keys *keys, uint32_t row);

#endif
