/* Chains of rows, of those that are free and of those whose keys have the same bucket. */
#include "config.h"

#include "keys.h"

#include <assert.h>
#include <stdatomic.h>

#include "base/memory.h"

static uint64_t key_of(const struct keys *keys, uint32_t row)
{
	return atomic_load_explicit(&keys->on_board[row], memory_order_relaxed);
}

static void set_key(struct keys *keys, uint32_t row, uint64_t key)
{
	atomic_store_explicit(&keys->on_board[row], key, memory_order_relaxed);
}

/* Keys are hashes: any of their bits will do. */
static uint32_t *bucket_of(const struct keys *keys, uint64_t key)
{
	return &keys->buckets[key & keys->mask];
}

static void push(struct keys *keys, uint32_t *first, uint32_t row)
{
	keys->next[row] = *first;
	*first = row;
}

static void make_free(struct keys *keys, uint32_t row)
{
	set_key(keys, row, 0);
	push(keys, &keys->free, row);
}

/* Low rows are given out first: what is used lies together. */
static void take_up(struct keys *keys)
{
	for (uint32_t row = keys->size; row-- > 0;) {
		uint64_t key = key_of(keys, row);

		if (key == 0) {
			make_free(keys, row);
			continue;
		}
		push(keys, bucket_of(keys, key), row);
		keys_inherit(keys, row);
	}
}

int keys_init(struct keys *keys, _Atomic uint64_t *on_board, uint32_t size)
{
	uint32_t buckets = 1;

	while (buckets < size)
		buckets *= 2;
	*keys = (struct keys){
		.on_board = on_board, .size = size, .free = KEYS_NONE, .mask = buckets - 1
	};
	keys->buckets = mem_zalloc(buckets, sizeof *keys->buckets);
	keys->next = mem_zalloc(size, sizeof *keys->next);
	keys->uses = mem_zalloc(size, sizeof *keys->uses);
	keys->inherited = mem_zalloc(size, sizeof *keys->inherited);
	if (keys->buckets == NULL || keys->next == NULL || keys->uses == NULL ||
		keys->inherited == NULL) {
		keys_fini(keys);
		return -1;
	}
	for (uint32_t i = 0; i < buckets; i++)
		keys->buckets[i] = KEYS_NONE;
	take_up(keys);
	return 0;
}

void keys_fini(struct keys *keys)
{
	mem_free(keys->buckets);
	mem_free(keys->next);
	mem_free(keys->uses);
	mem_free(keys->inherited);
	*keys = (struct keys){ 0 };
}

uint32_t keys_take(struct keys *keys, uint64_t key, bool *is_new)
{
	uint32_t row = *bucket_of(keys, key);

	/* On the board 0 stands for a free row. */
	assert(key != 0);
	while (row != KEYS_NONE && key_of(keys, row) != key)
		row = keys->next[row];
	*is_new = row == KEYS_NONE;
	if (*is_new) {
		row = keys->free;
		if (row == KEYS_NONE)
			return KEYS_NONE;
		keys->free = keys->next[row];
		set_key(keys, row, key);
		push(keys, bucket_of(keys, key), row);
	}
	keys->uses[row]++;
	return row;
}

void keys_drop(struct keys *keys, uint32_t row)
{
	uint32_t *at = bucket_of(keys, key_of(keys, row));

	assert(row < keys->size && keys->uses[row] > 0);
	if (--keys->uses[row] > 0)
		return;
	while (*at != row)
		at = &keys->next[*at];
	*at = keys->next[row];
	make_free(keys, row);
}

void keys_inherit(struct keys *keys, uint32_t row)
{
	assert(row < keys->size);
	if (keys->inherited[row])
		return;
	keys->inherited[row] = true;
	keys->heirs++;
	keys->uses[row]++;
}

void keys_settle(struct keys *keys)
{
	for (uint32_t row = 0; row < keys->size && keys->heirs > 0; row++) {
		if (!keys->inherited[row])
			continue;
		keys->heirs--;
		keys->inherited[row] = false;
		keys_drop(keys, row);
	}
	assert(keys->heirs == 0);
}
