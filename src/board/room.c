/*
 * Room behind the places. What was made stays where it is, for those who have mapped it; more is
 * put behind it.
 */
#include "config.h"

#include "room.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "form.h"

static uint64_t whole_pages(uint64_t length)
{
	uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);

	return (length + page - 1) / page * page;
}

static int map_room(const struct board *board, struct room *room)
{
	room->memory = mmap(NULL, room->length, PROT_READ | PROT_WRITE, MAP_SHARED, board->fd,
		(off_t)room->offset);
	if (room->memory != MAP_FAILED)
		return 0;
	room->memory = NULL;
	return -1;
}

int room_make(struct board *board, size_t length, struct room *room)
{
	struct stat st;

	assert(length > 0);
	if (fstat(board->fd, &st) == -1)
		return -1;
	room->id = atomic_load_explicit(&board->header->room_id, memory_order_relaxed) + 1;
	room->offset = whole_pages((uint64_t)st.st_size);
	room->length = whole_pages(length);
	if (ftruncate(board->fd, (off_t)(room->offset + room->length)) == -1)
		return -1;
	return map_room(board, room);
}

int room_map(struct board *board, struct room *room)
{
	const struct board_header *header = board->header;
	struct stat st;

	room->id = atomic_load_explicit(&header->room_id, memory_order_acquire);
	room->offset = board_read(&header->room_offset);
	room->length = board_read(&header->room_length);
	errno = ENOENT;
	if (room->id == 0)
		return -1;
	if (fstat(board->fd, &st) == -1)
		return -1;
	errno = EPROTO;
	if (room->offset != whole_pages(room->offset) || room->length == 0 ||
		room->length > (uint64_t)st.st_size ||
		room->offset > (uint64_t)st.st_size - room->length)
		return -1;
	return map_room(board, room);
}

void room_use(struct board *board, const struct room *room)
{
	assert(room->memory != NULL && room->length > 0);
	board_set(&board->header->room_offset, room->offset);
	board_set(&board->header->room_length, room->length);
	atomic_store_explicit(&board->header->room_id, room->id, memory_order_release);
}

void room_unmap(struct room *room)
{
	if (room->memory != NULL)
		munmap(room->memory, room->length);
	room->memory = NULL;
}

uint64_t room_next(const struct board *board, uint64_t offset, uint64_t length)
{
	off_t next = lseek(board->fd, (off_t)offset, SEEK_DATA);

	if (next == -1 && errno == ENXIO)
		return offset + length;
	/* Where nobody can tell, all of it is looked at. */
	if (next == -1 || (uint64_t)next < offset)
		return offset;
	return (uint64_t)next < offset + length ? (uint64_t)next : offset + length;
}
