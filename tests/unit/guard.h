/*
 * Input at the very end of readable memory: whoever looks one byte further dies. Each call reuses
 * the room of the one before.
 */
#ifndef TINYLB_TESTS_GUARD_H
#define TINYLB_TESTS_GUARD_H

#include <assert.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define GUARD_ROOM ((size_t)1 << 17)

/* `len` bytes that end where a page without access begins. */
static inline char *guard_room(size_t len)
{
	static char *room;

	if (room == NULL) {
		size_t page = (size_t)sysconf(_SC_PAGESIZE);

		room = mmap(NULL, GUARD_ROOM + page, PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		assert(room != MAP_FAILED);
		assert(mprotect(room + GUARD_ROOM, page, PROT_NONE) == 0);
	}
	assert(len <= GUARD_ROOM);
	return room + GUARD_ROOM - len;
}

/* A copy of `len` bytes there. */
static inline char *guard_place(const char *data, size_t len)
{
	return memcpy(guard_room(len), data, len);
}

#endif
