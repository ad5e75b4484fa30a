/*
 * Bytes that go from one connection to another through the loop's pipe: never more than asked for,
 * never more than the other takes, all of them in order whatever happens in between, and by the
 * usual way where there is no pipe.
 */
#include "config.h"

#include <errno.h>
#include <event2/buffer.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/memory.h"
#include "net/connection_splice.h"
#include "tcp_pair.h"

#define SIZE ((size_t)4 * 1024 * 1024)

static struct loop loop;
static struct connection from, to;
static int source, sink; /* the far ends */
static char *sent, *got;

static uint64_t most;   /* what `splice` asks for */
static ssize_t drawn;   /* what it got last */
static size_t flown;    /* in all */
static size_t received; /* by the usual way */
static int poured;      /* the last result */
static void (*between)(void);
static int ends, end_error;

/* What every owner does. */
static void throttle(void)
{
	if (to.broken || connection_is_full(&to))
		connection_pause(&from);
}

/* As much as the receiver has room for. */
static ssize_t move(uint64_t wanted)
{
	size_t room = connection_splice_room(&to);

	return connection_splice_in(&from, wanted < room ? (size_t)wanted : room);
}

static bool splice(struct connection *s)
{
	drawn = move(most);
	if (drawn <= 0)
		return drawn == 0;
	flown += (size_t)drawn;
	most -= (uint64_t)drawn;
	if (most == 0)
		connection_pause(s);
	if (between != NULL)
		between();
	poured = connection_splice_out(&to, (size_t)drawn);
	throttle();
	return true;
}

static size_t receive(struct connection *s, const char *data, size_t len)
{
	struct iovec piece = { (void *)(uintptr_t)data, len };

	received += len;
	if (s != &from)
		return len;
	assert_int_equal(connection_write(&to, &piece, 1), 0);
	throttle();
	return len;
}

static void drained(struct connection *s)
{
	if (s == &to && !to.broken && !connection_is_full(&to))
		connection_resume(&from);
}

static void ended(struct connection *s, int error)
{
	ends += s == &from;
	end_error = error;
}

static const struct connection_events events = {
	.received = receive,
	.drained = drained,
	.ended = ended,
	.splice = splice,
};

static void *allocate_again(void *block, size_t size)
{
	return mem_resize(block, size, 1);
}

static void turn(void)
{
	(void)loop_turn(&loop, false);
}

static int open_all(int in[2], int out[2])
{
	if (loop_init(&loop) == -1)
		return -1;
	source = in[0];
	sink = out[1];
	most = UINT64_MAX;
	drawn = -2;
	flown = received = 0;
	poured = ends = end_error = 0;
	between = NULL;
	sent = malloc(SIZE);
	got = calloc(1, SIZE);
	for (size_t i = 0; i < SIZE; i++)
		sent[i] = (char)(i * 2654435761u >> 13);
	connection_open(&from, &loop, &events, in[1]);
	connection_watch(&from);
	from.splices = true;
	connection_open(&to, &loop, &events, out[0]);
	connection_watch(&to);
	return 0;
}

static int set_up(void **state)
{
	int in[2], out[2];

	(void)state;
	tcp_pair(in);
	tcp_pair(out);
	return open_all(in, out);
}

static int set_up_unix(void **state)
{
	int in[2], out[2];

	(void)state;
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, in) == -1 ||
		socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, out) == -1)
		return -1;
	return open_all(in, out);
}

static int tear_down(void **state)
{
	(void)state;
	connection_close(&from);
	connection_close(&to);
	loop_fini(&loop);
	if (source != -1)
		close(source);
	if (sink != -1)
		close(sink);
	free(sent);
	free(got);
	return 0;
}

/* Says `len` bytes, beginning with that at `at`; returns how many the socket took. */
static size_t say(size_t at, size_t len)
{
	ssize_t n = write(source, sent + at, len);

	return n > 0 ? (size_t)n : 0;
}

/* Says as much as the socket takes at once, which is a few times what flows at least. */
static size_t say_much(void)
{
	size_t n = say(0, 128 * 1024);

	assert_true(n >= 64 * 1024);
	return n;
}

/* Reads what came out until `len` bytes are there. */
static void hear(size_t len)
{
	size_t at = 0;

	for (int i = 0; i < 100000 && at < len; i++) {
		ssize_t n = read(sink, got + at, len - at);

		if (n > 0)
			at += (size_t)n;
		turn();
	}
	assert_int_equal(at, len);
	assert_memory_equal(got, sent, len);
}

static void test_all_of_it(void **state)
{
	size_t said = 0, heard = 0;

	(void)state;
	for (int i = 0; i < 100000 && heard < SIZE; i++) {
		ssize_t n;

		said += said < SIZE ? say(said, SIZE - said) : 0;
		turn();
		n = read(sink, got + heard, SIZE - heard);
		heard += n > 0 ? (size_t)n : 0;
	}
	assert_int_equal(heard, SIZE);
	assert_memory_equal(got, sent, SIZE);
	assert_true(flown > SIZE / 2);
	assert_int_equal(flown + received, SIZE);
	assert_int_equal(loop.buffered, 0);
}

static void test_no_more_than_asked(void **state)
{
	char left[8];

	(void)state;
	most = 40000;
	assert_int_equal(say(0, 40001), 40001);
	turn();
	assert_int_equal(drawn, 40000);
	assert_int_equal(received, 0);
	assert_true(connection_has_more(&from));
	assert_int_equal(recv(from.fd, left, sizeof left, MSG_DONTWAIT), 1);
	assert_int_equal(left[0], sent[40000]);
	hear(40000);
}

static void test_too_little_is_copied(void **state)
{
	(void)state;
	most = 1000;
	assert_int_equal(say(0, 1000), 1000);
	turn();
	assert_int_equal(drawn, -1);
	assert_int_equal(received, 1000);
}

/* Fills what the socket has room for. Returns how much it was. */
static size_t fill(int fd)
{
	static const char junk[4096];
	size_t total = 0;
	ssize_t n;

	while ((n = send(fd, junk, sizeof junk, MSG_NOSIGNAL)) > 0)
		total += (size_t)n;
	return total;
}

static void empty(size_t len)
{
	while (len > 0) {
		ssize_t n = read(sink, got, len < SIZE ? len : SIZE);

		if (n > 0)
			len -= (size_t)n;
		else
			assert_int_equal(errno, EAGAIN);
	}
}

/* It is as full as a slow peer lets it be: the caps of the usual way hold. */
static void test_full_socket(void **state)
{
	size_t filled = fill(to.fd), n = say_much(), copied;

	(void)state;
	turn();
	assert_int_equal(drawn, -1);
	copied = received;
	assert_in_range(copied, 1, LOOP_READ_SIZE);
	assert_int_equal(connection_backlog(&to), copied);
	/* Nothing overtakes a backlog. */
	assert_int_equal(move(most), -1);
	empty(filled);
	hear(n);
}

static size_t filled;

static void fill_now(void)
{
	filled = fill(to.fd);
	between = NULL;
}

/* What was drawn and is not taken any more is kept and counted as all else. */
static void test_filled_in_between(void **state)
{
	size_t n = say_much();

	(void)state;
	between = fill_now;
	turn();
	assert_true(drawn > 0);
	assert_int_equal(poured, 0);
	assert_int_equal(connection_backlog(&to), drawn);
	assert_int_equal(loop.buffered, drawn);
	empty(filled);
	hear(n);
	assert_int_equal(loop.buffered, 0);
}

static void write_before(void)
{
	struct iovec piece = { sent, 5 };

	assert_int_equal(connection_write(&to, &piece, 1), 0);
	between = NULL;
}

static void test_written_before(void **state)
{
	(void)state;
	between = write_before;
	assert_int_equal(say(5, 50000), 50000);
	turn();
	assert_int_equal(flown, 50000);
	hear(50005);
}

static void fill_and_write_before(void)
{
	filled = fill(to.fd);
	write_before();
}

static void test_behind_what_waits(void **state)
{
	(void)state;
	between = fill_and_write_before;
	assert_int_equal(say(5, 50000), 50000);
	turn();
	assert_int_equal(connection_backlog(&to), 50005);
	empty(filled);
	hear(50005);
}

static void fill_without_memory(void)
{
	filled = fill(to.fd);
	mem_fail_after(0);
}

static void expect_empty_pipe(void)
{
	char byte;

	if (loop.pipe.ends[0] != -1)
		assert_int_equal(read(loop.pipe.ends[0], &byte, 1), -1);
}

/* A part is missing: nothing may come behind it, and the pipe must not keep it for another. */
static void test_no_memory(void **state)
{
	(void)state;
	between = fill_without_memory;
	(void)say_much();
	turn();
	mem_fail_after(-1);
	assert_int_equal(poured, -1);
	assert_true(to.broken);
	expect_empty_pipe();
}

static void close_sink(void)
{
	struct linger none = { .l_onoff = 1 };

	(void)setsockopt(sink, SOL_SOCKET, SO_LINGER, &none, sizeof none);
	close(sink);
	sink = -1;
	between = NULL;
}

static void find_sink_closed(void)
{
	close_sink();
	assert_int_equal(connection_write(&to, &(struct iovec){ sent, 1 }, 1), 0);
	assert_true(to.broken);
}

/* What nobody takes is not given to the next one. */
static void lose_peer(void (*how)(void))
{
	int out[2];
	size_t n = say_much(), lost;

	between = how;
	turn();
	assert_true(drawn > 0);
	assert_int_equal(poured, 0);
	assert_true(to.broken);
	expect_empty_pipe();
	lost = flown;
	connection_close(&to);
	tcp_pair(out);
	sink = out[1];
	connection_open(&to, &loop, &events, out[0]);
	connection_watch(&to);
	connection_resume(&from);
	/* The rest of what came, and more of the same. */
	memmove(sent, sent + lost, SIZE - lost);
	hear(n - lost);
	assert_int_equal(say(n - lost, 50000), 50000);
	flown = 0;
	turn();
	assert_int_equal(flown, 50000);
	assert_int_equal(read(sink, got, SIZE), 50000);
	assert_memory_equal(got, sent + n - lost, 50000);
}

static void test_peer_gone(void **state)
{
	(void)state;
	lose_peer(close_sink);
}

static void test_peer_known_to_be_gone(void **state)
{
	(void)state;
	lose_peer(find_sink_closed);
}

static void test_end(void **state)
{
	(void)state;
	(void)say_much();
	shutdown(source, SHUT_WR);
	for (int i = 0; i < 10; i++)
		turn();
	assert_int_equal(ends, 1);
	assert_int_equal(end_error, 0);
	assert_int_equal(drawn, -1);
}

/* The kernel stops before it, and says what it says at the end: what is behind it comes all the
 * same, and nobody turns in circles for it. */
static void test_urgent_data(void **state)
{
	(void)state;
	assert_int_equal(say(0, 50000), 50000);
	assert_int_equal(send(source, "!", 1, MSG_OOB), 1);
	assert_int_equal(say(50000, 50000), 50000);
	hear(100000);
	assert_int_equal(ends, 0);
	assert_int_equal(flown + received, 100000);
	assert_true(flown > 0);
}

/* A reset must not look like an end: of the two only one makes a body whole. */
static void test_reset(void **state)
{
	struct linger none = { .l_onoff = 1 };

	(void)state;
	(void)setsockopt(source, SOL_SOCKET, SO_LINGER, &none, sizeof none);
	close(source);
	source = -1;
	turn();
	assert_int_equal(ends, 1);
	assert_int_equal(end_error, ECONNRESET);
	assert_int_equal(drawn, 0);
}

static void test_without_a_pipe(void **state)
{
	struct rlimit limit, none;
	size_t n = say_much();

	(void)state;
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
	none = limit;
	none.rlim_cur = 3;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
	turn();
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
	assert_int_equal(drawn, -1);
	assert_int_equal(loop.pipe.ends[0], -1);
	hear(n);
	assert_int_equal(received, n);
	/* There is one now. */
	memmove(sent, sent + n, SIZE - n);
	n = say_much();
	hear(n);
	assert_true(flown > 0);
}

/* Where others have used up the buffers, what cannot be taken back has no place. */
static void test_buffers_used_up(void **state)
{
	(void)state;
	loop.buffered_most = 1024 * 1024;
	loop.buffered += 700 * 1024;
	(void)say_much();
	turn();
	loop.buffered -= 700 * 1024;
	assert_int_equal(drawn, -1);
}

static void test_rest_first(void **state)
{
	size_t n;

	(void)state;
	from.splices = false;
	assert_int_equal(say(0, 3), 3);
	turn();
	hear(3);
	from.splices = true;
	from.rest = evbuffer_new();
	n = say(0, 50000);
	assert_int_equal(n, 50000);
	assert_int_equal(move(n), -1);
	evbuffer_free(from.rest);
	from.rest = NULL;
}

#define ON_TCP(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
#define ON_UNIX(test)                                                                              \
	{                                                                                          \
#test " on unix sockets", test, set_up_unix, tear_down, NULL                       \
	}

int main(void)
{
	const struct CMUnitTest tests[] = {
		ON_TCP(test_all_of_it),
		ON_UNIX(test_all_of_it),
		ON_TCP(test_no_more_than_asked),
		ON_UNIX(test_no_more_than_asked),
		ON_TCP(test_too_little_is_copied),
		ON_TCP(test_full_socket),
		ON_UNIX(test_full_socket),
		ON_TCP(test_filled_in_between),
		ON_UNIX(test_filled_in_between),
		ON_TCP(test_written_before),
		ON_TCP(test_behind_what_waits),
		ON_TCP(test_no_memory),
		ON_TCP(test_peer_gone),
		ON_TCP(test_peer_known_to_be_gone),
		ON_TCP(test_end),
		ON_UNIX(test_end),
		ON_TCP(test_urgent_data),
		ON_TCP(test_reset),
		ON_TCP(test_without_a_pipe),
		ON_TCP(test_buffers_used_up),
		ON_TCP(test_rest_first),
	};

	event_set_mem_functions(mem_alloc, allocate_again, mem_free);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
