/*
 * Connections over socket pairs: what is left comes again, what the socket does not take is kept
 * and goes out in order, ends and resets are told once, and nothing is called after a close.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "../../src/net/pace.h"
#include "base/memory.h"
#include "net/connection.h"
#include "net/listener.h"
#include "tcp_pair.h"

static char text_x[] = "x";
static char text_early[] = "early";
static const struct iovec piece_x = { text_x, 1 };
static const struct iovec piece_early = { text_early, 5 };

static struct loop loop;
static struct connection connection;
static int peer;

/* What the callbacks saw. */
static char got[1024];
static size_t got_len;
static size_t take;           /* how many bytes `received` takes at the most */
static bool got_into_nothing; /* they are too many to be kept */
static int calls;
static int drains;
static int connects;
static int ends;
static int end_error;

static size_t received(struct connection *s, const char *data, size_t len)
{
	size_t n = len < take ? len : take;

	(void)s;
	calls++;
	if (got_into_nothing)
		return n;
	assert_true(got_len + n <= sizeof got);
	memcpy(got + got_len, data, n);
	got_len += n;
	return n;
}

static void drained(struct connection *s)
{
	(void)s;
	drains++;
}

static void connected(struct connection *s)
{
	(void)s;
	connects++;
}

static void ended(struct connection *s, int error)
{
	(void)s;
	ends++;
	end_error = error;
}

static const struct connection_events events = {
	.received = received,
	.drained = drained,
	.connected = connected,
	.ended = ended,
};

static void turn(void)
{
	(void)loop_turn(&loop, false);
}

static int set_up(void **state)
{
	int pair[2];

	(void)state;
	got_len = 0;
	got_into_nothing = false;
	take = sizeof got;
	calls = drains = connects = ends = end_error = 0;
	if (loop_init(&loop) == -1)
		return -1;
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair) == -1)
		return -1;
	peer = pair[1];
	connection_open(&connection, &loop, &events, pair[0]);
	connection_watch(&connection);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	connection_close(&connection);
	loop_fini(&loop);
	close(peer);
	return 0;
}

static void say(const char *text)
{
	assert_int_equal(write(peer, text, strlen(text)), (ssize_t)strlen(text));
}

static void expect_got(const char *text)
{
	assert_int_equal(got_len, strlen(text));
	assert_memory_equal(got, text, got_len);
}

static void test_received(void **state)
{
	(void)state;
	say("hello");
	turn();
	expect_got("hello");
	assert_null(connection.rest);
	assert_null(connection.buffer);
}

static void test_rest_comes_again_with_more(void **state)
{
	(void)state;
	take = 0;
	say("he");
	turn();
	assert_int_equal(connection_rest(&connection), 2);
	take = 3;
	say("llo");
	turn();
	expect_got("hel");
	assert_int_equal(connection_rest(&connection), 2);
}

static void test_again(void **state)
{
	(void)state;
	take = 2;
	say("hello");
	turn();
	expect_got("he");
	take = sizeof got;
	connection_again(&connection);
	turn();
	expect_got("hello");
	assert_int_equal(connection_rest(&connection), 0);
	/* Asked for nothing. */
	calls = 0;
	connection_again(&connection);
	turn();
	assert_int_equal(calls, 0);
}

static void test_paused(void **state)
{
	(void)state;
	connection_pause(&connection);
	say("hello");
	turn();
	assert_int_equal(calls, 0);
	connection_resume(&connection);
	turn();
	expect_got("hello");
}

static void test_resume_brings_the_rest(void **state)
{
	(void)state;
	take = 0;
	say("hello");
	turn();
	connection_pause(&connection);
	take = sizeof got;
	connection_resume(&connection);
	turn();
	expect_got("hello");
}

/* An owner that takes nothing is not sent more than there is room for, and that is no end. */
static void test_rest_is_bounded(void **state)
{
	static char much[LOOP_SCRATCH_SIZE * 2];
	size_t sent = 0;

	(void)state;
	take = 0;
	for (int i = 0; i < 100; i++) {
		ssize_t n = write(peer, much + sent, sizeof much - sent);

		sent += n > 0 ? (size_t)n : 0;
		turn();
	}
	assert_true(connection_rest(&connection) <= LOOP_SCRATCH_SIZE);
	assert_int_equal(ends, 0);
	assert_true(connection.paused);
}

static size_t read_all(char *into, size_t len)
{
	size_t total = 0;

	for (int i = 0; i < 1000 && total < len; i++) {
		ssize_t n = read(peer, into + total, len - total);

		turn();
		total += n > 0 ? (size_t)n : 0;
	}
	return total;
}

static void test_backlog_keeps_order(void **state)
{
	enum { SIZE = 4 * 1024 * 1024 };
	unsigned char *sent = malloc(SIZE);
	char *back = malloc(SIZE);
	struct iovec pieces[3] = {
		{ .iov_base = sent, .iov_len = 1 },
		{ .iov_base = sent + 1, .iov_len = SIZE / 2 },
		{ .iov_base = sent + 1 + SIZE / 2, .iov_len = SIZE / 2 - 3 },
	};
	struct iovec last = { .iov_base = sent + SIZE - 2, .iov_len = 2 };

	(void)state;
	for (size_t i = 0; i < SIZE; i++)
		sent[i] = (unsigned char)(i * 2654435761u >> 13);
	assert_int_equal(connection_write(&connection, pieces, 3), 0);
	assert_int_equal(connection_write(&connection, &last, 1), 0);
	assert_true(connection_backlog(&connection) > 0);
	connection_finish(&connection);
	assert_false(connection.finished);
	assert_int_equal(read_all(back, SIZE), SIZE);
	assert_memory_equal(sent, back, SIZE);
	turn();
	assert_true(drains > 0);
	assert_null(connection.buffer);
	/* The end was sent behind all of it. */
	assert_true(connection.finished);
	assert_int_equal(read(peer, back, 1), 0);
	free(sent);
	free(back);
}

static void test_end(void **state)
{
	(void)state;
	say("bye");
	shutdown(peer, SHUT_WR);
	turn();
	turn();
	expect_got("bye");
	assert_int_equal(ends, 1);
	assert_int_equal(end_error, 0);
	/* Writing goes on. */
	assert_int_equal(connection_write(&connection, &piece_x, 1), 0);
	assert_int_equal(read(peer, got, 1), 1);
}

static void test_write_to_the_dead(void **state)
{
	(void)state;
	say("last words");
	close(peer);
	peer = -1;
	assert_int_equal(connection_write(&connection, &piece_x, 1), 0);
	assert_true(connection.broken);
	assert_int_equal(connection_write(&connection, &piece_x, 1), 0);
	/* What came before is still read. */
	turn();
	expect_got("last words");
	turn();
	assert_int_equal(ends, 1);
}

/* What could not be kept is missing: nothing may come behind the gap. */
static void test_nothing_behind_a_gap(void **state)
{
	enum { SIZE = 4 * 1024 * 1024 };
	char *sent = calloc(1, SIZE);
	struct iovec piece = { .iov_base = sent, .iov_len = SIZE };
	ssize_t n;

	(void)state;
	mem_fail_after(0);
	assert_int_equal(connection_write(&connection, &piece, 1), -1);
	mem_fail_after(-1);
	while ((n = read(peer, sent, SIZE)) > 0)
		;
	assert_int_equal(connection_write(&connection, &piece_x, 1), 0);
	turn();
	assert_int_equal(read(peer, sent, SIZE), -1);
	assert_int_equal(errno, EAGAIN);
	free(sent);
}

/* Whatever allocation fails, what was taken goes out, or the writer is told. */
static void test_backlog_without_memory(void **state)
{
	enum { SIZE = 1024 * 1024 };
	char *sent = calloc(1, SIZE);
	struct iovec piece = { .iov_base = sent, .iov_len = SIZE };
	int refused = 0;

	for (long allowed = 0; allowed < 10; allowed++) {
		int result;

		mem_fail_after(allowed);
		result = connection_write(&connection, &piece, 1);
		mem_fail_after(-1);
		refused += result == -1;
		if (result == 0)
			assert_int_equal(read_all(sent, SIZE), SIZE);
		tear_down(state);
		assert_int_equal(set_up(state), 0);
	}
	assert_in_range(refused, 1, 9);
	free(sent);
}

/* After a read that filled its buffer the socket may hold more, and connection_has_more
 * says so. */
static void test_more_behind_a_full_read(void **state)
{
	static char room[LOOP_READ_SIZE];

	(void)state;
	say("short");
	turn();
	assert_false(connection_has_more(&connection));
	say("more");
	assert_false(connection_has_more(&connection)); /* this came later */
	turn();
	take = LOOP_READ_SIZE;
	got_into_nothing = true;
	assert_int_equal(write(peer, room, sizeof room), sizeof room);
	turn();
	assert_false(connection_has_more(&connection));
	assert_int_equal(write(peer, room, sizeof room), sizeof room);
	say("more");
	(void)loop_turn(&loop, true); /* one read */
	assert_true(connection_has_more(&connection));
	turn();
	assert_false(connection_has_more(&connection));
}

/* One that is not watched is read when it is looked at, and only then. */
static void test_not_watched_yet(void **state)
{
	int pair[2];
	struct connection fresh;

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair), 0);
	connection_open(&fresh, &loop, &events, pair[0]);
	connection_look(&fresh); /* nothing is there */
	assert_int_equal(write(pair[1], "one", 3), 3);
	turn();
	assert_int_equal(got_len, 0);
	connection_look(&fresh);
	assert_int_equal(got_len, 3);
	assert_int_equal(write(pair[1], "two", 3), 3);
	connection_resume(&fresh); /* it was not paused */
	turn();
	assert_int_equal(got_len, 3);
	connection_watch(&fresh);
	connection_watch(&fresh);
	turn();
	assert_memory_equal(got, "onetwo", 6);
	close(pair[1]);
	turn();
	assert_int_equal(ends, 1);
	connection_close(&fresh);
}

/* What is written last goes out with the end, in one packet. */
static void test_cork(void **state)
{
	char bye[] = "bye";
	struct iovec piece = { .iov_base = bye, .iov_len = 3 };
	struct connection last;
	char room[8];
	int pair[2];

	(void)state;
	tcp_pair(pair);
	connection_open(&last, &loop, &events, pair[0]);
	last.cork = true;
	assert_int_equal(connection_write(&last, &piece, 1), 0);
	assert_int_equal(recv(pair[1], room, sizeof room, MSG_DONTWAIT), -1);
	connection_close(&last);
	assert_int_equal(recv(pair[1], room, sizeof room, 0), 3);
	assert_int_equal(recv(pair[1], room, sizeof room, 0), 0);
	close(pair[1]);
}

static void test_nothing_after_close(void **state)
{
	(void)state;
	say("hello");
	connection_close(&connection);
	connection_close(&connection);
	connection_again(&connection);
	connection_resume(&connection);
	connection_pause(&connection);
	connection_finish(&connection);
	turn();
	assert_int_equal(calls + ends + drains, 0);
	assert_false(connection_is_open(&connection));
}

static int listening(struct address *address)
{
	const char *why;
	int fd;

	assert_int_equal(address_parse_listen("127.0.0.1:0", address, &why), 0);
	fd = listener_bind(address);
	assert_int_not_equal(fd, -1);
	address->len = sizeof address->u;
	assert_int_equal(getsockname(fd, &address->u.sa, &address->len), 0);
	return fd;
}

static void test_connect(void **state)
{
	struct address address;
	int fd = listening(&address);

	(void)state;
	assert_int_equal(listen(fd, 1), 0);
	connection_close(&connection);
	assert_int_equal(connection_connect(&connection, &loop, &events, &address), 0);
	assert_int_equal(connection_write(&connection, &piece_early, 1), 0);
	assert_int_equal(connection_backlog(&connection), 5);
	for (int i = 0; i < 1000 && (connects == 0 || connection.buffer != NULL); i++)
		turn();
	assert_int_equal(connects, 1);
	assert_null(connection.buffer);
	close(peer);
	peer = accept(fd, NULL, NULL);
	assert_int_equal(read(peer, got, sizeof got), 5);
	assert_memory_equal(got, "early", 5);
	close(fd);
}

static bool is_paced(int fd)
{
	char name[16] = { 0 };
	socklen_t len = sizeof name - 1;

	assert_int_equal(getsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, name, &len), 0);
	return strcmp(name, "bbr") == 0;
}

static bool is_paced_behind(const struct address *a)
{
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	bool paced;

	assert_int_equal(setsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, "bbr", 3), 0);
	pace_spare(fd, a);
	paced = is_paced(fd);
	close(fd);
	return paced;
}

/* Within the machine nothing is paced, whatever the system is set to. */
static void test_pace(void **state)
{
	struct address here;
	struct address elsewhere = { .len = sizeof elsewhere.u.in };
	int fd = listening(&here);

	(void)state;
	elsewhere.u.in.sin_family = AF_INET;
	elsewhere.u.in.sin_addr.s_addr = htonl(0xc0000201);
	assert_false(is_paced(fd));
	assert_int_equal(listen(fd, 1), 0);
	connection_close(&connection);
	assert_int_equal(connection_connect(&connection, &loop, &events, &here), 0);
	assert_false(is_paced(connection.fd));
	/* The kernel may not have it, or not for everybody. */
	if (setsockopt(connection.fd, IPPROTO_TCP, TCP_CONGESTION, "bbr", 3) == 0) {
		assert_false(is_paced_behind(&here));
		assert_true(is_paced_behind(&elsewhere));
	}
	close(fd);
}

static void test_connect_refused(void **state)
{
	struct address address;
	int fd = listening(&address); /* bound, not listening */

	(void)state;
	connection_close(&connection);
	assert_int_equal(connection_connect(&connection, &loop, &events, &address), 0);
	for (int i = 0; i < 1000 && ends == 0; i++)
		turn();
	assert_int_equal(ends, 1);
	assert_int_equal(end_error, ECONNREFUSED);
	assert_true(connection.connecting);
	close(fd);
}

static void test_connect_fails_at_once(void **state)
{
	struct address nowhere = { .len = sizeof nowhere.u.in };

	(void)state;
	connection_close(&connection);
	nowhere.u.in.sin_family = AF_INET;
	nowhere.u.in.sin_port = htons(9);
	nowhere.u.in.sin_addr.s_addr = htonl(0xffffffff);
	assert_int_equal(connection_connect(&connection, &loop, &events, &nowhere), -1);
	assert_false(connection_is_open(&connection));
}

/* What waits is counted, whichever way it goes. */
static void test_what_waits_is_counted(void **state)
{
	static char bytes[65536];
	const struct iovec piece = { bytes, sizeof bytes };

	(void)state;
	take = 2;
	assert_int_equal(write(peer, "abcde", 5), 5);
	turn();
	assert_int_equal(loop.buffered, 3);
	take = sizeof got;
	connection_again(&connection);
	turn();
	assert_int_equal(loop.buffered, 0);
	while (connection_backlog(&connection) == 0)
		assert_int_equal(connection_write(&connection, &piece, 1), 0);
	assert_int_equal(loop.buffered, connection_backlog(&connection));
	while (connection_backlog(&connection) > 0) {
		assert_true(read(peer, bytes, sizeof bytes) > 0);
		turn();
		assert_int_equal(loop.buffered, connection_backlog(&connection));
	}
	while (connection_backlog(&connection) == 0)
		assert_int_equal(connection_write(&connection, &piece, 1), 0);
	connection_close(&connection);
	assert_int_equal(loop.buffered, 0);
}

/* The more waits, the less each may have; some is kept for those who have nothing. */
static void test_share(void **state)
{
	(void)state;
	assert_int_equal(loop_share(&loop, 1000), 1000);
	loop.buffered_most = 16000;
	assert_int_equal(loop_share(&loop, 1000), 1000);
	assert_int_equal(loop_share(&loop, 2000), 1500);
	loop.buffered = 8000;
	assert_int_equal(loop_share(&loop, 1000), 500);
	loop.buffered = 12000;
	assert_int_equal(loop_share(&loop, 1000), 0);
	loop.buffered = 20000;
	assert_int_equal(loop_share(&loop, 1000), 0);
	loop.buffered = 0;
}

/* Where all is full, a connection may still have a backlog of nothing. */
static void test_full(void **state)
{
	static char bytes[65536];
	const struct iovec piece = { bytes, sizeof bytes };

	(void)state;
	loop.buffered_most = 0;
	assert_false(connection_is_full(&connection));
	while (connection_backlog(&connection) == 0)
		assert_int_equal(connection_write(&connection, &piece, 1), 0);
	assert_true(connection_is_full(&connection));
	loop.buffered_most = SIZE_MAX;
	assert_false(connection_is_full(&connection));
	while (connection_backlog(&connection) <= CONNECTION_BACKLOG_HIGH)
		assert_int_equal(connection_write(&connection, &piece, 1), 0);
	assert_true(connection_is_full(&connection));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_received, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_what_waits_is_counted, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_share, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_full, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_rest_comes_again_with_more, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_again, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_paused, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_resume_brings_the_rest, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_rest_is_bounded, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_backlog_keeps_order, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_end, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_write_to_the_dead, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_nothing_behind_a_gap, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_backlog_without_memory, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_more_behind_a_full_read, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_not_watched_yet, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_cork, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_nothing_after_close, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_connect, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_pace, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_connect_refused, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_connect_fails_at_once, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
