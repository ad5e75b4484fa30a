/* The board: what is counted is never lost and never counted twice, whoever dies; and nothing but a
 * board is taken for one. */
#include "config.h"

#include "board/board.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

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
		cmocka_unit_test_setup_teardown(test_places_run_out, setup, teardown),
		cmocka_unit_test_setup_teardown(test_total_never_goes_back, setup, teardown),
		cmocka_unit_test_setup_teardown(test_attach, setup, teardown),
		cmocka_unit_test_setup_teardown(test_attach_refuses, setup, teardown),
		cmocka_unit_test(test_latency_buckets),
		cmocka_unit_test(test_pulse_in_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
