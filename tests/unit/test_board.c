/* The board: what is counted is never lost and never counted twice, whoever dies; and nothing but a
 * board is taken for one. */
#include "config.h"

#include "board/board.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "../../src/board/form.h"
#include "base/memory.h"
#include "maps.h"

#define PLACES 8

static int setup(void **state)
{
	*state = board_new(PLACES);
	return *state != NULL ? 0 : -1;
}

static int teardown(void **state)
{
	board_free(*state);
	return 0;
}

static uint64_t total_requests(struct board *board)
{
	struct board_tally total;

	board_total(board, &total);
	return total.counts[BOARD_REQUESTS];
}

static void count_requests(struct board_place *place, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		board_count(&place->cells.counts[BOARD_REQUESTS]);
		board_count(&place->cells.latency[3]);
	}
}

static void test_counts_outlive_places(void **state)
{
	struct board *board = *state;
	struct board_tally retired = { .counts = { 0 } };
	struct board_place *a = board_take(board, 1, 0), *b = board_take(board, 1, 1);

	count_requests(a, 5);
	count_requests(b, 7);
	board_set(&a->clients, 3);
	assert_int_equal(total_requests(board), 12);
	board_retire(board, a, &retired);
	assert_int_equal(total_requests(board), 12);
	assert_int_equal(retired.counts[BOARD_REQUESTS], 5);
	assert_int_equal(retired.latency[3], 5);

	/* The next one begins with nothing. */
	assert_ptr_equal(board_take(board, 2, 4), a);
	assert_int_equal(a->generation, 2);
	assert_int_equal(a->slot, 4);
	assert_int_equal(a->clients, 0);
	assert_int_equal(a->cells.counts[BOARD_REQUESTS], 0);
	count_requests(a, 1);
	board_retire(board, a, &retired);
	board_retire(board, b, NULL);
	assert_int_equal(retired.counts[BOARD_REQUESTS], 6);
	assert_int_equal(total_requests(board), 13);
}

/* Each counter and each bucket, not only some. */
static void test_everything_is_counted(void **state)
{
	struct board *board = *state;
	struct board_tally total, retired = { .counts = { 0 } };
	struct board_place *a = board_take(board, 1, 0), *b = board_take(board, 1, 1);

	for (uint64_t i = 0; i < BOARD_COUNTERS; i++) {
		board_set(&a->cells.counts[i], 1000 + i);
		board_set(&b->cells.counts[i], 5);
	}
	for (uint64_t i = 0; i < BOARD_LATENCY_BUCKETS; i++) {
		board_set(&a->cells.latency[i], 2000 + i);
		board_set(&b->cells.latency[i], 7);
	}
	for (int death = 0; death < 3; death++) {
		board_total(board, &total);
		for (uint64_t i = 0; i < BOARD_COUNTERS; i++)
			assert_int_equal(total.counts[i], 1005 + i);
		for (uint64_t i = 0; i < BOARD_LATENCY_BUCKETS; i++)
			assert_int_equal(total.latency[i], 2007 + i);
		if (death < 2)
			board_retire(board, death == 0 ? a : b, death == 0 ? &retired : NULL);
	}
	for (uint64_t i = 0; i < BOARD_COUNTERS; i++)
		assert_true(retired.counts[i] == 1000 + i && a->cells.counts[i] == 0);
	for (uint64_t i = 0; i < BOARD_LATENCY_BUCKETS; i++)
		assert_true(retired.latency[i] == 2000 + i && a->cells.latency[i] == 0);
	assert_int_equal(a->clients, 0);
}

/* Whatever the one before left there. */
static void test_a_place_begins_with_zeros(void **state)
{
	struct board *board = *state;
	struct board_place *place = board_take(board, 1, 3);
	struct board_place none;

	memset(place, 0x55, sizeof *place);
	board_retire(board, place, NULL);
	assert_int_equal(place->clients, 0);
	assert_int_equal(place->generation, 0);
	assert_ptr_equal(board_take(board, 6, 2), place);
	assert_int_equal(place->generation, 6);
	assert_int_equal(place->slot, 2);
	place->generation = place->slot = 0;
	memset(&none, 0, sizeof none);
	assert_memory_equal(place, &none, sizeof none);
}

/* --- while the dead are counted --- */

static struct board *write_board;

static void end_write(int signal)
{
	struct board_place *place = board_place_at(write_board, 0);

	(void)signal;
	board_set(&place->cells.counts[BOARD_REQUESTS], 0);
	atomic_store(&write_board->header->seqlock, 8);
}

/* Who reads while the dead are counted would count them twice, or not at all: it reads again, and
 * what it says is of one moment. The clock that ends it here is that of the reader's own work. */
static void test_a_reader_waits_for_the_end_of_a_write(void **state)
{
	const struct itimerval soon = { .it_value = { .tv_usec = 5000 } };
	struct board_place *place;

	(void)state;
	write_board = board_new(20000);
	assert_non_null(write_board);
	place = board_take(write_board, 1, 0);
	assert_non_null(place);
	for (uint32_t i = 1; i < 20000; i++) /* so that a look takes its time */
		assert_non_null(board_take(write_board, 1, i));
	board_set(&write_board->header->retired.counts[BOARD_REQUESTS], 5);
	board_set(&place->cells.counts[BOARD_REQUESTS], 5);
	atomic_store(&write_board->header->seqlock, 7);
	(void)signal(SIGPROF, end_write);
	assert_int_equal(setitimer(ITIMER_PROF, &soon, NULL), 0);
	assert_int_equal(total_requests(write_board), 5);
	(void)signal(SIGPROF, SIG_DFL);
	/* The master may have died in one: then what there is must do. */
	atomic_store(&board_place_at(write_board, 0)->generation, 0);
	board_free(write_board);
	write_board = board_new(1);
	assert_non_null(write_board);
	atomic_store(&write_board->header->seqlock, 7);
	assert_int_equal(total_requests(write_board), 0);
	board_free(write_board);
}

static void hold_write(int signal)
{
	struct board_place *place = board_place_at(write_board, 0);

	(void)signal;
	if (place->generation == 0)
		return;
	board_retire(write_board, place, NULL);
}

/* One that begins and ends while somebody reads is seen, too: the reader has passed the total when
 * it comes to the place. */
static void test_a_reader_sees_that_there_was_a_write(void **state)
{
	const struct itimerval often = { .it_value = { .tv_usec = 1000 },
		.it_interval = { .tv_usec = 1000 } };
	const struct itimerval never = { .it_value = { 0 } };
	uint64_t wanted = 0;

	(void)state;
	write_board = board_new(20000);
	assert_non_null(write_board);
	for (uint32_t i = 0; i < 20000; i++)
		assert_non_null(board_take(write_board, 1, i));
	(void)signal(SIGPROF, hold_write);
	for (int i = 0; i < 30; i++) {
		struct board_place *place = board_place_at(write_board, 0);

		atomic_store(&place->generation, 1);
		count_requests(place, 9);
		wanted += 9;
		assert_int_equal(setitimer(ITIMER_PROF, &often, NULL), 0);
		while (atomic_load(&place->generation) != 0)
			assert_int_equal(total_requests(write_board), wanted);
		assert_int_equal(setitimer(ITIMER_PROF, &never, NULL), 0);
		assert_int_equal(write_board->header->seqlock % 2, 0);
	}
	(void)signal(SIGPROF, SIG_DFL);
	board_free(write_board);
}

/* A master that died in the middle of one is followed by one that begins anew. */
static void test_each_write_ends(void **state)
{
	struct board *board = *state;

	for (uint32_t before = 0; before < 6; before++) {
		struct board_place *place = board_take(board, 1, 0);

		atomic_store(&board->header->seqlock, before);
		board_retire(board, place, NULL);
		assert_int_equal(board->header->seqlock, before / 2 * 2 + 2);
	}
}

static void test_places_run_out(void **state)
{
	struct board *board = *state;
	struct board_place *places[PLACES];

	for (uint32_t i = 0; i < PLACES; i++) {
		places[i] = board_take(board, 1, i);
		assert_non_null(places[i]);
		assert_int_equal(board_number(board, places[i]), i);
		assert_ptr_equal(board_place_at(board, i), places[i]);
		assert_int_equal((uintptr_t)places[i] % 64, 0);
	}
	assert_null(board_take(board, 1, PLACES));
	board_retire(board, places[3], NULL);
	assert_ptr_equal(board_take(board, 1, PLACES), places[3]);
}

/* Another process counts, is killed, and its place goes to the next: the total as a third party
 * sees it only ever grows, and in the end nothing is missing. */
static void test_total_never_goes_back(void **state)
{
	enum { LIVES = 200, EACH = 500 };
	struct board *board = *state, *other;
	uint64_t last = 0;
	pid_t reader;
	int status;

	reader = fork();
	if (reader == 0) {
		other = board_attach(fcntl(board_fd(board), F_DUPFD_CLOEXEC, 0));
		if (other == NULL)
			_exit(2);
		while (last < LIVES * EACH) {
			uint64_t now = total_requests(other);

			if (now < last || now > LIVES * EACH)
				_exit(1);
			last = now;
		}
		_exit(0);
	}
	for (unsigned i = 0; i < LIVES; i++) {
		struct board_place *place = board_take(board, i + 1, 0);
		pid_t worker = fork();

		assert_non_null(place);
		if (worker == 0) {
			count_requests(place, EACH);
			_exit(0);
		}
		assert_int_equal(waitpid(worker, &status, 0), worker);
		board_retire(board, place, NULL);
	}
	assert_int_equal(waitpid(reader, &status, 0), reader);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

/* As after an upgrade in place: what was counted and taken before is there. */
static void test_attach(void **state)
{
	struct board *board = *state, *other;
	struct board_place *place = board_take(board, 1, 0);

	count_requests(place, 4);
	other = board_attach(fcntl(board_fd(board), F_DUPFD_CLOEXEC, 0));
	assert_non_null(other);
	assert_int_equal(board_size(other), PLACES);
	assert_int_equal(total_requests(other), 4);
	assert_int_equal(board_number(other, board_take(other, 1, 1)), 1);
	count_requests(place, 1);
	board_retire(other, board_place_at(other, board_number(board, place)), NULL);
	assert_int_equal(total_requests(board), 5);
	board_free(other);
}

static int copy_of(const struct board *board, size_t *size)
{
	int fd = memfd_create("copy", MFD_CLOEXEC);
	struct stat st;
	char *bytes;

	assert_int_equal(fstat(board_fd(board), &st), 0);
	*size = (size_t)st.st_size;
	bytes = malloc(*size);
	assert_non_null(bytes);
	assert_int_equal(pread(board_fd(board), bytes, *size, 0), *size);
	assert_int_equal(pwrite(fd, bytes, *size, 0), *size);
	free(bytes);
	return fd;
}

static void assert_refused(int fd)
{
	errno = 0;
	assert_null(board_attach(fd));
	assert_int_equal(errno, EPROTO);
	assert_int_equal(close(fd), 0); /* it stayed ours */
}

static void test_attach_refuses(void **state)
{
	struct board *board = *state;
	struct board *copy;
	size_t size;
	int fd, ends[2];

	for (off_t at = 0; at < 32; at++) {
		fd = copy_of(board, &size);
		assert_int_equal(pwrite(fd, "\x7f", 1, at), 1);
		assert_refused(fd);
	}
	fd = copy_of(board, &size);
	assert_int_equal(ftruncate(fd, (off_t)size - 1), 0);
	assert_refused(fd);
	fd = copy_of(board, &size);
	assert_int_equal(ftruncate(fd, (off_t)size + 4096), 0);
	assert_refused(fd);
	fd = memfd_create("empty", MFD_CLOEXEC);
	assert_refused(fd);
	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	close(ends[1]);
	assert_refused(ends[0]);
	assert_null(board_attach(-1));

	copy = board_attach(copy_of(board, &size));
	assert_non_null(copy);
	board_free(copy);
}

/* A program of another version must not take it for its own, and one of this version must: the
 * numbers are those that upgrades meet. */
static void test_the_form_is_what_the_version_says(void **state)
{
	const struct board *board = *state;
	struct stat st;

	assert_memory_equal(&board->header->magic, "tylboard", 8);
	assert_int_equal(board->header->version, 2);
	assert_int_equal(board->header->header_size, sizeof(struct board_header));
	assert_int_equal(board->header->place_size, sizeof(struct board_place));
	assert_int_equal(board->header->place_count, PLACES);
	assert_int_equal(fstat(board_fd(board), &st), 0);
	assert_int_equal(
		st.st_size, board->header->header_size + PLACES * board->header->place_size);
	assert_int_equal((char *)board->places - (char *)board->header, board->header->header_size);
}

/* With room behind the places the file is longer; shorter it must not be. */
static void test_attach_with_room(void **state)
{
	struct board *board = *state, *copy;
	size_t size;
	int fd;

	atomic_store(&board->header->room_id, 1);
	fd = copy_of(board, &size);
	assert_int_equal(ftruncate(fd, (off_t)size + 4096), 0);
	copy = board_attach(fd);
	assert_non_null(copy);
	board_free(copy);
	copy = board_attach(copy_of(board, &size));
	assert_non_null(copy);
	board_free(copy);
	fd = copy_of(board, &size);
	assert_int_equal(ftruncate(fd, (off_t)size - 1), 0);
	assert_refused(fd);
}

static void test_a_board_of_no_places(void **state)
{
	struct board *none = board_new(0), *again;

	(void)state;
	assert_non_null(none);
	assert_null(board_take(none, 1, 0));
	assert_int_equal(total_requests(none), 0);
	again = board_attach(fcntl(board_fd(none), F_DUPFD_CLOEXEC, 0));
	assert_non_null(again);
	board_free(again);
	board_free(none);
}

/* What cannot be made or taken is told, and leaves nothing behind. */
static void test_nothing_is_left_behind(void **state)
{
	struct board *board = *state, *other;
	const unsigned maps = maps_count();
	const int next = maps_next_fd();
	struct rlimit old, none;
	char name[64];
	int fd;

	mem_fail_after(0);
	errno = 0;
	assert_null(board_new(4));
	assert_int_equal(errno, ENOMEM);
	mem_fail_after(-1);
	fd = fcntl(board_fd(board), F_DUPFD_CLOEXEC, 0);
	mem_fail_after(0);
	errno = 0;
	assert_null(board_attach(fd));
	assert_int_equal(errno, ENOMEM);
	mem_fail_after(-1);
	other = board_attach(fd);
	assert_non_null(other);
	assert_int_equal(maps_count(), maps + 1);
	board_free(other);
	other = board_new(4);
	assert_non_null(other);
	board_free(other);
	(void)snprintf(name, sizeof name, "/proc/self/fd/%d", board_fd(board));
	fd = open(name, O_RDONLY | O_CLOEXEC); /* which cannot be mapped to be written */
	assert_null(board_attach(fd));
	assert_int_equal(close(fd), 0);
	fd = memfd_create("tinylb-board-not", MFD_CLOEXEC);
	assert_int_equal(ftruncate(fd, 8192), 0);
	assert_refused(fd);
	errno = 0;
	assert_null(board_attach(-1));
	assert_int_equal(errno, EBADF);
	assert_int_equal(maps_count(), maps);
	assert_int_equal(maps_next_fd(), next);
	board_free(NULL);
	/* nor where no file can be opened */
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &old), 0);
	none = (struct rlimit){ 0, old.rlim_max };
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
	errno = 0;
	other = board_new(4);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &old), 0);
	assert_null(other);
	assert_int_equal(errno, EMFILE);
}

static void test_latency_buckets(void **state)
{
	unsigned last = 0;

	(void)state;
	assert_int_equal(board_latency_bucket(0), 0);
	assert_int_equal(board_latency_bucket(UINT64_MAX), BOARD_LATENCY_BUCKETS - 1);
	assert_int_equal(board_latency_below(BOARD_LATENCY_BUCKETS - 1), UINT64_MAX);
	assert_int_equal(board_latency_below(BOARD_LATENCY_BUCKETS - 2), 33554432);
	for (unsigned i = 0; i + 1 < BOARD_LATENCY_BUCKETS; i++) {
		assert_int_equal(board_latency_bucket(board_latency_below(i) - 1), i);
		assert_int_equal(board_latency_bucket(board_latency_below(i)), i + 1);
	}
	for (uint64_t us = 0; us < 100000; us++) {
		unsigned bucket = board_latency_bucket(us);

		assert_true(bucket == last || bucket == last + 1);
		last = bucket;
	}
}

static void test_pulse_in_words(void **state)
{
	struct pulse pulse = { .beat_us = 0 };
	char text[PULSE_TEXT_SIZE];

	(void)state;
	assert_string_equal(pulse_describe(&pulse, text), "waiting for events");
	pulse_do(&pulse, PULSE_REQUEST, 12);
	assert_string_equal(pulse_describe(&pulse, text), "reading from a client (descriptor 12)");
	pulse_do(&pulse, PULSE_DEADLINES, -1);
	assert_string_equal(pulse_describe(&pulse, text), "looking after deadlines");
	pulse.doing = UINT64_MAX;
	assert_string_equal(pulse_describe(&pulse, text), "nobody knows what");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_counts_outlive_places, setup, teardown),
		cmocka_unit_test_setup_teardown(test_everything_is_counted, setup, teardown),
		cmocka_unit_test_setup_teardown(test_a_place_begins_with_zeros, setup, teardown),
		cmocka_unit_test(test_a_reader_waits_for_the_end_of_a_write),
		cmocka_unit_test(test_a_reader_sees_that_there_was_a_write),
		cmocka_unit_test_setup_teardown(test_each_write_ends, setup, teardown),
		cmocka_unit_test_setup_teardown(
			test_the_form_is_what_the_version_says, setup, teardown),
		cmocka_unit_test_setup_teardown(test_attach_with_room, setup, teardown),
		cmocka_unit_test(test_a_board_of_no_places),
		cmocka_unit_test_setup_teardown(test_nothing_is_left_behind, setup, teardown),
		cmocka_unit_test_setup_teardown(test_places_run_out, setup, teardown),
		cmocka_unit_test_setup_teardown(test_total_never_goes_back, setup, teardown),
		cmocka_unit_test_setup_teardown(test_attach, setup, teardown),
		cmocka_unit_test_setup_teardown(test_attach_refuses, setup, teardown),
		cmocka_unit_test(test_latency_buckets),
		cmocka_unit_test(test_pulse_in_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
