/*
 * libevent keeps 16 bytes for each descriptor number that was ever watched, for good. From malloc
 * they would take 32, and lie one by one between what comes and goes: after a rush they would hold
 * as many pages of the heap, of which none could be given back. So they get a place of their own.
 */
#include "config.h"

#include "event_memory.h"

#include <assert.h>
#include <event2/event.h>
#include <string.h>
#include <sys/mman.h>

#include "base/memory.h"

#define ENTRY_SIZE 16

/* As many as a process usually may have descriptors: address space, until it is used. Others are
 * malloc's. */
#define ENTRIES_MAX ((size_t)1024 * 1024)

static struct {
	char *start; /* NULL: no place */
	size_t used;
	void *free; /* the first of those that were given back: each holds the next */
} entries;

static void *take_entry(void)
{
	void *entry = entries.free;

	if (entry != NULL)
		entries.free = *(void **)entry;
	else
		entry = entries.start + ENTRY_SIZE * entries.used++;
	return entry;
}

static void *take(size_t size)
{
	if (size == ENTRY_SIZE && entries.start != NULL &&
		(entries.free != NULL || entries.used < ENTRIES_MAX))
		return take_entry();
	return mem_alloc(size);
}

static void give(void *block)
{
	if ((size_t)((char *)block - entries.start) >= ENTRY_SIZE * ENTRIES_MAX) {
		mem_free(block);
		return;
	}
	/* It was handed out, and as a whole. */
	assert((size_t)((char *)block - entries.start) < ENTRY_SIZE * entries.used);
	assert((size_t)((char *)block - entries.start) % ENTRY_SIZE == 0);
	*(void **)block = entries.free;
	entries.free = block;
}

/* What small blocks become when they grow is none of the entries' business. */
static void *resize(void *block, size_t size)
{
	void *larger;

	if ((size_t)((char *)block - entries.start) >= ENTRY_SIZE * ENTRIES_MAX)
		return mem_resize(block, size, 1);
	larger = mem_alloc(size);
	if (larger == NULL)
		return NULL;
	memcpy(larger, block, size < ENTRY_SIZE ? size : ENTRY_SIZE);
	give(block);
	return larger;
}

void event_memory_init(void)
{
	void *start;

	if (entries.start != NULL)
		return;
	start = mmap(NULL, ENTRY_SIZE * ENTRIES_MAX, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (start == MAP_FAILED)
		return;
	entries.start = start;
	event_set_mem_functions(take, resize, give);
}
