/* room.c: room behind the places of the board, which stays where it is, and damaged notes of it
 * that are not believed. */
#include "config.h"

#include "../../src/board/room.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "../../src/board/form.h"
#include "maps.h"

static struct board *board;
static uint64_t page;

static int setup(void **state)
{
	(void)state;
	page = (uint64_t)sysconf(_SC_PAGESIZE);
	board = board_new(4);
	return board != NULL ? 0 : -1;
}

static int teardown(void **state)
{
	(void)state;
	board_free(board);
	return 0;
}

static uint64_t file_size(void)
{
	struct stat st;

	assert_int_equal(fstat(board_fd(board), &st), 0);
	return (uint64_t)st.st_size;
}

static struct room make(size_t length)
{
	struct room room;

	assert_int_equal(room_make(board, length, &room), 0);
	return room;
}

static void test_room_is_whole_pages_of_zeros(void **state)
{
	const size_t lengths[] = { 1, page - 1, page, page + 1, 2 * page };

	(void)state;
	for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
		uint64_t size = file_size();
		struct room room = make(lengths[i]);
		const char *bytes = room.memory;

		assert_true(room.offset >= size && room.offset < size + page);
		assert_true(room.offset % page == 0);
		assert_true(room.length == (lengths[i] + page - 1) / page * page);
		assert_true(file_size() == room.offset + room.length);
		for (size_t at = 0; at < room.length; at++)
			assert_int_equal(bytes[at], 0);
		memset(room.memory, 'x', room.length);
		room_unmap(&room);
		assert_null(room.memory);
		room_unmap(&room);
	}
}

/* Numbers go up, and what is in force is found by others, with all that is in it. */
static void test_the_room_in_force(void **state)
{
	unsigned maps = maps_count();
	struct room first, second, found;

	(void)state;
	errno = 0;
	assert_int_equal(room_map(board, &found), -1);
	assert_int_equal(errno, ENOENT);
	first = make(10);
	assert_int_equal(first.id, 1);
	assert_int_equal(room_map(board, &found), -1); /* not yet */
	memcpy(first.memory, "first", 5);
	room_use(board, &first);
	assert_int_equal(room_map(board, &found), 0);
	assert_true(found.id == 1 && found.offset == first.offset && found.length == first.length);
	assert_memory_equal(found.memory, "first", 5);
	room_unmap(&found);
	second = make(page + 1);
	assert_int_equal(second.id, 2);
	memcpy(second.memory, "second", 6);
	room_use(board, &second);
	assert_int_equal(room_map(board, &found), 0);
	assert_int_equal(found.id, 2);
	assert_memory_equal(found.memory, "second", 6);
	assert_memory_equal(first.memory, "first", 5);
	assert_int_equal(maps_count(), maps + 3);
	room_unmap(&found);
	room_unmap(&second);
	room_unmap(&first);
	assert_int_equal(maps_count(), maps);
}

static void assert_not_believed(uint64_t offset, uint64_t length)
{
	struct room room;

	board_set(&board->header->room_offset, offset);
	board_set(&board->header->room_length, length);
	errno = 0;
	assert_int_equal(room_map(board, &room), -1);
	assert_int_equal(errno, EPROTO);
}

/* The board may be that of another version, or half written. */
static void test_what_is_not_in_the_file_is_not_mapped(void **state)
{
	struct room room = make(3 * page), found;
	uint64_t size = file_size();

	(void)state;
	room_use(board, &room);
	assert_not_believed(room.offset + 1, page);
	assert_not_believed(room.offset - 1, page);
	assert_not_believed(room.offset, 0);
	assert_not_believed(room.offset, size - room.offset + 1);
	assert_not_believed(room.offset + page, 3 * page);
	assert_not_believed(size, page);
	assert_not_believed(size + page, page);
	assert_not_believed(0, size + 1);
	assert_not_believed(room.offset, UINT64_MAX);
	assert_not_believed(UINT64_MAX - page + 1, page);
	/* all that there is may be */
	board_set(&board->header->room_offset, 0);
	board_set(&board->header->room_length, size);
	assert_int_equal(room_map(board, &found), 0);
	room_unmap(&found);
	board_set(&board->header->room_offset, room.offset + 2 * page);
	board_set(&board->header->room_length, page);
	assert_int_equal(room_map(board, &found), 0);
	room_unmap(&found);
	room_unmap(&room);
}

/* With a descriptor that allows neither, or with none at all. */
static void test_what_cannot_be_made_is_told(void **state)
{
	char name[64];
	struct room room = make(page);
	int own = board->fd;

	(void)state;
	room_use(board, &room);
	room_unmap(&room);
	(void)snprintf(name, sizeof name, "/proc/self/fd/%d", own);
	board->fd = open(name, O_RDONLY | O_CLOEXEC);
	assert_int_not_equal(board->fd, -1);
	assert_int_equal(room_make(board, page, &room), -1);
	room.memory = &room;
	assert_int_equal(room_map(board, &room), -1);
	assert_int_equal(errno, EACCES);
	assert_null(room.memory);
	assert_int_equal(close(board->fd), 0);
	board->fd = -1;
	errno = 0;
	assert_int_equal(room_make(board, page, &room), -1);
	assert_int_equal(errno, EBADF);
	errno = 0;
	assert_int_equal(room_map(board, &room), -1);
	assert_int_equal(errno, EBADF);
	assert_true(room_next(board, 5, 10) == 5); /* nobody can tell */
	/* One that could be mapped, but not be made longer. */
	board->fd = memfd_create("sealed", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	assert_int_equal(ftruncate(board->fd, (off_t)page), 0);
	assert_int_equal(fcntl(board->fd, F_ADD_SEALS, F_SEAL_GROW), 0);
	assert_int_equal(room_make(board, page, &room), -1);
	assert_int_equal(errno, EPERM);
	assert_int_equal(close(board->fd), 0);
	board->fd = own;
}

/* Pages that nobody has written to are passed over. */
static void test_where_something_is(void **state)
{
	struct room room = make(20 * page);
	uint64_t at = room.offset, end = room.offset + room.length;

	(void)state;
	assert_true(room_next(board, at, room.length) == end);
	((char *)room.memory)[7 * page + 5] = 1;
	assert_true(room_next(board, at, room.length) == at + 7 * page);
	assert_true(room_next(board, at + page, 2 * page) == at + 3 * page);
	assert_true(room_next(board, at + 7 * page, page) == at + 7 * page);
	assert_true(room_next(board, at + 7 * page + 9, page) == at + 7 * page + 9);
	assert_true(room_next(board, at, 7 * page) == at + 7 * page);
	assert_true(room_next(board, at, 7 * page + 1) == at + 7 * page);
	assert_true(room_next(board, at + 8 * page, 12 * page) == end);
	assert_true(room_next(board, at + 8 * page, page) == at + 9 * page);
	room_unmap(&room);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_room_is_whole_pages_of_zeros, setup, teardown),
		cmocka_unit_test_setup_teardown(test_the_room_in_force, setup, teardown),
		cmocka_unit_test_setup_teardown(
			test_what_is_not_in_the_file_is_not_mapped, setup, teardown),
		cmocka_unit_test_setup_teardown(test_what_cannot_be_made_is_told, setup, teardown),
		cmocka_unit_test_setup_teardown(test_where_something_is, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
