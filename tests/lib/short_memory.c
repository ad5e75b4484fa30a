/*
 * Preloaded into the program under test, this makes allocations fail: those of one process, from
 * the n-th on that it makes, one or all. Who, when and how is in a small file that the test has
 * mapped as well; tests/lib/short_memory.py is the other end. It also counts the blocks that live.
 */
#include "config.h"

#include <dlfcn.h>
#include <errno.h>
#include <execinfo.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* As in short_memory.py. */
struct control {
	int64_t pid;      /* the process that is watched; 0: none */
	int64_t children; /* not itself, but its children are */
	int64_t left;     /* 1: the next allocation fails; 0: none does */
	int64_t for_good; /* and so do those after it */
	int64_t seen;     /* allocations since it was set */
	int64_t hits;     /* those of them that failed */
	int64_t live;     /* blocks that the process has */
	char spared[64];  /* words: what these libraries and functions ask for neither fails nor
			     counts */
	char where[640];  /* who asked for the first that failed: innermost caller first */
};

#define FRAMES 24

void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *block, size_t size);
void *__libc_memalign(size_t alignment, size_t size);
void __libc_free(void *block);

void *memalign(size_t alignment, size_t size);

static struct control *control;
static int64_t live;
static bool looking; /* at the stack: what that allocates is nobody's */

__attribute__((constructor)) static void begin(void)
{
	const char *file = getenv("SHORT_MEMORY");
	void *frames[FRAMES];
	void *map;
	int fd;

	/* The first call loads a library. */
	(void)backtrace(frames, FRAMES);
	fd = file != NULL ? open(file, O_RDWR | O_CLOEXEC) : -1;
	if (fd == -1)
		return;
	map = mmap(NULL, sizeof *control, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	close(fd);
	if (map != MAP_FAILED)
		control = map;
}

static bool is_watched(void)
{
	if (control == NULL || control->pid == 0 || looking)
		return false;
	return control->pid == (control->children ? getppid() : getpid());
}

/* Who called, as "file+offset" for each frame, without this library's own. */
static void note_where(void **frames, int count)
{
	size_t used = 0;

	for (int i = 0; i < count; i++) {
		Dl_info info;
		const char *name;
		int n;

		if (dladdr(frames[i], &info) == 0 || info.dli_fname == NULL ||
			strstr(info.dli_fname, "short_memory") != NULL)
			continue;
		name = strrchr(info.dli_fname, '/');
		n = snprintf(control->where + used, sizeof control->where - used, "%s+%#tx ",
			name != NULL ? name + 1 : info.dli_fname,
			(char *)frames[i] - (char *)info.dli_fbase);
		if (n < 0 || (size_t)n >= sizeof control->where - used)
			return;
		used += (size_t)n;
	}
}

/* Whether one of the words is the beginning of the file's name or the function's name. */
static bool is_named(const char *file, const char *function)
{
	char words[sizeof control->spared];
	char *rest = words;
	const char *word;

	memcpy(words, control->spared, sizeof words);
	file = strrchr(file, '/') != NULL ? strrchr(file, '/') + 1 : file;
	while ((word = strsep(&rest, " ")) != NULL)
		if (strncmp(file, word, strlen(word)) == 0 ||
			(function != NULL && strcmp(function, word) == 0))
			return true;
	return false;
}

static bool is_spared(void **frames, int count)
{
	Dl_info info;

	for (int i = 0; i < count; i++)
		if (dladdr(frames[i], &info) != 0 && info.dli_fname != NULL &&
			is_named(info.dli_fname, info.dli_sname))
			return true;
	return false;
}

static int look(void **frames)
{
	int count;

	looking = true;
	count = backtrace(frames, FRAMES);
	looking = false;
	return count;
}

static bool is_due(void)
{
	control->seen++;
	if (control->left != 1) {
		control->left -= control->left > 1;
		return false;
	}
	if (!control->for_good)
		control->left = 0;
	return true;
}

static bool must_fail(void)
{
	void *frames[FRAMES];
	int count = 0;

	if (!is_watched())
		return false;
	if (control->spared[0] != '\0') {
		count = look(frames);
		if (is_spared(frames, count))
			return false;
	}
	if (!is_due())
		return false;
	if (control->hits++ == 0)
		note_where(frames, count > 0 ? count : look(frames));
	errno = ENOMEM;
	return true;
}

/* The count is right in every process, for fork copies it, and shown where one is watched. */
static void *born(void *block)
{
	live += block != NULL;
	if (is_watched())
		control->live = live;
	return block;
}

void *malloc(size_t size)
{
	return must_fail() ? NULL : born(__libc_malloc(size));
}

void *calloc(size_t count, size_t size)
{
	return must_fail() ? NULL : born(__libc_calloc(count, size));
}

void free(void *block)
{
	if (block == NULL)
		return;
	__libc_free(block);
	live--;
	if (is_watched())
		control->live = live;
}

void *realloc(void *block, size_t size)
{
	if (block == NULL)
		return malloc(size);
	if (size == 0) {
		free(block);
		return NULL;
	}
	return must_fail() ? NULL : __libc_realloc(block, size);
}

void *memalign(size_t alignment, size_t size)
{
	return must_fail() ? NULL : born(__libc_memalign(alignment, size));
}

void *aligned_alloc(size_t alignment, size_t size)
{
	return memalign(alignment, size);
}

int posix_memalign(void **out, size_t alignment, size_t size)
{
	int saved = errno;
	void *block = memalign(alignment, size);

	errno = saved;
	if (block == NULL)
		return ENOMEM;
	*out = block;
	return 0;
}
