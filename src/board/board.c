/*
 * The memory of the board: a header that says what follows, the total of the dead, and the places.
 * Only the master takes places and retires them; anybody may read at any time.
 */
#include "config.h"

#include "board/board.h"

#include <assert.h>
#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/memory.h"
#include "form.h"

/* A lock inside an atomic would be one that the dead can hold. */
_Static_assert(ATOMIC_LLONG_LOCK_FREE == 2, "64-bit atomics need locks here");

#define BOARD_MAGIC   0x6472616f626c7974u /* "tylboard" */
#define BOARD_VERSION 2

/* A reader tries so often to read between two writes: the master may have died in one. */
#define TRIES_MAX 1000

static size_t length_for(uint32_t places)
{
	return sizeof(struct board_header) + places * sizeof(struct board_place);
}

static struct board_header form(uint32_t places)
{
	return (struct board_header){
		.magic = BOARD_MAGIC,
		.version = BOARD_VERSION,
		.header_size = sizeof(struct board_header),
		.place_size = sizeof(struct board_place),
		.place_count = places,
		.counter_count = BOARD_COUNTERS,
		.bucket_count = BOARD_LATENCY_BUCKETS,
	};
}

/* Maps `length` bytes behind `fd`. NULL with errno. */
static struct board *map(int fd, size_t length)
{
	struct board *board = mem_zalloc(1, sizeof *board);
	void *memory;

	errno = ENOMEM;
	if (board == NULL)
		return NULL;
	memory = mmap(NULL, length, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (memory == MAP_FAILED) {
		mem_free(board);
		return NULL;
	}
	board->header = memory;
	board->places = (struct board_place *)(board->header + 1);
	board->length = length;
	board->fd = fd;
	return board;
}

struct board *board_new(uint32_t places)
{
	int fd = memfd_create("tinylb-board", MFD_CLOEXEC);
	struct board *board = NULL;
	struct board_header header = form(places);

	if (fd != -1 && ftruncate(fd, (off_t)length_for(places)) == 0)
		board = map(fd, length_for(places));
	if (board == NULL) {
		fd_close(&fd);
		return NULL;
	}
	memcpy(board->header, &header, sizeof header);
	return board;
}

/* What the header says must be what this program means, and all of it must be there. */
static bool is_ours(const struct board_header *header, off_t size)
{
	struct board_header ours = form(header->place_count);
	off_t length = (off_t)length_for(header->place_count);

	return memcmp(header, &ours, offsetof(struct board_header, seqlock)) == 0 &&
	       (size == length || (size > length && header->room_id != 0));
}

struct board *board_attach(int fd)
{
	struct stat st;
	struct board *board;

	if (fstat(fd, &st) == -1)
		return NULL;
	errno = EPROTO;
	if (!S_ISREG(st.st_mode) || st.st_size < (off_t)sizeof(struct board_header))
		return NULL;
	board = map(fd, (size_t)st.st_size);
	if (board == NULL || is_ours(board->header, st.st_size))
		return board;
	munmap(board->header, board->length);
	mem_free(board);
	errno = EPROTO;
	return NULL;
}

void board_free(struct board *board)
{
	if (board == NULL)
		return;
	munmap(board->header, board->length);
	fd_close(&board->fd);
	mem_free(board);
}

int board_fd(const struct board *board)
{
	return board->fd;
}

uint32_t board_size(const struct board *board)
{
	return board->header->place_count;
}

struct board_place *board_place_at(struct board *board, uint32_t number)
{
	assert(number < board_size(board));
	return &board->places[number];
}

uint32_t board_number(const struct board *board, const struct board_place *place)
{
	assert(place >= board->places &&
		(const char *)place < (const char *)board->header + board->length);
	return (uint32_t)(place - board->places);
}

static uint32_t places_used(const struct board *board)
{
	return atomic_load_explicit(&board->header->places_used, memory_order_relaxed);
}

struct board_place *board_take(struct board *board, uint32_t generation, uint32_t slot)
{
	assert(generation > 0);
	for (uint32_t i = 0; i < board_size(board); i++) {
		struct board_place *place = &board->places[i];

		if (atomic_load_explicit(&place->generation, memory_order_relaxed) != 0)
			continue;
		/* This also makes the kernel find the memory now, and not when a worker needs it.
		 */
		memset(place, 0, sizeof *place);
		if (i >= places_used(board))
			atomic_store_explicit(
				&board->header->places_used, i + 1, memory_order_relaxed);
		atomic_store_explicit(&place->slot, slot, memory_order_relaxed);
		atomic_store_explicit(&place->generation, generation, memory_order_release);
		return place;
	}
	return NULL;
}

static void add_cells(const struct board_cells *cells, struct board_tally *tally)
{
	for (size_t i = 0; i < BOARD_COUNTERS; i++)
		tally->counts[i] += board_read(&cells->counts[i]);
	for (size_t i = 0; i < BOARD_LATENCY_BUCKETS; i++)
		tally->latency[i] += board_read(&cells->latency[i]);
}

static void store_cells(struct board_cells *cells, const struct board_tally *tally)
{
	for (size_t i = 0; i < BOARD_COUNTERS; i++)
		board_set(&cells->counts[i], tally->counts[i]);
	for (size_t i = 0; i < BOARD_LATENCY_BUCKETS; i++)
		board_set(&cells->latency[i], tally->latency[i]);
}

void board_add_place(const struct board_place *place, struct board_tally *tally)
{
	add_cells(&place->cells, tally);
}

void board_retire(struct board *board, struct board_place *place, struct board_tally *retired)
{
	static const struct board_tally none;
	struct board_header *header = board->header;
	uint32_t seqlock = atomic_load_explicit(&header->seqlock, memory_order_relaxed) | 1;
	struct board_tally total = none;

	if (retired != NULL)
		board_add_place(place, retired);
	add_cells(&header->retired, &total);
	board_add_place(place, &total);
	/* Who reads in between would count the dead twice, or not at all. */
	atomic_store_explicit(&header->seqlock, seqlock, memory_order_relaxed);
	atomic_thread_fence(memory_order_release);
	store_cells(&header->retired, &total);
	store_cells(&place->cells, &none);
	board_set(&place->clients, 0);
	atomic_store_explicit(&place->generation, 0, memory_order_relaxed);
	atomic_store_explicit(&header->seqlock, seqlock + 1, memory_order_release);
}

void board_total(struct board *board, struct board_tally *total)
{
	struct board_header *header = board->header;
	uint32_t before, after;

	for (int i = 0; i < TRIES_MAX; i++) {
		*total = (struct board_tally){ .counts = { 0 } };
		before = atomic_load_explicit(&header->seqlock, memory_order_acquire);
		add_cells(&header->retired, total);
		for (uint32_t j = 0; j < places_used(board); j++)
			board_add_place(&board->places[j], total);
		atomic_thread_fence(memory_order_acquire);
		after = atomic_load_explicit(&header->seqlock, memory_order_relaxed);
		if (before == after && before % 2 == 0)
			return;
	}
}

uint64_t board_latency_below(unsigned bucket)
{
	assert(bucket < BOARD_LATENCY_BUCKETS);
	if (bucket == BOARD_LATENCY_BUCKETS - 1)
		return UINT64_MAX;
	if (bucket == 0)
		return BOARD_LATENCY_FIRST_US;
	return (bucket % 2 == 1 ? BOARD_LATENCY_FIRST_US * 3 / 2 : BOARD_LATENCY_FIRST_US * 2)
	       << (bucket - 1) / 2;
}
