/*
 * All targets of a monitor on a real board: alarms, ejections, health words, what the next monitor
 * finds. The clock is set by hand and timers are called by hand. The linker wraps probe_start, so
 * that no socket is opened: a test gives each probe its result.
 */
#include "config.h"

#include "settings_file.h"

#include <event2/event.h>
#include <string.h>

#include "monitor/targets.h"

#define SECOND UINT64_C(1000000)
#define ROWS   40

#define POOL_HEAD                                                                                  \
	"listeners = ( { address = \":1\"; pool = \"app\"; } );\n"                                 \
	"pools = ( { name = \"app\"; "
#define BACKEND(port) "{ url = \"http://127.0.0.1:" port "\"; }"
#define FOUR          BACKEND("81") ", " BACKEND("82") ", " BACKEND("83") ", " BACKEND("84")
#define POOL(options) POOL_HEAD options " backends = ( " FOUR " ); } );\n"

static struct board *board;
static struct rows *rows;
static struct settings *settings;
static struct watch watch;
static struct targets targets;
static _Atomic uint64_t due_us;
static uint32_t column;
static unsigned probes, asked;

void __wrap_probe_start(struct probe *probe, bool asks);

void __wrap_probe_start(struct probe *probe, bool asks)
{
	probe->asks = asks;
	probes++;
	asked += asks;
}

static void start(void)
{
	watch.due_us = &due_us;
	watch.changes = 0;
	watch.rows = rows;
	rng_seed(&watch.rng, 1, 0, 0, 0);
	assert_int_equal(loop_init(&watch.loop), 0);
	/* A loop that is awake does not read the clock. */
	watch.loop.awake = true;
	watch.loop.now_us = 1000 * SECOND;
	assert_int_equal(targets_init(&targets, &watch, settings), 0);
}

static void stop(void)
{
	targets_fini(&targets);
	loop_fini(&watch.loop);
}

static void begin(const char *text)
{
	struct pool_settings *pool;

	board = board_new(4);
	assert_non_null(board);
	rows = rows_new(board, ROWS, 4, 4);
	assert_non_null(rows);
	for (uint32_t i = 0; i < ROWS; i++)
		rows_set_health(rows, i, (struct rows_health){ ROWS_READY, ROWS_FULL_SHARE, 0 });
	column = rows_take_column(rows);
	settings = load_fine(text);
	pool = &settings->pools[0];
	for (size_t i = 0; i < pool->backend_count; i++)
		pool->backends[i].row = (uint32_t)i;
	probes = asked = 0;
	due_us = 0;
	start();
}

static int end(void **state)
{
	(void)state;
	stop();
	settings_free(settings);
	rows_free(rows);
	board_free(board);
	return 0;
}

static struct target *target(uint32_t row)
{
	struct target *t = targets_find(&targets, row);

	assert_non_null(t);
	return t;
}

/* The timer of a target is over. */
static void fire(uint32_t row)
{
	struct target *t = target(row);
	event_callback_fn callback = event_get_callback(&t->timer);

	callback(-1, EV_TIMEOUT, t);
}

static void probed(uint32_t row, enum probe_result result)
{
	struct target *t = target(row);

	t->probe.done(&t->probe, result, result == PROBE_PASSED ? NULL : "a reason");
}

static enum rows_state health(uint32_t row)
{
	return rows_health(rows, row).state;
}

/* A worker counts failures, and calls. */
static void fails(uint32_t row, enum rows_count count, uint64_t times)
{
	struct rows_cells *cells = rows_cells(rows, row, column);

	atomic_fetch_add(&cells->counts[count], times);
	rows_alarm(rows, column, row);
}

static void eject(uint32_t row)
{
	fails(row, ROWS_CUT, 5);
	targets_hear(&targets);
	fire(row);
}

static void test_rows(void **state)
{
	(void)state;
	begin(POOL("eject = { most = 50; };"));
	assert_int_equal(targets.group.count, 4);
	assert_null(targets_find(&targets, 4));
	assert_null(targets_find(&targets, ROWS));
	assert_null(targets_find(&targets, ROWS_NONE));
	assert_int_equal(targets_due(&targets), 0);
	assert_int_equal(watch_due(&watch), 0);
}

/* What a pool has twice is one target; without a row it is none. */
static void test_one_target_a_row(void **state)
{
	(void)state;
	begin(POOL(""));
	stop();
	settings->pools[0].backends[1].row = 0;
	settings->pools[0].backends[2].row = SETTINGS_NO_ROW;
	start();
	assert_int_equal(targets.group.count, 2);
	assert_ptr_equal(target(0)->state.backend, &settings->pools[0].backends[0]);
	assert_null(targets_find(&targets, 1));
}

static void test_ejection(void **state)
{
	uint64_t now;

	(void)state;
	begin(POOL("eject = { failures = 5; time = \"10s\"; most = 50; };"));
	eject(1);
	now = watch.loop.now_us;
	assert_int_equal(health(1), ROWS_EJECTED);
	assert_int_equal(health(0), ROWS_READY);
	assert_int_equal(watch.changes, 1);
	assert_int_equal(target_due(target(1)), now + 10 * SECOND);
	assert_int_equal(watch_due(&watch), now);
	/* No more than half of the pool. */
	eject(0);
	assert_int_equal(health(0), ROWS_EJECTED);
	eject(2);
	assert_int_equal(health(2), ROWS_READY);
	watch.loop.now_us += 10 * SECOND;
	fire(1);
	assert_int_equal(health(1), ROWS_READY);
	eject(2);
	assert_int_equal(health(2), ROWS_EJECTED);
}

/* Those of another pool are none of its business. */
static void test_pools_apart(void **state)
{
	(void)state;
	begin(POOL_HEAD
		"eject = { failures = 5; most = 50; }; backends = ( " BACKEND("81") ", " BACKEND(
			"82") " ); }, { name = \"b\"; backends = ( " BACKEND("83") ", " BACKEND("8"
												"4") " ); } );\n");
	stop();
	settings->pools[1].backends[0].row = 2;
	settings->pools[1].backends[1].row = 3;
	start();
	eject(0);
	assert_int_equal(health(0), ROWS_EJECTED);
	eject(1);
	assert_int_equal(health(1), ROWS_READY);
	eject(2);
	assert_int_equal(health(2), ROWS_EJECTED);
	eject(3);
	assert_int_equal(health(3), ROWS_READY);
}

/* More alarms than the ring has: any target may have failed. */
static void test_many_alarms(void **state)
{
	(void)state;
	begin(POOL(""));
	for (int i = 0; i <= ROWS_ALARMS; i++)
		rows_alarm(rows, column, 0);
	targets_hear(&targets);
	for (uint32_t i = 0; i < 4; i++)
		assert_int_equal(target(i)->state.look_us, watch.loop.now_us);
	for (uint32_t i = 0; i < 4; i++)
		fire(i);
	for (int i = 0; i < ROWS_ALARMS; i++)
		rows_alarm(rows, column, i % 2 == 0 ? 0 : 3);
	/* A row that no backend has; a worker may write anything. */
	rows_alarm(rows, rows_take_column(rows), 12345);
	targets_hear(&targets);
	assert_int_not_equal(target(0)->state.look_us, 0);
	assert_int_equal(target(1)->state.look_us, 0);
	assert_int_not_equal(target(3)->state.look_us, 0);
	targets_hear(&targets);
	assert_int_equal(targets_due(&targets), watch.loop.now_us);
}

/* What was called while no monitor ran is heard by the next one. */
static void test_alarms_of_before(void **state)
{
	(void)state;
	begin(POOL(""));
	fails(2, ROWS_CUT, 1);
	stop();
	start();
	targets_hear(&targets);
	assert_int_equal(target(2)->state.look_us, watch.loop.now_us);
	assert_int_equal(target(1)->state.look_us, 0);
	fire(2);
	for (int i = 0; i < 3 * ROWS_ALARMS; i++)
		rows_alarm(rows, column, 1);
	stop();
	start();
	targets_hear(&targets);
	assert_int_equal(target(1)->state.look_us, watch.loop.now_us);
	assert_int_equal(target(2)->state.look_us, 0);
}

/* A connection that failed is tried once, without a request. */
static void test_confirmation(void **state)
{
	(void)state;
	begin(POOL("check = { type = \"http\"; };"));
	fails(0, ROWS_CONNECT_FAILED, 1);
	targets_hear(&targets);
	fire(0);
	assert_int_equal(probes, 1);
	assert_int_equal(asked, 0);
	probed(0, PROBE_REFUSED);
	assert_int_equal(health(0), ROWS_REFUSING);
	watch.loop.now_us = target_due(target(0));
	fire(0);
	assert_int_equal(probes, 2);
	assert_int_equal(asked, 1);
	assert_int_equal(target(0)->state.probe_us, 0);
}

static void test_checks(void **state)
{
	uint64_t due;

	(void)state;
	begin(POOL("check = { type = \"http\"; interval = \"2s\"; fall = 2; };"));
	due = targets_due(&targets);
	assert_in_range(due, watch.loop.now_us, watch.loop.now_us + SECOND / 2);
	assert_int_equal(watch_due(&watch), due);
	watch.loop.now_us += SECOND / 2;
	for (uint32_t i = 0; i < 4; i++)
		fire(i);
	assert_int_equal(probes, 4);
	for (uint32_t i = 0; i < 3; i++)
		probed(i, PROBE_PASSED);
	probed(3, PROBE_SILENT);
	assert_int_equal(health(3), ROWS_SILENT);
	assert_int_equal(health(2), ROWS_READY);
	due = target_due(target(2));
	assert_in_range(
		due, watch.loop.now_us + SECOND * 18 / 10, watch.loop.now_us + SECOND * 22 / 10);
}

/* A probe under way has a time of its own, and no second one begins. */
static void test_probe_under_way(void **state)
{
	struct target *t;

	(void)state;
	begin(POOL("check = { type = \"tcp\"; };"));
	t = target(0);
	watch.loop.now_us += SECOND;
	t->probe.fd = 1000;
	t->probe.end_us = 77;
	assert_int_equal(target_due(t), 77);
	fire(0);
	assert_int_equal(probes, 0);
	t->probe.fd = -1;
	assert_int_equal(target_due(t), 0);
}

/* The next monitor goes on where this one has ended. */
static void test_next_monitor(void **state)
{
	uint64_t until;

	(void)state;
	begin(POOL("slow_start = \"10s\"; check = { type = \"tcp\"; };"));
	probed(0, PROBE_FAILED);
	eject(1);
	until = target(1)->state.eject.until_us;
	probed(2, PROBE_FAILED);
	probed(2, PROBE_PASSED);
	stop();
	start();
	assert_int_equal(target(0)->state.state, ROWS_DOWN);
	assert_int_equal(target(1)->state.state, ROWS_EJECTED);
	assert_int_equal(target(1)->state.eject.until_us, until);
	assert_int_equal(target(2)->state.checks.against, 1);
	assert_true(target(0)->state.checks.known);
	assert_false(target(3)->state.checks.known);
}

static struct address address_of(const char *text)
{
	struct address address;

	assert_int_equal(address_parse_ip(text, &address), 0);
	return address;
}

static void test_look_up(void **state)
{
	const struct address one = address_of("10.0.0.1"), other = address_of("10.0.0.2");
	struct backend_settings *backend;

	(void)state;
	begin(POOL_HEAD "backends = ( { url = \"http://a.test\"; }, " BACKEND("82") " ); } );\n");
	backend = &settings->pools[0].backends[0];
	assert_int_equal(health(0), ROWS_EMPTY);
	addresses_write(backend->addresses, BACKEND_ADDRESSES_MAX, &one, 1);
	target_look_up(target(0));
	assert_int_equal(health(0), ROWS_READY);
	assert_true(address_equals(&target(0)->state.address, &one));
	probed(0, PROBE_REFUSED);
	assert_int_equal(health(0), ROWS_REFUSING);
	/* The same addresses again are nothing new. */
	target_look_up(target(0));
	assert_int_equal(health(0), ROWS_REFUSING);
	addresses_write(backend->addresses, BACKEND_ADDRESSES_MAX, &other, 1);
	target_look_up(target(0));
	assert_int_equal(health(0), ROWS_REFUSING);
	assert_true(address_equals(&target(0)->state.address, &other));
	addresses_write(backend->addresses, BACKEND_ADDRESSES_MAX, NULL, 0);
	target_look_up(target(0));
	assert_int_equal(health(0), ROWS_EMPTY);
	/* Where there is no address nothing is tried. */
	fails(0, ROWS_CONNECT_FAILED, 1);
	targets_hear(&targets);
	fire(0);
	assert_int_equal(probes, 0);
}

static void test_due_times(void **state)
{
	struct timeval timeout;

	(void)state;
	begin(POOL(""));
	assert_int_equal(watch_earlier(0, 0), 0);
	assert_int_equal(watch_earlier(0, 5), 5);
	assert_int_equal(watch_earlier(5, 0), 5);
	assert_int_equal(watch_earlier(5, 4), 4);
	assert_int_equal(watch_earlier(4, 5), 4);
	watch_note_due(&watch, 7);
	watch_note_due(&watch, 8);
	watch_note_due(&watch, 0);
	assert_int_equal(watch_due(&watch), 7);
	watch_note_due(&watch, 6);
	assert_int_equal(watch_due(&watch), 6);
	watch_set_due(&watch, 9);
	assert_int_equal(watch_due(&watch), 9);
	timeout = watch_timeout(&watch, watch.loop.now_us + 2 * SECOND + 3);
	assert_int_equal(timeout.tv_sec, 2);
	assert_int_equal(timeout.tv_usec, 3);
	timeout = watch_timeout(&watch, watch.loop.now_us - 1);
	assert_int_equal(timeout.tv_sec, 0);
	assert_int_equal(timeout.tv_usec, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(test_rows, end),
		cmocka_unit_test_teardown(test_one_target_a_row, end),
		cmocka_unit_test_teardown(test_ejection, end),
		cmocka_unit_test_teardown(test_pools_apart, end),
		cmocka_unit_test_teardown(test_many_alarms, end),
		cmocka_unit_test_teardown(test_alarms_of_before, end),
		cmocka_unit_test_teardown(test_confirmation, end),
		cmocka_unit_test_teardown(test_checks, end),
		cmocka_unit_test_teardown(test_probe_under_way, end),
		cmocka_unit_test_teardown(test_next_monitor, end),
		cmocka_unit_test_teardown(test_look_up, end),
		cmocka_unit_test_teardown(test_due_times, end),
	};

	return cmocka_run_group_tests(tests, enter_folder, leave_folder);
}
