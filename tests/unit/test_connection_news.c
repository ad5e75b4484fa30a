/*
 * What is in a socket is seen before the callback that reads it: as long as all that the kernel
 * tells of fits in one batch, without a look at the socket.
 */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "net/connection.h"

#define COUNT 70

static struct loop loop;
static struct connection connections[COUNT];
static int peers[COUNT];
static struct connection *watched;

/* What the first callback of the turn saw. */
static int calls;
static bool knew_all;
static bool had_news;

static size_t received(struct connection *c, const char *data, size_t len)
{
	(void)c;
	(void)data;
	if (calls++ == 0) {
		knew_all = batch_is_whole(&loop.batch, loop.base);
		had_news = connection_has_news(watched);
	}
	return len;
}

static void ended(struct connection *c, int error)
{
	(void)c;
	(void)error;
	calls++;
}

static const struct connection_events events = { .received = received, .ended = ended };

static int set_up(void **state)
{
	(void)state;
	if (loop_init(&loop) == -1)
		return -1;
	for (int i = 0; i < COUNT; i++) {
		int pair[2];

		if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair) == -1)
			return -1;
		peers[i] = pair[1];
		connection_open(&connections[i], &loop, &events, pair[0]);
		connection_watch(&connections[i]);
	}
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	for (int i = 0; i < COUNT; i++) {
		connection_close(&connections[i]);
		close(peers[i]);
	}
	loop_fini(&loop);
	return 0;
}

/* The first `count` peers speak, and the loop turns once. */
static void turn(int count)
{
	for (int i = 0; i < count; i++)
		assert_int_equal(write(peers[i], "x", 1), 1);
	calls = 0;
	(void)loop_turn(&loop, true);
}

static void test_bytes_that_are_not_read_yet(void **state)
{
	(void)state;
	watched = &connections[1];
	turn(2);
	assert_int_equal(calls, 2);
	assert_true(knew_all);
	assert_true(had_news);
	assert_false(connection_has_news(watched));
	turn(1);
	assert_false(had_news);
}

static void test_end_that_is_not_read_yet(void **state)
{
	(void)state;
	watched = &connections[1];
	assert_int_equal(shutdown(peers[1], SHUT_WR), 0);
	assert_int_equal(connection_peek(watched), CONNECTION_END);
	turn(1);
	assert_int_equal(calls, 2);
}

static void test_peek(void **state)
{
	(void)state;
	assert_int_equal(connection_peek(&connections[0]), CONNECTION_QUIET);
	assert_true(connection_is_quiet(&connections[0]));
	assert_int_equal(write(peers[0], "x", 1), 1);
	assert_int_equal(connection_peek(&connections[0]), CONNECTION_BYTES);
	assert_false(connection_is_quiet(&connections[0]));
}

/* A full batch may leave something out: then there may be news everywhere. The next batch has twice
 * the room. */
static void test_more_than_a_batch(void **state)
{
	(void)state;
	watched = &connections[COUNT - 1];
	turn(31);
	assert_true(knew_all);
	assert_false(had_news);
	turn(COUNT);
	assert_int_equal(calls, 32);
	assert_false(knew_all);
	assert_true(had_news);
	turn(0);
	assert_int_equal(calls, COUNT - 32);
	assert_true(knew_all);
	turn(63);
	assert_true(knew_all);
	assert_false(had_news);
	turn(COUNT);
	assert_int_equal(calls, 64);
	assert_false(knew_all);
	turn(0);
	turn(COUNT);
	assert_int_equal(calls, COUNT);
	assert_true(knew_all);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			test_bytes_that_are_not_read_yet, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_end_that_is_not_read_yet, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_peek, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_more_than_a_batch, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
