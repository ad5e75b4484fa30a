/*
 * The allocator's wrappers. They add two things to libc: a check of count * size, and a switch that
 * makes an allocation fail on purpose, so that a test can walk through every failure there is.
 */
#include "config.h"

#include "base/memory.h"

#include <assert.h>
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

/* Allocations that still succeed before one fails; negative: none is made to fail. */
static long allocations_left = -1;

void mem_fail_after(long count)
{
	allocations_left = count;
}

static bool must_fail(void)
{
	if (allocations_left < 0 || allocations_left-- > 0)
		return false;
	errno = ENOMEM;
	return true;
}

/* libc checks too, but under AddressSanitizer an overflow there ends the program. */
static bool has_room(size_t count, size_t size)
{
	size_t product;

	if (!__builtin_mul_overflow(count, size, &product))
		return true;
	errno = ENOMEM;
	return false;
}

void *mem_alloc(size_t size)
{
	return must_fail() ? NULL : malloc(size);
}

void *mem_zalloc(size_t count, size_t size)
{
	return has_room(count, size) && !must_fail() ? calloc(count, size) : NULL;
}

void *mem_resize(void *block, size_t count, size_t size)
{
	/* What realloc(3) does with no bytes differs from libc to libc. */
	assert(count > 0 && size > 0);
	return has_room(count, size) && !must_fail() ? realloc(block, count * size) : NULL;
}

/* Takes twice as much and gives back what lies before and behind the part that is aligned. */
void *mem_map(size_t size)
{
	char *start = MAP_FAILED;
	size_t before;

	assert(size > 0 && (size & (size - 1)) == 0);
	if (!must_fail())
		start = mmap(
			NULL, 2 * size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (start == MAP_FAILED)
		return NULL;
	before = size - (uintptr_t)start % size;
	(void)munmap(start, before);
	if (before < size)
		(void)munmap(start + before + size, size - before);
	return start + before;
}

void mem_unmap(void *block, size_t size)
{
	assert((uintptr_t)block % size == 0);
	(void)munmap(block, size);
}

char *mem_strdup(const char *text)
{
	return must_fail() ? NULL : strdup(text);
}

void mem_free(void *block)
{
	free(block);
}
