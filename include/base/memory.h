/*
 * The one door to the heap. Everything here may return NULL: a worker ends the exchange that asked,
 * never itself.
 */
#ifndef TINYLB_BASE_MEMORY_H
#define TINYLB_BASE_MEMORY_H

#include <stddef.h>

/* `size` bytes, not cleared. */
void *mem_alloc(size_t size) __attribute__((malloc, warn_unused_result));

/* `count` times `size` bytes of zeros; NULL on overflow too. */
void *mem_zalloc(size_t count, size_t size) __attribute__((malloc, warn_unused_result));

/* As realloc(3) over count * size: on NULL the old block is untouched. */
void *mem_resize(void *block, size_t count, size_t size) __attribute__((warn_unused_result));

/* `size` bytes of zeros, a power of two of pages, at a multiple of that size and outside the heap;
 * and back. */
void *mem_map(size_t size) __attribute__((warn_unused_result));
void mem_unmap(void *block, size_t size);

/* A copy of a C string. */
char *mem_strdup(const char *text) __attribute__((malloc, warn_unused_result));

/* NULL is fine. */
void mem_free(void *block);

/* For tests: the next `count` allocations succeed, the one after them fails, and those after that
 * succeed again. Negative: off. */
void mem_fail_after(long count);

#endif
