/* What is counted of clients and requests on a worker's place of the board. */
#include "config.h"

#include "exchange/counters.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static struct loop loop;
static struct board_place place;
static struct exchange_context context;

/* The lines that went to the access log. */
static const struct record *written;
static uint64_t written_us;

void __wrap_access_log_write(struct access_log *log, const struct record *record, uint64_t now_us);
void __wrap_access_log_write(struct access_log *log, const struct record *record, uint64_t now_us)
{
	assert_ptr_equal(log, &context.log);
	written = record;
	written_us = now_us;
}

static int begin(void **state)
{
	(void)state;
	memset(&place, 0, sizeof place);
	written = NULL;
	loop = (struct loop){ .now_us = 9000000 };
	context = (struct exchange_context){ .loop = &loop, .place = &place };
	return 0;
}

static uint64_t count(size_t index)
{
	return atomic_load(&place.cells.counts[index]);
}

static void request(int status, enum reason reason)
{
	struct record record = { .status = status, .reason = reason, .start_us = 1000000 };

	counters_request(&context, &record);
	assert_ptr_equal(written, &record);
	assert_int_equal(written_us, 9000000);
}

static void test_clients_come_and_go(void **state)
{
	(void)state;
	counters_accept(&place, 1);
	counters_accept(&place, 2);
	assert_int_equal(atomic_load(&place.clients), 2);
	assert_int_equal(count(BOARD_ACCEPTED), 2);
	counters_leave(&place, 1);
	assert_int_equal(atomic_load(&place.clients), 1);
	assert_int_equal(count(BOARD_ACCEPTED), 2);
}

static void test_connections_that_fail_are_counted(void **state)
{
	(void)state;
	counters_connect_error(&place);
	assert_int_equal(count(BOARD_CONNECT_ERRORS), 1);
}

static void test_without_a_place_nothing_is_counted(void **state)
{
	(void)state;
	counters_accept(NULL, 1);
	counters_leave(NULL, 1);
	counters_connect_error(NULL);
	context.place = NULL;
	request(200, REASON_DONE);
	assert_int_equal(count(BOARD_REQUESTS), 0);
}

static void test_statuses_are_counted_by_their_first_digit(void **state)
{
	static const int statuses[] = { 100, 101, 200, 299, 300, 404, 499, 500, 599, 600, 999 };
	static const uint64_t expected[] = { 2, 2, 1, 2, 4 };

	(void)state;
	for (size_t i = 0; i < sizeof statuses / sizeof *statuses; i++)
		request(statuses[i], REASON_DONE);
	for (size_t i = 0; i < 5; i++)
		assert_int_equal(count(BOARD_1XX + i), expected[i]);
	/* A request without an answer has none. */
	request(0, REASON_STOPPED);
	for (size_t i = 0; i < 5; i++)
		assert_int_equal(count(BOARD_1XX + i), expected[i]);
	assert_int_equal(count(BOARD_REQUESTS), 12);
}

static void test_whose_fault_it_was(void **state)
{
	static const enum reason client[] = { REASON_BAD_REQUEST, REASON_CLIENT_LIMIT,
		REASON_HEAD_TIMEOUT, REASON_CLIENT_CLOSED, REASON_CLIENT_TIMEOUT };
	static const enum reason backend[] = { REASON_CONNECT_FAILED, REASON_CONNECT_TIMEOUT,
		REASON_BACKEND_CLOSED, REASON_BACKEND_TIMEOUT, REASON_BAD_RESPONSE,
		REASON_TRUNCATED };
	bool at_fault[REASON_COUNT] = { false };

	(void)state;
	for (size_t i = 0; i < 5; i++) {
		request(400, client[i]);
		at_fault[client[i]] = true;
		assert_int_equal(count(BOARD_CLIENT_ERRORS), i + 1);
	}
	for (size_t i = 0; i < 6; i++) {
		request(502, backend[i]);
		at_fault[backend[i]] = true;
		assert_int_equal(count(BOARD_BACKEND_ERRORS), i + 1);
	}
	for (int i = 0; i < REASON_COUNT; i++)
		if (!at_fault[i])
			request(200, (enum reason)i);
	assert_int_equal(count(BOARD_CLIENT_ERRORS), 5);
	assert_int_equal(count(BOARD_BACKEND_ERRORS), 6);
}

/* To the head of the response, or to the end if there was none. */
static void test_how_long_it_took(void **state)
{
	struct record record = { .status = 200, .start_us = 1000000, .answered_us = 1000300 };
	unsigned soon = board_latency_bucket(300), late = board_latency_bucket(8000000);

	(void)state;
	assert_int_not_equal(soon, late);
	counters_request(&context, &record);
	assert_int_equal(atomic_load(&place.cells.latency[soon]), 1);
	record.answered_us = 0;
	counters_request(&context, &record);
	assert_int_equal(atomic_load(&place.cells.latency[late]), 1);
	assert_int_equal(atomic_load(&place.cells.latency[soon]), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_clients_come_and_go, begin),
		cmocka_unit_test_setup(test_connections_that_fail_are_counted, begin),
		cmocka_unit_test_setup(test_without_a_place_nothing_is_counted, begin),
		cmocka_unit_test_setup(test_statuses_are_counted_by_their_first_digit, begin),
		cmocka_unit_test_setup(test_whose_fault_it_was, begin),
		cmocka_unit_test_setup(test_how_long_it_took, begin),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
