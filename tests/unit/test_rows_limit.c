/* Places that all workers share: however they race for them, there are never more in than may be;
 * and who waits longest is known to all. */
#include "config.h"

#include "board/rows.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define MOST    3
#define RACERS  4
#define ROUNDS  4000
#define COLUMNS 40

struct world {
	struct board *board;
	struct rows *rows;
	uint32_t row, pool;
};

/* What the racers themselves count, at the cost that the rows spare. */
struct truth {
	_Atomic uint32_t in;
	_Atomic uint32_t most;
};

static int setup(void **state)
{
	struct world *w = calloc(1, sizeof *w);

	*state = w;
	w->board = board_new(4);
	w->rows = w->board != NULL ? rows_new(w->board, 8, 4, COLUMNS) : NULL;
	if (w->rows == NULL)
		return -1;
	w->row = rows_take(w->rows, 1, NULL);
	w->pool = rows_take_pool(w->rows, 1);
	return 0;
}

static int teardown(void **state)
{
	struct world *w = *state;

	rows_free(w->rows);
	board_free(w->board);
	free(w);
	return 0;
}

static bool enter(const struct world *w, uint32_t column)
{
	return rows_enter_within(w->rows, ROWS_IN_FLIGHT, w->row, column, MOST);
}

static uint32_t sum(const struct world *w)
{
	return rows_sum(w->rows, ROWS_IN_FLIGHT, w->row);
}

static void test_no_more_than_may_be(void **state)
{
	const struct world *w = *state;
	uint32_t a = rows_take_column(w->rows), b = rows_take_column(w->rows);

	assert_true(enter(w, a));
	assert_true(enter(w, b));
	assert_true(enter(w, b));
	assert_false(enter(w, a));
	assert_false(enter(w, b));
	assert_int_equal(sum(w), MOST);
	rows_leave(rows_gauge(w->rows, ROWS_IN_FLIGHT, w->row, b));
	assert_true(enter(w, a));
	assert_false(enter(w, b));
	/* What the dead had is free. */
	rows_retire(w->rows, a);
	assert_int_equal(sum(w), 1);
	assert_true(enter(w, b));
	assert_true(enter(w, b));
	assert_false(enter(w, b));
}

static void note_most(struct truth *truth, uint32_t in)
{
	uint32_t most = atomic_load(&truth->most);

	while (in > most && !atomic_compare_exchange_weak(&truth->most, &most, in))
		;
}

static void race(const struct world *w, struct truth *truth, uint32_t column)
{
	_Atomic uint32_t *own = rows_gauge(w->rows, ROWS_IN_FLIGHT, w->row, column);

	/* One that never gets in is ended by a signal. */
	(void)alarm(30);
	for (unsigned i = 0; i < ROUNDS;) {
		if (!enter(w, column))
			continue;
		note_most(truth, atomic_fetch_add(&truth->in, 1) + 1);
		/* Now and then somebody else gets the processor meanwhile. */
		if (++i % 64 == 0)
			(void)usleep(1);
		atomic_fetch_sub(&truth->in, 1);
		rows_leave(own);
	}
}

static void test_processes_race(void **state)
{
	const struct world *w = *state;
	struct truth *truth = mmap(
		NULL, sizeof *truth, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	pid_t pids[RACERS];
	int status;

	assert_ptr_not_equal(truth, MAP_FAILED);
	for (unsigned i = 0; i < RACERS; i++) {
		uint32_t column = rows_take_column(w->rows);

		pids[i] = fork();
		assert_int_not_equal(pids[i], -1);
		if (pids[i] == 0) {
			race(w, truth, column);
			_exit(0);
		}
	}
	for (unsigned i = 0; i < RACERS; i++) {
		assert_int_equal(waitpid(pids[i], &status, 0), pids[i]);
		assert_int_equal(status, 0);
	}
	assert_in_range(truth->most, 1, MOST);
	assert_int_equal(sum(w), 0);
	munmap(truth, sizeof *truth);
}

/* Its part goes with it, wherever it was. */
static void test_one_is_killed(void **state)
{
	const struct world *w = *state;
	uint32_t mine = rows_take_column(w->rows), column = rows_take_column(w->rows);
	pid_t pid = fork();

	assert_int_not_equal(pid, -1);
	for (; pid == 0;) {
		if (enter(w, column))
			rows_leave(rows_gauge(w->rows, ROWS_IN_FLIGHT, w->row, column));
	}
	while (sum(w) == 0)
		;
	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	rows_retire(w->rows, column);
	for (int i = 0; i < MOST; i++)
		assert_true(enter(w, mine));
	assert_false(enter(w, mine));
}

static void test_places_in_the_queue(void **state)
{
	const struct world *w = *state;
	uint32_t a = rows_take_column(w->rows), b = rows_take_column(w->rows);

	assert_false(rows_queue_within(w->rows, w->pool, a, 0));
	assert_true(rows_queue_within(w->rows, w->pool, a, 2));
	assert_true(rows_queue_within(w->rows, w->pool, b, 2));
	assert_false(rows_queue_within(w->rows, w->pool, a, 2));
	rows_retire(w->rows, a);
	assert_true(rows_queue_within(w->rows, w->pool, b, 2));
	assert_false(rows_queue_within(w->rows, w->pool, b, 2));
}

static void wait_since(const struct world *w, uint32_t column, uint64_t us)
{
	atomic_store(&rows_pool(w->rows, w->pool, column)->oldest_us, us);
}

static void test_who_waits_longest(void **state)
{
	const struct world *w = *state;
	uint32_t a = rows_take_column(w->rows), b = rows_take_column(w->rows),
		 c = rows_take_column(w->rows);

	assert_int_equal(rows_oldest(w->rows, w->pool, a, 0), 0);
	wait_since(w, a, 10);
	assert_int_equal(rows_oldest(w->rows, w->pool, a, 0), 0); /* oneself */
	wait_since(w, b, 30);
	wait_since(w, c, 20);
	assert_int_equal(rows_oldest(w->rows, w->pool, a, 0), 20);
	assert_int_equal(rows_oldest(w->rows, w->pool, b, 0), 10);
	assert_int_equal(rows_oldest(w->rows, w->pool, b, 10), 20);
	assert_int_equal(rows_oldest(w->rows, w->pool, b, 20), 0);
	rows_retire(w->rows, a);
	assert_int_equal(rows_oldest(w->rows, w->pool, b, 0), 20);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_no_more_than_may_be, setup, teardown),
		cmocka_unit_test_setup_teardown(test_processes_race, setup, teardown),
		cmocka_unit_test_setup_teardown(test_one_is_killed, setup, teardown),
		cmocka_unit_test_setup_teardown(test_places_in_the_queue, setup, teardown),
		cmocka_unit_test_setup_teardown(test_who_waits_longest, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
