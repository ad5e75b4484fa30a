/* The rows of the board: a key keeps its row, what was counted is never lost, what the dead had in
 * flight is gone, and who is called looks. */
#include "config.h"

#include "board/rows.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "../../src/board/form.h"
#include "../../src/board/rows_form.h"
#include "base/memory.h"
#include "maps.h"

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

/* An upgrade finds its backends by these: another version must make the same. */
static void test_keys_stay_what_they_are(void **state)
{
	struct slice pool = slice_of_string("app"), url = slice_of_string("http://10.0.0.1:80");

	(void)state;
	assert_true(rows_key(pool, url, 0) == UINT64_C(0x3161bca38407d3c1));
	assert_true(rows_key(pool, url, 3) == UINT64_C(0x202e56dea510df58));
	assert_true(rows_key(pool, slice_of(NULL, 0), 0) == UINT64_C(0x317a93209b3282fd));
}

/* --- where what is --- */

/* Goes through all cells of all parts: gives each a number of its own, or asks for it. What is of
 * `dead` is asked to be zero. */
static void walk(struct rows *rows, bool set, uint32_t dead)
{
	const struct rows_header *h = rows->header;
	uint64_t n = 1;

	for (uint32_t column = 0; column < h->columns; column++) {
		for (uint32_t row = 0; row < h->rows; row++) {
			struct rows_cells *cells = rows_cells(rows, row, column);

			for (int gauge = 0; gauge < ROWS_GAUGES; gauge++, n++) {
				_Atomic uint32_t *cell =
					rows_gauge(rows, (enum rows_gauge)gauge, row, column);

				if (set)
					*cell = (uint32_t)n;
				assert_int_equal(*cell, column == dead ? 0 : n);
			}
			for (size_t i = 0; i < ROWS_COUNTS; i++, n++) {
				if (set)
					cells->counts[i] = n;
				assert_int_equal(cells->counts[i], column == dead ? 0 : n);
			}
			for (size_t i = 0; i < BOARD_LATENCY_BUCKETS; i++, n++) {
				if (set)
					cells->latency[i] = n;
				assert_int_equal(cells->latency[i], column == dead ? 0 : n);
			}
		}
		for (uint32_t pool = 0; pool < h->pools; pool++, n += 2) {
			struct rows_pool *cell = rows_pool(rows, pool, column);

			if (set)
				cell->oldest_us = cell->seconds[ROWS_SECONDS - 1].retries =
					(uint32_t)n;
			assert_int_equal(cell->oldest_us, column == dead ? 0 : n);
			assert_int_equal(
				cell->seconds[ROWS_SECONDS - 1].retries, column == dead ? 0 : n);
		}
		if (set)
			rows_alarms(rows, column)->rows[ROWS_ALARMS - 1] = (uint32_t)n;
		assert_int_equal(rows_alarms(rows, column)->rows[ROWS_ALARMS - 1], n);
		n++;
	}
	for (uint32_t row = 0; row < h->rows; row++, n++) {
		if (set) {
			rows_notes(rows, row)->until_us = rows_notes(rows, row)->against = n;
			rows_set_health(rows, row, (struct rows_health){ ROWS_DOWN, 7, n });
		}
		assert_int_equal(rows_notes(rows, row)->until_us, n);
		assert_int_equal(rows_notes(rows, row)->against, n);
		assert_int_equal(rows_health(rows, row).epoch, n);
		assert_int_equal(rows_health(rows, row).share, 7);
	}
}

static void assert_page(const void *part)
{
	assert_int_equal((uintptr_t)part % 4096, 0);
}

/* No two cells are one, all are within their room, and each part begins a page: what is written
 * seldom lies in no line with what is written always. When a worker dies nothing but its own cells
 * is zeroed. */
static void test_each_cell_is_somewhere_else(void **state)
{
	static const uint32_t forms[][3] = { { 1, 1, 1 }, { 2, 3, 16 }, { 5, 2, 17 }, { 7, 1, 32 },
		{ 64, 40, 15 }, { 512, 1, 1 }, { 90, 9, 33 } };

	(void)state;
	for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++) {
		struct board *board = board_new(1);
		struct rows *rows = rows_new(board, forms[i][0], forms[i][1], forms[i][2]);
		const char *end;

		assert_non_null(rows);
		assert_int_equal(rows_size(rows), forms[i][0]);
		assert_int_equal(rows_columns(rows), forms[i][2]);
		assert_int_equal(rows_columns_used(rows), 0);
		assert_page(rows->health);
		assert_page(rows->keys);
		assert_page(rows->taken);
		assert_page(rows->alarms);
		assert_page(rows->gauges);
		assert_page(rows->pool);
		assert_page(rows->retired);
		assert_page(rows->cells);
		assert_page(rows->notes);
		end = (char *)rows->room.memory + rows->room.length;
		assert_true((char *)(rows_notes(rows, forms[i][0] - 1) + 1) <= end);
		for (uint32_t k = 0; k < forms[i][0]; k++)
			assert_int_equal(rows_take(rows, key(k), NULL), k);
		for (uint32_t k = 0; k < forms[i][1]; k++)
			assert_int_equal(rows_take_pool(rows, 1000 + k), k);
		for (uint32_t k = 0; k < forms[i][2]; k++) {
			assert_int_equal(rows_take_column(rows), k);
			assert_int_equal(rows_columns_used(rows), k + 1);
		}
		assert_int_equal(rows_take_column(rows), ROWS_NONE);
		walk(rows, true, ROWS_NONE);
		walk(rows, false, ROWS_NONE);
		rows_retire(rows, forms[i][2] / 2);
		walk(rows, false, forms[i][2] / 2);
		for (uint32_t k = 0; k < forms[i][0]; k++)
			assert_int_equal(rows_take(rows, key(k), NULL), k);
		assert_int_equal(rows_take_column(rows), forms[i][2] / 2);
		rows_free(rows);
		board_free(board);
	}
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

/* What neighbours have is theirs. */
static void test_a_sum_is_of_one_row(void **state)
{
	struct rows *rows = ((struct world *)*state)->rows;
	uint32_t row = rows_take(rows, key(1), NULL), other = rows_take(rows, key(2), NULL);

	assert_int_equal(other, row + 1);
	for (uint32_t column = 0; column < COLUMNS; column++)
		rows_enter(rows_gauge(rows, ROWS_IN_FLIGHT, other, rows_take_column(rows)));
	assert_int_equal(rows_sum(rows, ROWS_IN_FLIGHT, row), 0);
	assert_int_equal(rows_sum(rows, ROWS_IN_FLIGHT, other), COLUMNS);
	assert_int_equal(rows_sum(rows, ROWS_CONNECTIONS, other), 0);
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

static void set_notes(struct rows *rows, uint32_t row, uint64_t from)
{
	struct rows_notes *notes = rows_notes(rows, row);

	notes->until_us = from;
	notes->well_us = from + 1;
	notes->next_ms = from + 2;
	notes->against = from + 3;
}

static void assert_notes(struct rows *rows, uint32_t row, uint64_t from, uint64_t step)
{
	const struct rows_notes *notes = rows_notes(rows, row);

	assert_int_equal(notes->until_us, from);
	assert_int_equal(notes->well_us, from + step);
	assert_int_equal(notes->next_ms, from + 2 * step);
	assert_int_equal(notes->against, from + 3 * step);
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
	/* What lies right behind the cells of `a` is not of the dead. */
	count_requests(rows, row[0], b, 4);
	for (int death = 0; death < 3; death++) {
		rows_retire(rows, a);
		assert_int_equal(rows_take_column(rows), a);
		for (unsigned i = 0; i < ROWS; i++)
			assert_int_equal(requests(rows, row[i]), i == 0        ? 4
								 : i % 97 == 3 ? i + 1
									       : 0);
		assert_int_equal(rows_cells(rows, row[0], b)->counts[ROWS_REQUESTS], 4);
		for (unsigned i = 0; i < ROWS; i++)
			assert_int_equal(rows_cells(rows, row[i], a)->counts[ROWS_REQUESTS], 0);
	}
	count_requests(rows, row[3], a, 5);
	rows_retire(rows, a);
	rows_retire(rows, b);
	assert_int_equal(requests(rows, row[3]), 9);
}

static void fill_cells(struct rows_cells *cells, uint64_t from)
{
	for (uint64_t i = 0; i < ROWS_COUNTS; i++)
		board_set(&cells->counts[i], from + i);
	for (uint64_t i = 0; i < BOARD_LATENCY_BUCKETS; i++)
		board_set(&cells->latency[i], from + 100 + i);
}

static void assert_total(const struct rows *rows, uint32_t row, uint64_t times, uint64_t from)
{
	struct rows_tally total;

	rows_total(rows, row, &total);
	for (uint64_t i = 0; i < ROWS_COUNTS; i++)
		assert_int_equal(total.counts[i], from + times * i);
	for (uint64_t i = 0; i < BOARD_LATENCY_BUCKETS; i++)
		assert_int_equal(total.latency[i], from + times * (100 + i));
}

/* Each counter and each bucket, of the living, of the dead, and in larger rows. */
static void test_everything_is_counted(void **state)
{
	struct world *w = *state;
	uint32_t row = rows_take(w->rows, key(1), NULL);
	uint32_t a = rows_take_column(w->rows), b = rows_take_column(w->rows);
	struct rows *larger;

	fill_cells(rows_cells(w->rows, row, a), 1000);
	fill_cells(rows_cells(w->rows, row, b), 1);
	assert_total(w->rows, row, 2, 1001);
	rows_retire(w->rows, a);
	assert_total(w->rows, row, 2, 1001);
	/* The next worker with this column begins at zero. */
	assert_int_equal(rows_take_column(w->rows), a);
	for (size_t i = 0; i < ROWS_COUNTS; i++)
		assert_int_equal(rows_cells(w->rows, row, a)->counts[i], 0);
	fill_cells(rows_cells(w->rows, row, a), 50);
	rows_retire(w->rows, a);
	rows_retire(w->rows, b);
	assert_total(w->rows, row, 3, 1051);
	larger = rows_new(w->board, 2 * ROWS, POOLS, COLUMNS);
	assert_non_null(larger);
	assert_total(larger, rows_take(larger, key(1), NULL), 3, 1051);
	rows_free(larger);
}

/* A worker that had one request to a backend has counted, too. */
static void test_one_request_is_counted(void **state)
{
	struct rows *rows = ((struct world *)*state)->rows;
	uint32_t row = rows_take(rows, key(1), NULL), column = rows_take_column(rows);

	count_requests(rows, row, column, 1);
	rows_retire(rows, column);
	assert_int_equal(requests(rows, row), 1);
	assert_int_equal(rows_cells(rows, row, column)->counts[ROWS_REQUESTS], 0);
}

/* --- while the dead are counted --- */

static struct rows *seqlock_rows;

static void end_write(int signal)
{
	(void)signal;
	board_set(&rows_cells(seqlock_rows, 0, 0)->counts[ROWS_REQUESTS], 0);
	atomic_store(&seqlock_rows->header->seqlock, 8);
}

static uint64_t all_requests(void)
{
	struct rows_tally total;

	rows_total(seqlock_rows, 0, &total);
	return total.counts[ROWS_REQUESTS];
}

#define CROWD 20000

static struct board *begin_seqlock(void)
{
	struct board *board = board_new(1);

	seqlock_rows = rows_new(board, 1, 1, CROWD);
	assert_non_null(seqlock_rows);
	assert_int_equal(rows_take(seqlock_rows, key(1), NULL), 0);
	for (uint32_t i = 0; i < CROWD; i++) /* so that a look takes its time */
		assert_int_equal(rows_take_column(seqlock_rows), i);
	return board;
}

static void end_seqlock(struct board *board)
{
	(void)signal(SIGPROF, SIG_DFL);
	rows_free(seqlock_rows);
	board_free(board);
}

/* Who reads while the dead are counted would count them twice, or not at all: it reads again. The
 * clock that ends it here is that of the reader's own work. */
static void test_a_reader_waits_for_the_end_of_a_write(void **state)
{
	const struct itimerval soon = { .it_value = { .tv_usec = 5000 } };
	struct board *board = begin_seqlock();

	(void)state;
	board_set(&seqlock_rows->retired[0].counts[ROWS_REQUESTS], 5);
	board_set(&rows_cells(seqlock_rows, 0, 0)->counts[ROWS_REQUESTS], 5);
	atomic_store(&seqlock_rows->header->seqlock, 7);
	(void)signal(SIGPROF, end_write);
	assert_int_equal(setitimer(ITIMER_PROF, &soon, NULL), 0);
	assert_int_equal(all_requests(), 5);
	end_seqlock(board);
}

static void hold_write(int signal)
{
	(void)signal;
	if (atomic_load(&seqlock_rows->taken[0]) != 0)
		rows_retire(seqlock_rows, 0);
}

/* One that begins and ends while somebody reads is seen, too. */
static void test_a_reader_sees_that_there_was_a_write(void **state)
{
	const struct itimerval often = { .it_value = { .tv_usec = 1000 },
		.it_interval = { .tv_usec = 1000 } };
	const struct itimerval never = { .it_value = { 0 } };
	struct board *board = begin_seqlock();
	uint64_t wanted = 0;

	(void)state;
	(void)signal(SIGPROF, hold_write);
	for (int i = 0; i < 30; i++) {
		atomic_store(&seqlock_rows->taken[0], 1);
		count_requests(seqlock_rows, 0, 0, 9);
		wanted += 9;
		assert_int_equal(setitimer(ITIMER_PROF, &often, NULL), 0);
		while (atomic_load(&seqlock_rows->taken[0]) != 0)
			assert_int_equal(all_requests(), wanted);
		assert_int_equal(setitimer(ITIMER_PROF, &never, NULL), 0);
	}
	end_seqlock(board);
}

static unsigned seen_in_the_middle;

#define MANY_ROWS 30000

/* As another process would, who looks without asking. */
static void look_at_write(int signal)
{
	uint64_t moved = 0;

	(void)signal;
	for (uint32_t row = 0; row < MANY_ROWS; row++)
		moved += rows_cells(seqlock_rows, row, 0)->counts[ROWS_REQUESTS] == 0;
	if (moved == 0 || moved == MANY_ROWS)
		return;
	seen_in_the_middle++;
	assert_int_equal(atomic_load(&seqlock_rows->header->seqlock) % 2, 1);
}

/* As long as only some of what the dead have counted is moved everybody can see that. */
static void test_a_write_is_seen_while_it_lasts(void **state)
{
	const struct itimerval often = { .it_value = { .tv_usec = 1000 },
		.it_interval = { .tv_usec = 1000 } };
	const struct itimerval never = { .it_value = { 0 } };
	struct board *board = board_new(1);

	(void)state;
	seen_in_the_middle = 0;
	seqlock_rows = rows_new(board, MANY_ROWS, 1, 1);
	assert_non_null(seqlock_rows);
	for (uint32_t row = 0; row < MANY_ROWS; row++)
		assert_int_equal(rows_take(seqlock_rows, key(row), NULL), row);
	(void)signal(SIGPROF, look_at_write);
	for (int i = 0; i < 100 && seen_in_the_middle < 2; i++) {
		assert_int_equal(rows_take_column(seqlock_rows), 0);
		for (uint32_t row = 0; row < MANY_ROWS; row++)
			count_requests(seqlock_rows, row, 0, 1);
		assert_int_equal(setitimer(ITIMER_PROF, &often, NULL), 0);
		rows_retire(seqlock_rows, 0);
		assert_int_equal(setitimer(ITIMER_PROF, &never, NULL), 0);
	}
	print_message("    seen in the middle: %u\n", seen_in_the_middle);
	end_seqlock(board);
}

/* A master that died in the middle of one is followed by one that begins anew. */
static void test_each_write_ends(void **state)
{
	struct rows *rows = ((struct world *)*state)->rows;

	for (uint32_t before = 0; before < 6; before++) {
		atomic_store(&rows->header->seqlock, before);
		rows_retire(rows, rows_take_column(rows));
		assert_int_equal(rows->header->seqlock, before / 2 * 2 + 2);
	}
}

static void test_who_comes_later_begins_with_nothing(void **state)
{
	struct rows *rows = ((struct world *)*state)->rows;
	uint32_t column = rows_take_column(rows), row = rows_take(rows, key(1), NULL);

	count_requests(rows, row, column, 5);
	set_notes(rows, row, 9);
	rows_set_health(rows, row, (struct rows_health){ ROWS_DOWN, 26, 9 });
	rows_retire(rows, column);
	rows_drop(rows, row);
	assert_int_equal(rows_take(rows, key(2), NULL), row);
	assert_int_equal(requests(rows, row), 0);
	assert_int_equal(rows_health(rows, row).state, ROWS_READY);
	assert_int_equal(rows_health(rows, row).share, ROWS_FULL_SHARE);
	assert_int_equal(rows_health(rows, row).epoch, 0);
	assert_notes(rows, row, 0, 0);
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
	set_notes(w->rows, row, 40);
	assert_int_equal(rows_id(w->rows), 1);
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
	assert_notes(larger, moved, 40, 1);
	assert_int_equal(rows_id(larger), 2);
	/* and nothing that was not there */
	for (uint32_t i = 0; i < 2 * ROWS - 1; i++)
		assert_int_not_equal(rows_take(larger, 77000 + i, NULL), ROWS_NONE);
	/* Who has the old ones goes on with them. */
	count_requests(w->rows, row, column, 1);
	assert_int_equal(requests(w->rows, row), 4);
	again = rows_attach(w->board);
	assert_int_equal(rows_size(again), 2 * ROWS);
	rows_free(again);
	rows_free(larger);
}

/* All rows that were in use, no free ones, and no pools. */
static void test_rows_that_were_in_use_take_over(void **state)
{
	struct world *w = *state;
	struct rows *larger;
	bool is_new;

	for (unsigned i = 0; i < 5; i++)
		(void)rows_take(w->rows, key(i), NULL);
	rows_drop(w->rows, 2);
	(void)rows_take_pool(w->rows, key(900));
	larger = rows_new(w->board, ROWS, POOLS, COLUMNS);
	assert_non_null(larger);
	for (unsigned i = 0; i < ROWS - 4; i++)
		assert_int_not_equal(rows_take(larger, key(1000 + i), NULL), ROWS_NONE);
	assert_int_equal(rows_take(larger, key(2), NULL), ROWS_NONE);
	for (unsigned i = 0; i < 5; i++) {
		if (i == 2)
			continue;
		assert_int_not_equal(rows_take(larger, key(i), &is_new), ROWS_NONE);
		assert_false(is_new);
	}
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

/* Pools, too, stay until it is settled who goes on. */
static void test_pools_of_before_go_when_it_is_settled(void **state)
{
	struct world *w = *state;
	struct rows *again;

	for (unsigned i = 0; i < POOLS; i++)
		assert_int_equal(rows_take_pool(w->rows, key(i)), i);
	again = rows_attach(w->board);
	assert_non_null(again);
	assert_int_equal(rows_take_pool(again, key(1)), 1);
	assert_int_equal(rows_take_pool(again, key(POOLS)), ROWS_NONE);
	rows_settle(again);
	for (unsigned i = 0; i + 1 < POOLS; i++)
		assert_int_not_equal(rows_take_pool(again, key(POOLS + i)), ROWS_NONE);
	assert_int_equal(rows_take_pool(again, key(99)), ROWS_NONE);
	assert_int_equal(rows_take_pool(again, key(1)), 1);
	rows_free(again);
}

/* The secret is nobody else's. */
static void test_secrets_differ(void **state)
{
	struct world *w = *state;
	struct board *board = board_new(1);
	struct rows *rows = rows_new(board, 1, 1, 1);
	static const unsigned char zeros[16];

	assert_non_null(rows);
	assert_memory_not_equal(rows_secret(rows), rows_secret(w->rows), 16);
	assert_memory_not_equal(rows_secret(rows) + 8, zeros, 8);
	rows_free(rows);
	board_free(board);
}

/* Rows of another form are not taken for these, and new ones begin without them. */
static void test_rows_of_another_form_are_refused(void **state)
{
	struct world *w = *state;
	unsigned char *header = (unsigned char *)w->rows->header;
	const unsigned maps = maps_count();
	struct rows *fresh;

	assert_memory_equal(header, "tylbrows", 8);
	(void)rows_take(w->rows, key(5), NULL);
	for (size_t i = 0; i < offsetof(struct rows_header, secret); i++) {
		header[i] ^= 0x40;
		errno = 0;
		assert_null(rows_attach(w->board));
		assert_int_equal(errno, EPROTO);
		header[i] ^= 0x40;
	}
	fresh = rows_attach(w->board);
	assert_non_null(fresh);
	rows_free(fresh);
	header[0] ^= 0x40;
	fresh = rows_new(w->board, ROWS, POOLS, COLUMNS);
	assert_non_null(fresh);
	for (uint32_t i = 0; i < ROWS; i++)
		assert_int_not_equal(rows_take(fresh, 77000 + i, NULL), ROWS_NONE);
	rows_free(fresh);
	assert_int_equal(maps_count(), maps);
}

static void test_none_to_attach_to(void **state)
{
	struct board *board = board_new(1);

	(void)state;
	errno = 0;
	assert_null(rows_attach(board));
	assert_int_equal(errno, ENOENT);
	board_free(board);
}

/* Short of memory or of descriptors: what there was stays in force, and nothing is left behind. */
static void test_nothing_is_left_behind(void **state)
{
	struct world *w = *state;
	const unsigned maps = maps_count();
	const int next = maps_next_fd();
	const int own = w->board->fd;
	struct rlimit old, none;
	struct rows *rows = NULL;
	char name[64];
	bool is_new;

	(void)rows_take(w->rows, key(5), NULL);
	for (long i = 0; rows == NULL; i++) {
		mem_fail_after(i);
		errno = 0;
		rows = rows_new(w->board, ROWS, POOLS, COLUMNS);
		mem_fail_after(-1);
		assert_in_range(i, 0, 30);
		if (rows != NULL)
			break;
		assert_int_equal(errno, ENOMEM);
		assert_int_equal(maps_count(), maps);
		assert_int_equal(maps_next_fd(), next);
		rows = rows_attach(w->board);
		assert_non_null(rows);
		assert_int_equal(rows_id(rows), rows_id(w->rows));
		rows_free(rows);
		rows = NULL;
	}
	(void)rows_take(rows, key(5), &is_new);
	assert_false(is_new);
	rows_free(rows);
	assert_int_equal(maps_count(), maps);
	assert_int_equal(maps_next_fd(), next);
	/* nor where there is no room to be had */
	(void)snprintf(name, sizeof name, "/proc/self/fd/%d", own);
	w->board->fd = open(name, O_RDONLY | O_CLOEXEC);
	assert_null(rows_new(w->board, ROWS, POOLS, COLUMNS));
	assert_int_equal(close(w->board->fd), 0);
	w->board->fd = own;
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &old), 0);
	none = (struct rlimit){ 0, old.rlim_max };
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
	errno = 0;
	rows = rows_attach(w->board);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &old), 0);
	assert_null(rows);
	assert_int_equal(errno, EMFILE);
	assert_int_equal(maps_count(), maps);
}

/* Whoever has them shares them: the last one to free them does it. */
static void test_shared_rows_live_as_long_as_anybody_has_them(void **state)
{
	struct world *w = *state;
	const unsigned maps = maps_count();
	const int next = maps_next_fd();
	struct rows *rows = rows_attach(w->board);

	assert_non_null(rows);
	assert_int_equal(maps_count(), maps + 1);
	assert_ptr_equal(rows_share(rows), rows);
	assert_ptr_equal(rows_share(rows), rows);
	rows_free(rows);
	rows_free(rows);
	assert_int_equal(maps_count(), maps + 1);
	assert_int_equal(rows_size(rows), ROWS);
	rows_free(rows);
	assert_int_equal(maps_count(), maps);
	assert_int_equal(maps_next_fd(), next);
	rows_free(NULL);
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

/* The monitor is woken once by each worker, and reads which rows they were, the last of them. */
static void test_what_the_monitor_hears(void **state)
{
	struct rows *rows = ((struct world *)*state)->rows;
	uint32_t a = rows_take_column(rows), b = rows_take_column(rows);
	const struct rows_alarms *alarms = rows_alarms(rows, a);
	uint64_t calls;

	for (uint32_t i = 0; i < ROWS_ALARMS + 5; i++)
		rows_alarm(rows, a, 100 + i);
	rows_alarm(rows, b, 1);
	assert_int_equal(read(rows_alarm_fd(rows), &calls, sizeof calls), sizeof calls);
	assert_int_equal(calls, 2);
	for (uint32_t i = 0; i < ROWS_ALARMS; i++)
		assert_int_equal(alarms->rows[i], i < 5 ? 100 + ROWS_ALARMS + i : 100 + i);
}

/* A worker that is new wakes it, however often it has looked, and whatever the one before it that
 * died with a call on its lips had meant to. */
static void test_a_new_worker_is_heard(void **state)
{
	struct rows *rows = ((struct world *)*state)->rows;
	uint32_t column = rows_take_column(rows);
	uint64_t calls;

	rows_alarm(rows, column, 1);
	assert_int_equal(read(rows_alarm_fd(rows), &calls, sizeof calls), sizeof calls);
	rows_retire(rows, column);
	assert_int_equal(rows_take_column(rows), column);
	rows_alarm(rows, column, 1);
	assert_true(is_called(rows));
	rows_hear(rows);
	for (int i = 0; i < 5; i++) {
		assert_false(is_called(rows));
		rows_alarm(rows, rows_take_column(rows), 1);
		assert_true(is_called(rows));
		rows_hear(rows);
	}
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
		cmocka_unit_test(test_keys_stay_what_they_are),
		cmocka_unit_test(test_each_cell_is_somewhere_else),
		cmocka_unit_test_setup_teardown(test_everything_is_counted, setup, teardown),
		cmocka_unit_test_setup_teardown(test_one_request_is_counted, setup, teardown),
		cmocka_unit_test(test_a_reader_waits_for_the_end_of_a_write),
		cmocka_unit_test(test_a_reader_sees_that_there_was_a_write),
		cmocka_unit_test(test_a_write_is_seen_while_it_lasts),
		cmocka_unit_test_setup_teardown(test_each_write_ends, setup, teardown),
		cmocka_unit_test_setup_teardown(
			test_pools_of_before_go_when_it_is_settled, setup, teardown),
		cmocka_unit_test_setup_teardown(test_secrets_differ, setup, teardown),
		cmocka_unit_test_setup_teardown(
			test_rows_of_another_form_are_refused, setup, teardown),
		cmocka_unit_test(test_none_to_attach_to),
		cmocka_unit_test_setup_teardown(test_nothing_is_left_behind, setup, teardown),
		cmocka_unit_test_setup_teardown(
			test_shared_rows_live_as_long_as_anybody_has_them, setup, teardown),
		cmocka_unit_test_setup_teardown(test_what_the_monitor_hears, setup, teardown),
		cmocka_unit_test_setup_teardown(test_a_new_worker_is_heard, setup, teardown),
		cmocka_unit_test_setup_teardown(test_a_key_keeps_its_row, setup, teardown),
		cmocka_unit_test_setup_teardown(test_pools_have_rows, setup, teardown),
		cmocka_unit_test_setup_teardown(test_gauges_add_up, setup, teardown),
		cmocka_unit_test_setup_teardown(test_a_sum_is_of_one_row, setup, teardown),
		cmocka_unit_test_setup_teardown(test_gauges_do_not_go_below_zero, setup, teardown),
		cmocka_unit_test_setup_teardown(test_the_dead_are_counted, setup, teardown),
		cmocka_unit_test_setup_teardown(
			test_who_comes_later_begins_with_nothing, setup, teardown),
		cmocka_unit_test_setup_teardown(test_health_is_published, setup, teardown),
		cmocka_unit_test_setup_teardown(test_attached_rows_are_the_same, setup, teardown),
		cmocka_unit_test_setup_teardown(test_larger_rows_take_over, setup, teardown),
		cmocka_unit_test_setup_teardown(
			test_rows_that_were_in_use_take_over, setup, teardown),
		cmocka_unit_test_setup_teardown(
			test_what_was_carried_over_twice_ends_once, setup, teardown),
		cmocka_unit_test_setup_teardown(test_an_alarm_wakes_once, setup, teardown),
		cmocka_unit_test_setup_teardown(test_processes_share_them, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
