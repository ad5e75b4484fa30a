/* Requests that wait for a backend which is gone meanwhile: which of them go to another one. */
#include "config.h"

#include "exchange/redispatch.h"

#include "exchange_one.h"

static const char get[] = "GET / HTTP/1.1\r\nHost: h\r\n\r\n";
static const char post[] = "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n";
static const char ok[] = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n";

#define LOOK_MS 600 /* more than half a second, and a tick */

static size_t backend_of(const struct memory_stream *stream)
{
	return memory_index_of(stream->stream.backend);
}

/* The monitor says this of the backend that has the request. */
static void tell(enum rows_state state)
{
	pools_tell(backend_of(s), state, ROWS_FULL_SHARE);
}

static void test_a_request_leaves_a_silent_backend(void **state)
{
	struct memory_stream *other;

	(void)state;
	scene_start();
	begin(get);
	scene_pass(LOOK_MS);
	assert_int_equal(upstream_memory.count, 1);
	tell(ROWS_SILENT);
	scene_pass(LOOK_MS);
	other = stream_last();
	assert_stream_ended(s, UPSTREAM_CLOSE);
	assert_int_not_equal(backend_of(other), backend_of(s));
	assert_goes_on(r);
	stream_connect(other);
	stream_answer(other, ok, "hi");
	assert_got(r, 200, "hi");
	/* The time of the other one began with the look. */
	assert_int_equal(assert_record(1, 200, REASON_DONE, 2)->sought_us,
		POOLS_BEGIN_US + 2 * LOOK_MS * POOLS_MS);
	assert_int_equal(pools_own(ROWS_IN_FLIGHT, backend_of(s)), 0);
}

static void test_states_in_which_a_backend_is_gone(void **state)
{
	static const struct {
		enum rows_state state;
		bool gone;
	} cases[] = {
		{ ROWS_READY, false },
		{ ROWS_EJECTED, false }, /* it answers */
		{ ROWS_DOWN, false },    /* it finishes what it has */
		{ ROWS_SILENT, true },
		{ ROWS_REFUSING, true },
		{ ROWS_EMPTY, false },
	};

	(void)state;
	scene_start();
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		begin(get);
		tell(cases[i].state);
		scene_pass(LOOK_MS);
		assert_int_equal(s->ends, cases[i].gone);
		tell(ROWS_READY);
		exchange_stop(r->x);
	}
}

/* The look comes half a second behind the request, and again as long as one is there. */
static void test_the_looks_go_on_as_long_as_requests_do(void **state)
{
	(void)state;
	scene_start();
	begin(get);
	assert_true(deadline_is_running(&scene.context.redispatch));
	for (int i = 0; i < 4; i++) {
		scene_pass(LOOK_MS);
		assert_true(deadline_is_running(&scene.context.redispatch));
	}
	stream_answer(s, ok, "hi");
	scene_pass(LOOK_MS);
	assert_false(deadline_is_running(&scene.context.redispatch));
}

/* One that connects may be sent later than a look. */
static void test_a_request_that_connects_is_looked_at_later(void **state)
{
	(void)state;
	scene_start();
	r = scene_request(get);
	s = stream_last();
	tell(ROWS_SILENT);
	scene_pass(LOOK_MS);
	assert_int_equal(s->ends, 0);
	assert_true(deadline_is_running(&scene.context.redispatch));
	stream_connect(s);
	scene_pass(LOOK_MS);
	assert_int_equal(s->ends, 1);
	assert_goes_on(r);
}

static void test_a_request_that_was_heard_stays(void **state)
{
	(void)state;
	scene_start();
	begin(get);
	w.upstream.stream_events->heard(r->x);
	tell(ROWS_SILENT);
	scene_pass(LOOK_MS);
	assert_int_equal(s->ends, 0);
}

static void test_a_request_that_may_not_be_repeated_stays(void **state)
{
	(void)state;
	scene_start();
	begin(post);
	tell(ROWS_SILENT);
	scene_pass(LOOK_MS);
	assert_int_equal(s->ends, 0);
}

static void test_a_response_that_has_begun_stays(void **state)
{
	(void)state;
	scene_start();
	begin(get);
	assert_true(stream_head(s, ok));
	tell(ROWS_SILENT);
	scene_pass(LOOK_MS);
	assert_int_equal(s->ends, 0);
}

/* Another backend must be well: one that does not answer is better than none. */
static void test_without_another_backend_it_stays(void **state)
{
	(void)state;
	w.app.panic = 25; /* all may be picked where too few are well */
	scene_start();
	begin(get);
	for (size_t i = 0; i < POOLS_BACKENDS; i++)
		pools_tell(i, ROWS_SILENT, ROWS_FULL_SHARE);
	scene_pass(LOOK_MS);
	assert_int_equal(s->ends, 0);
	/* As soon as one is, it goes there. */
	pools_tell((backend_of(s) + 1) % POOLS_BACKENDS, ROWS_READY, ROWS_FULL_SHARE);
	scene_pass(LOOK_MS);
	assert_int_equal(s->ends, 1);
	assert_int_equal(backend_of(stream_last()), (backend_of(s) + 1) % POOLS_BACKENDS);
}

/* Without a row there is no word of the monitor. */
static void test_a_backend_without_a_row_is_not_gone(void **state)
{
	(void)state;
	scene_start();
	begin(get);
	tell(ROWS_SILENT);
	w.pools[0].backends[backend_of(s)].row = ROWS_NONE;
	scene_pass(LOOK_MS);
	assert_int_equal(s->ends, 0);
}

static void test_without_a_board_no_backend_is_gone(void **state)
{
	(void)state;
	scene_start();
	begin(get);
	tell(ROWS_SILENT);
	w.upstream.rows = NULL;
	scene_pass(LOOK_MS);
	assert_int_equal(s->ends, 0);
	w.upstream.rows = w.rows;
}

/* The budget allows one retry for four requests: the others stay. */
static void test_requests_go_within_the_retry_budget(void **state)
{
	struct memory_stream *streams[4];
	unsigned moved = 0;

	(void)state;
	w.app.retry.budget = 25;
	w.app.retry.budget_rate = 0;
	scene_start();
	for (size_t i = 0; i < 4; i++) {
		begin(get);
		streams[i] = s;
	}
	for (size_t i = 0; i < 3; i++)
		pools_tell(i, ROWS_SILENT, ROWS_FULL_SHARE);
	scene_pass(LOOK_MS);
	for (size_t i = 0; i < 4; i++)
		moved += streams[i]->ends;
	assert_int_equal(moved, 1);
}

/* A pool in which the first attempt finds no other backend is skipped for this look: one look at a
 * hundred requests costs one search. */
static unsigned picks;
bool __real_select_backend(struct selection *selection);
bool __wrap_select_backend(struct selection *selection);
bool __wrap_select_backend(struct selection *selection)
{
	picks++;
	return __real_select_backend(selection);
}

static void test_a_pool_that_is_stuck_is_skipped(void **state)
{
	(void)state;
	w.app.retry.budget = w.app.retry.budget_rate = 0;
	scene_start();
	begin(get);
	begin(get);
	begin(get);
	for (size_t i = 0; i < POOLS_BACKENDS; i++)
		pools_tell(i, i == 0 ? ROWS_READY : ROWS_SILENT, ROWS_FULL_SHARE);
	picks = 0;
	scene_pass(LOOK_MS);
	assert_int_equal(picks, 1);
	/* They are not forgotten. */
	picks = 0;
	scene_pass(LOOK_MS);
	assert_int_equal(picks, 1);
	w.app.retry.budget = 100;
	scene_pass(LOOK_MS);
	assert_int_equal(picks > 1, 1);
}

/* All of those in flight go in one look, in their order; the ones behind stay in the queue. */
static void test_all_go_in_one_look(void **state)
{
	struct memory_request *all[4];
	struct memory_stream *streams[4];
	size_t gone;

	(void)state;
	w.app.retry.budget_rate = 1000;
	scene_only(0);
	w.backends[1].weight = 1;
	scene_start();
	for (size_t i = 0; i < 4; i++) {
		begin(get);
		all[i] = r;
		streams[i] = s;
	}
	gone = backend_of(streams[0]);
	tell(ROWS_READY);
	pools_tell(gone, ROWS_SILENT, ROWS_FULL_SHARE);
	scene_pass(LOOK_MS);
	for (size_t i = 0; i < 4; i++) {
		assert_goes_on(all[i]);
		assert_int_equal(streams[i]->ends, backend_of(streams[i]) == gone);
	}
	/* Those that stay have their deadlines, in the order in which they began. */
	scene_pass(SCENE_RESPONSE);
	for (size_t i = 0; i < 4; i++)
		if (backend_of(streams[i]) != gone)
			assert_replied(all[i], 504, "the backend did not answer in time");
}

/* That one has tried all that it may says nothing about the others. */
static void test_one_that_has_tried_enough_holds_up_no_other(void **state)
{
	struct memory_stream *first, *second;

	(void)state;
	scene_only(0);
	w.backends[1].weight = 1;
	w.app.retry.attempts = 2;
	scene_start();
	upstream_memory.errors[0][0] = ECONNREFUSED;
	/* Whichever is picked first, one of two requests was refused by the first backend. */
	for (;;) {
		begin(get);
		first = s;
		if (r->x->selection.tried_count == 2)
			break;
		exchange_stop(r->x);
	}
	begin(get);
	second = s;
	assert_int_equal(r->x->selection.tried_count, 1);
	assert_int_equal(backend_of(second), 1);
	upstream_memory.errors[0][0] = 0;
	pools_tell(1, ROWS_SILENT, ROWS_FULL_SHARE);
	scene_pass(LOOK_MS);
	assert_int_equal(first->ends, 0);
	assert_int_equal(second->ends, 1);
	assert_int_equal(backend_of(stream_last()), 0);
}

/* One that goes to a kept connection has its whole time from now on: its deadline is the last. */
static void test_deadlines_stay_in_order(void **state)
{
	struct memory_request *goes, *stays;

	(void)state;
	scene_only(0);
	w.backends[1].weight = 1;
	scene_start();
	begin(get);
	goes = r;
	do {
		begin(get);
	} while (s->stream.backend == selection_backend(&goes->x->selection));
	stays = r;
	tell(ROWS_READY);
	pools_tell(goes->x->selection.backend, ROWS_SILENT, ROWS_FULL_SHARE);
	upstream_memory.kept[backend_of(s)] = 1;
	scene_pass(LOOK_MS);
	assert_true(stream_last()->stream.reused);
	assert_ptr_equal(stream_last()->stream.owner, goes->x);
	assert_ptr_equal(scene.context.wait_bytes.waiting.prev, &goes->x->deadline.link);
	assert_ptr_equal(deadline_first(&scene.context.wait_bytes), &stays->x->deadline);
}

/* The one that goes may end over it, and with it others. */
static void test_one_may_end_over_it(void **state)
{
	struct memory_request *first, *second;

	(void)state;
	scene_only(0);
	w.backends[1].weight = 1;
	w.app.retry.attempts = 2;
	scene_start();
	begin(get);
	first = r;
	begin(get);
	second = r;
	for (size_t i = 0; i < 2; i++)
		for (size_t j = 0; j < MEMORY_ADDRESSES; j++)
			upstream_memory.errors[i][j] = ECONNREFUSED;
	pools_tell(backend_of(s), ROWS_SILENT, ROWS_FULL_SHARE);
	scene_pass(LOOK_MS);
	assert_goes_on(first);
	assert_replied(second, 502, "no backend could be reached");
	assert_record(1, 502, REASON_CONNECT_FAILED, 2);
}

/* If nothing has changed on the board, nobody is looked at. */
static void test_nothing_is_done_if_nothing_has_changed(void **state)
{
	(void)state;
	scene_start();
	begin(get);
	scene_pass(LOOK_MS);
	/* Set, but not published. */
	rows_set_health(w.rows, w.backends[backend_of(s)].row,
		(struct rows_health){ ROWS_SILENT, ROWS_FULL_SHARE, 1 });
	scene_pass(LOOK_MS);
	assert_int_equal(s->ends, 0);
	rows_publish(w.rows);
	scene_pass(LOOK_MS);
	assert_int_equal(s->ends, 1);
	/* A look that has moved some is followed by another one, and that by none. */
	s = stream_last();
	stream_connect(s);
	scene_pass(LOOK_MS);
	rows_set_health(w.rows, w.backends[backend_of(s)].row,
		(struct rows_health){ ROWS_SILENT, ROWS_FULL_SHARE, 2 });
	scene_pass(LOOK_MS);
	assert_int_equal(s->ends, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			test_a_request_leaves_a_silent_backend, scene_begin, scene_end),
		cmocka_unit_test_setup_teardown(
			test_states_in_which_a_backend_is_gone, scene_begin, scene_end),
		cmocka_unit_test_setup_teardown(
			test_the_looks_go_on_as_long_as_requests_do, scene_begin, scene_end),
		cmocka_unit_test_setup_teardown(
			test_a_request_that_connects_is_looked_at_later, scene_begin, scene_end),
		cmocka_unit_test_setup_teardown(
			test_a_request_that_was_heard_stays, scene_begin, scene_end),
		cmocka_unit_test_setup_teardown(
			test_a_request_that_may_not_be_repeated_stays, scene_begin, scene_end),
		cmocka_unit_test_setup_teardown(
			test_a_response_that_has_begun_stays, scene_begin, scene_end),
		cmocka_unit_test_setup_teardown(
			test_without_another_backend_it_stays, scene_begin, scene_end),
		cmocka_unit_test_setup_teardown(
			test_a_backend_without_a_row_is_not_gone, scene_begin, scene_end),
		cmocka_unit_test_setup_teardown(
			test_without_a_board_no_backend_is_gone, scene_begin, scene_end),
		cmocka_unit_test_setup_teardown(
			test_requests_go_within_the_retry_budget, scene_begin, scene_end),
		cmocka_unit_test_setup_teardown(
			test_a_pool_that_is_stuck_is_skipped, scene_begin, scene_end),
		cmocka_unit_test_setup_teardown(test_all_go_in_one_look, scene_begin, scene_end),
		cmocka_unit_test_setup_teardown(test_one_may_end_over_it, scene_begin, scene_end),
		cmocka_unit_test_setup_teardown(
			test_nothing_is_done_if_nothing_has_changed, scene_begin, scene_end),
		cmocka_unit_test_setup_teardown(
			test_one_that_has_tried_enough_holds_up_no_other, scene_begin, scene_end),
		cmocka_unit_test_setup_teardown(
			test_deadlines_stay_in_order, scene_begin, scene_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
