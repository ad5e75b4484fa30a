/* The rows of the board: a key keeps its row, what was counted is never lost, what the dead had in
 * flight is gone, and who is called looks. */
#include "config.h"

#include "board/rows.h"

#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define ROWS    300
#define POOLS   4
#define COLUMNS 40

struct world {
	struct board *board;
	struct rows *rows;
};

static int setup(void **state)
{
	struct world *w = calloc(1, sizeof *w);

	*state = w;
	w->board = board_new(4);
	w->rows = w->board != NULL ? rows_new(w->board, ROWS, POOLS, COLUMNS) : NULL;
	return w->rows != NULL ? 0 : -1;
}

static int teardown(void **state)
{
	struct world *w = *state;

	rows_free(w->rows);
	board_free(w->board);
	free(w);
	return 0;
}

static uint64_t key(unsigned n)
{
	char url[32];

	snprintf(url, sizeof url, "http://10.0.0.1:%u", n);
	return rows_key(slice_of_string("app"), slice_of_string(url), 0);
}

static void test_keys_differ(void **state)
{
	struct slice ab = slice_of_string("ab"), a = slice_of_string("a"), b = slice_of_string("b");
	struct slice none = slice_of(NULL, 0);

	(void)state;
	assert_int_not_equal(rows_key(ab, none, 0), rows_key(a, b, 0));
	assert_int_not_equal(rows_key(a, b, 0), rows_key(a, b, 1));
	assert_int_not_equal(rows_key(a, b, 0), rows_key(b, a, 0));
	assert_int_equal(rows_key(a, b, 7), rows_key(a, b, 7));
}

static void test_a_key_keeps_its_row(void **state)
{
	struct rows *rows = ((struct world *)*state)->rows;
	uint32_t got[ROWS];
	bool is_new;

	for (unsigned i = 0; i < ROWS; i++) {
		got[i] = rows_take(rows, key(i), &is_new);
		assert_true(is_new);
		assert_true(got[i] < ROWS);
	}
	assert_int_equal(rows_take(rows, key(ROWS), NULL), ROWS_NONE);
	for (unsigned i = 0; i < ROWS; i++) {
		assert_int_equal(rows_take(rows, key(i), &is_new), got[i]);
		assert_false(is_new);
	}
	/* Each was taken twice: the first drop frees nothing. */
	rows_drop(rows, got[7]);
	assert_int_equal(rows_take(rows, key(ROWS), NULL), ROWS_NONE);
	rows_drop(rows, got[7]);
	assert_int_equal(rows_take(rows, key(ROWS), &is_new), got[7]);
	assert_true(is_new);
}

static void test_pools_have_rows(void **state)
{
	struct rows *rows = ((struct world *)*state)->rows;

	for (unsigned i = 0; i < POOLS; i++)
		assert_int_equal(rows_take_pool(rows, key(i)), i);
	assert_int_equal(rows_take_pool(rows, key(POOLS)), ROWS_NONE);
	assert_int_equal(rows_take_pool(rows, key(2)), 2);
	rows_drop_pool(rows, 2);
	rows_drop_pool(rows, 2);
	assert_int_equal(rows_take_pool(rows, key(POOLS)), 2);
}

static void test_gauges_add_up(void **state)
{
	struct rows *rows = ((struct world *)*state)->rows;
	uint32_t row = rows_take(rows, key(1), NULL), other = rows_take(rows, key(2), NULL);

	for (uint32_t i = 0; i < COLUMNS; i++) {
		uint32_t column = rows_take_column(rows);

		assert_int_equal(column, i);
		for (uint32_t n = 0; n <= i; n++)
			rows_enter(rows_gauge(rows, ROWS_IN_FLIGHT, row, column));
		rows_enter(rows_gauge(rows, ROWS_CONNECTIONS, row, column));
	}
	assert_int_equal(rows_take_column(rows), ROWS_NONE);
	assert_int_equal(rows_sum(rows, ROWS_IN_FLIGHT, row), COLUMNS * (COLUMNS + 1) / 2);
	assert_int_equal(rows_sum(rows, ROWS_CONNECTIONS, row), COLUMNS);
	assert_int_equal(rows_sum(rows, ROWS_IN_FLIGHT, other), 0);
	for (uint32_t i = 0; i < COLUMNS; i++)
		rows_retire(rows, i);
	assert_int_equal(rows_sum(rows, ROWS_IN_FLIGHT, row), 0);
	assert_int_equal(rows_sum(rows, ROWS_CONNECTIONS, row), 0);
	assert_int_equal(rows_take_column(rows), 0);
}

static void test_gauges_do_not_go_below_zero(void **state)
{
	struct rows *rows = ((struct world *)*state)->rows;
	uint32_t row = rows_take(rows, key(1), NULL), column = rows_take_column(rows);
	_Atomic uint32_t *gauge = rows_gauge(rows, ROWS_IN_FLIGHT, row, column);

	rows_leave(gauge);
	assert_int_equal(rows_sum(rows, ROWS_IN_FLIGHT, row), 0);
	rows_enter(gauge);
	rows_leave(gauge);
	assert_int_equal(rows_sum(rows, ROWS_IN_FLIGHT, row), 0);
}

static uint64_t requests(const struct rows *rows, uint32_t row)
{
	struct rows_tally total;

	rows_total(rows, row, &total);
	assert_int_equal(total.counts[ROWS_REQUESTS], total.latency[5]);
	return total.counts[ROWS_REQUESTS];
}

static void count_requests(struct rows *rows, uint32_t row, uint32_t column, unsigned n)
{
	struct rows_cells *cells = rows_cells(rows, row, column);

	for (unsigned i = 0; i < n; i++) {
		board_count(&cells->counts[ROWS_REQUESTS]);
		board_count(&cells->latency[5]);
	}
}

static void test_the_dead_are_counted(void **state)
{
	struct rows *rows = ((struct world *)*state)->rows;
	uint32_t a = rows_take_column(rows), b = rows_take_column(rows);
	uint32_t row[ROWS];

	for (unsigned i = 0; i < ROWS; i++)
		row[i] = rows_take(rows, key(i), NULL);
	/* Far apart, so that there are pages in between that nobody has used. */
	for (unsigned i = 3; i < ROWS; i += 97) {
		count_requests(rows, row[i], a, i);
		count_requests(rows, row[i], b, 1);
	}
	for (int death = 0; death < 3; death++) {
		rows_retire(rows, a);
		assert_int_equal(rows_take_column(rows), a);
		for (unsigned i = 0; i < ROWS; i++)
			assert_int_equal(requests(rows, row[i]), i % 97 == 3 ? i + 1 : 0);
	}
	count_requests(rows, row[3], a, 5);
	rows_retire(rows, a);
	rows_retire(rows, b);
	assert_int_equal(requests(rows, row[3]), 9);
}

static void test_who_comes_later_begins_with_nothing(void **state)
{
	struct rows *rows = ((struct world *)*state)->rows;
	uint32_t column = rows_take_column(rows), row = rows_take(rows, key(1), NULL);

	count_requests(rows, row, column, 5);
	rows_set_health(rows, row, (struct rows_health){ ROWS_DOWN, 26, 9 });
	rows_retire(rows, column);
	rows_drop(rows, row);
	assert_int_equal(rows_take(rows, key(2), NULL), row);
	assert_int_equal(requests(rows, row), 0);
	assert_int_equal(rows_health(rows, row).state, ROWS_READY);
	assert_int_equal(rows_health(rows, row).share, ROWS_FULL_SHARE);
}

static void test_health_is_published(void **state)
{
	struct rows *rows = ((struct world *)*state)->rows;
	struct rows_health set = { ROWS_EJECTED, 77, ((uint64_t)1 << 40) - 2 }, got;
	uint32_t row = rows_take(rows, key(1), NULL), version = rows_version(rows);

	rows_set_health(rows, row, set);
	assert_int_equal(rows_version(rows), version);
	rows_publish(rows);
	assert_int_not_equal(rows_version(rows), version);
	got = rows_health(rows, row);
	assert_int_equal(got.state, set.state);
	assert_int_equal(got.share, set.share);
	assert_int_equal(got.epoch, set.epoch);
}

/* As after an upgrade: another process has nothing but the board. */
static void test_attached_rows_are_the_same(void **state)
{
	struct world *w = *state;
	uint32_t row = rows_take(w->rows, key(1), NULL), gone = rows_take(w->rows, key(2), NULL);
	uint32_t column = rows_take_column(w->rows);
	struct rows *again;
	bool is_new;

	count_requests(w->rows, row, column, 3);
	rows_set_health(w->rows, row, (struct rows_health){ ROWS_DOWN, 256, 4 });
	again = rows_attach(w->board);
	assert_non_null(again);
	assert_int_equal(rows_id(again), rows_id(w->rows));
	assert_memory_equal(rows_secret(again), rows_secret(w->rows), 16);
	assert_int_equal(rows_take(again, key(1), &is_new), row);
	assert_false(is_new);
	assert_int_equal(rows_health(again, row).state, ROWS_DOWN);
	assert_int_equal(requests(again, row), 3);
	assert_int_not_equal(rows_take_column(again), column);
	/* What nobody takes is free once those of before are gone, and not earlier. */
	assert_int_not_equal(rows_take(again, key(3), NULL), gone);
	rows_settle(again);
	assert_int_equal(rows_take(again, key(4), &is_new), gone);
	assert_true(is_new);
	assert_int_equal(rows_take(again, key(1), NULL), row);
	rows_free(again);
}

static void test_larger_rows_take_over(void **state)
{
	struct world *w = *state;
	uint32_t row = rows_take(w->rows, key(5), NULL), column = rows_take_column(w->rows);
	struct rows *larger, *again;
	uint32_t moved;
	bool is_new;

	count_requests(w->rows, row, column, 3);
	rows_set_health(w->rows, row, (struct rows_health){ ROWS_REFUSING, 256, 4 });
	larger = rows_new(w->board, 2 * ROWS, POOLS, 2 * COLUMNS);
	assert_non_null(larger);
	assert_int_not_equal(rows_id(larger), rows_id(w->rows));
	assert_memory_equal(rows_secret(larger), rows_secret(w->rows), 16);
	moved = rows_take(larger, key(5), &is_new);
	assert_false(is_new);
	rows_settle(larger);
	assert_int_equal(requests(larger, moved), 3);
	assert_int_equal(rows_health(larger, moved).state, ROWS_REFUSING);
	/* Who has the old ones goes on with them. */
	count_requests(w->rows, row, column, 1);
	assert_int_equal(requests(w->rows, row), 4);
	again = rows_attach(w->board);
	assert_int_equal(rows_size(again), 2 * ROWS);
	rows_free(again);
	rows_free(larger);
}

/* A generation that comes to nothing leaves them as they are, and the next one begins with that. */
static void test_what_was_carried_over_twice_ends_once(void **state)
{
	struct world *w = *state;
	struct rows *larger;
	bool is_new;

	(void)rows_take(w->rows, key(5), NULL);
	larger = rows_new(w->board, 2 * ROWS, POOLS, 2 * COLUMNS);
	assert_non_null(larger);
	rows_carry_over(larger, w->rows);
	rows_settle(larger);
	(void)rows_take(larger, key(5), &is_new);
	assert_true(is_new);
	rows_free(larger);
}

static bool is_called(const struct rows *rows)
{
	struct pollfd p = { .fd = rows_alarm_fd(rows), .events = POLLIN };

	return poll(&p, 1, 0) == 1;
}

static void test_an_alarm_wakes_once(void **state)
{
	struct rows *rows = ((struct world *)*state)->rows;
	uint32_t a = rows_take_column(rows), b = rows_take_column(rows);
	const struct rows_alarms *alarms = rows_alarms(rows, a);

	assert_false(is_called(rows));
	rows_alarm(rows, a, 7);
	assert_true(is_called(rows));
	assert_int_equal(alarms->count, 1);
	assert_int_equal(alarms->rows[0], 7);
	rows_hear(rows);
	assert_false(is_called(rows));
	/* Any number until it looks: each of them calls once. */
	for (uint32_t i = 0; i < 2 * ROWS_ALARMS; i++)
		rows_alarm(rows, a, i);
	rows_alarm(rows, b, 1);
	assert_true(is_called(rows));
	rows_hear(rows);
	assert_false(is_called(rows));
	rows_alarm(rows, a, 9);
	assert_true(is_called(rows));
	rows_hear(rows);
	rows_hear(rows);
	rows_retire(rows, a);
	assert_int_equal(rows_take_column(rows), a);
	/* Its count goes on: the monitor tells news from what it has heard by that. */
	rows_alarm(rows, a, 9);
	assert_int_equal(alarms->count, 2 * ROWS_ALARMS + 3);
	assert_true(is_called(rows));
}

/* The same memory, whichever process writes. */
static void test_processes_share_them(void **state)
{
	struct rows *rows = ((struct world *)*state)->rows;
	uint32_t row = rows_take(rows, key(1), NULL), column = rows_take_column(rows);
	pid_t pid = fork();
	int status;

	if (pid == 0) {
		rows_enter(rows_gauge(rows, ROWS_IN_FLIGHT, row, column));
		count_requests(rows, row, column, 1);
		rows_alarm(rows, column, row);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(rows_sum(rows, ROWS_IN_FLIGHT, row), 1);
	assert_int_equal(requests(rows, row), 1);
	assert_true(is_called(rows));
	rows_retire(rows, column);
	assert_int_equal(rows_sum(rows, ROWS_IN_FLIGHT, row), 0);
	assert_int_equal(requests(rows, row), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_keys_differ),
		cmocka_unit_test_setup_teardown(test_a_key_keeps_its_row, setup, teardown),
		cmocka_unit_test_setup_teardown(test_pools_have_rows, setup, teardown),
		cmocka_unit_test_setup_teardown(test_gauges_add_up, setup, teardown),
		cmocka_unit_test_setup_teardown(test_gauges_do_not_go_below_zero, setup, teardown),
		cmocka_unit_test_setup_teardown(test_the_dead_are_counted, setup, teardown),
		cmocka_unit_test_setup_teardown(
			test_who_comes_later_begins_with_nothing, setup, teardown),
		cmocka_unit_test_setup_teardown(test_health_is_published, setup, teardown),
		cmocka_unit_test_setup_teardown(test_attached_rows_are_the_same, setup, teardown),
		cmocka_unit_test_setup_teardown(test_larger_rows_take_over, setup, teardown),
		cmocka_unit_test_setup_teardown(
			test_what_was_carried_over_twice_ends_once, setup, teardown),
		cmocka_unit_test_setup_teardown(test_an_alarm_wakes_once, setup, teardown),
		cmocka_unit_test_setup_teardown(test_processes_share_them, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
