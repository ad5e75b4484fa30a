/* What a client waits for, and how its connection ends. */
#include "config.h"

#include "downstream/client.h"

#include <stdio.h>

#include "base/log.h"
#include "client_scene.h"

static const char get[] = "GET / HTTP/1.1\r\nHost: h\r\n\r\n";
static const char ok[] = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n";
static const char no[] = "HTTP/1.1 413 No\r\nContent-Length: 2\r\nConnection: close\r\n\r\n";

#define LINGER_MS 5000
#define PART_MS   1000
#define WATCH_MS  100
#define TICK_MS   DEADLINE_TICK_MS

static struct wire *wire;
static struct memory_stream *s;

static void begin(const char *request)
{
	wire_send(wire, request);
	s = stream_last();
	stream_connect(s);
}

/* A client that lingers: its upload was not here whole. */
static void begin_lingering(void)
{
	wire = wire_open();
	begin("PUT / HTTP/1.1\r\nHost: h\r\nContent-Length: 100\r\n\r\n");
	stream_answer(s, no, "hi");
	assert_state(wire, CLIENT_LINGER);
}

/* A client that takes the rest of a response; `last`: its connection ends behind it. */
static void begin_flushing(bool last)
{
	wire = wire_open();
	clients.d.close_after_response = last;
	begin(get);
	wire->slow = true;
	stream_answer(s, ok, "hi");
	assert_state(wire, CLIENT_FLUSH);
	clients.d.close_after_response = false;
}

/* --- idle --- */

static void test_an_idle_client_is_dismissed_in_time(void **state)
{
	(void)state;
	clients_start();
	wire = wire_open();
	assert_state(wire, CLIENT_IDLE);
	assert_int_equal(wire->looks, 1);
	assert_int_equal(wire->watches, 1);
	scene_pass(59999);
	assert_state(wire, CLIENT_IDLE);
	scene_pass(1);
	/* It is told so, and has a second: a request may have crossed that. */
	assert_state(wire, CLIENT_LINGER);
	assert_int_equal(wire->finishes, 1);
	scene_pass(PART_MS - 1);
	assert_state(wire, CLIENT_LINGER);
	scene_pass(1);
	assert_closed(wire);
	assert_int_equal(clients.left, 1);
}

/* A request that arrives at the last moment is read next. */
static void test_a_client_whose_request_has_arrived_stays(void **state)
{
	(void)state;
	clients_start();
	wire = wire_open();
	wire->more = true;
	scene_pass(60000);
	assert_state(wire, CLIENT_IDLE);
	assert_int_equal(wire->finishes, 0);
	scene_pass(59999);
	wire->more = false;
	assert_state(wire, CLIENT_IDLE);
	scene_pass(1);
	assert_state(wire, CLIENT_LINGER);
}

/* --- busy --- */

/* A response that comes at once spares the kernel the watching. */
static void test_a_client_is_watched_when_its_response_takes_long(void **state)
{
	unsigned watches;

	(void)state;
	clients_start();
	wire = wire_open();
	wire->c->resting = true;
	begin(get);
	watches = wire->watches;
	scene_pass(WATCH_MS - 1);
	assert_int_equal(wire->watches, watches);
	scene_pass(1);
	assert_int_equal(wire->watches, watches + 1);
	assert_state(wire, CLIENT_BUSY);
	assert_int_equal(clients_count_busy(&clients.d), 1);
	stream_answer(s, ok, "hi");
	assert_state(wire, CLIENT_IDLE);
}

static void test_clients_that_are_at_it_are_of_low_priority(void **state)
{
	(void)state;
	clients_start();
	wire = wire_open();
	assert_false(wire->c->low_priority);
	wire_send(wire, "GET / HTTP/1.1\r\n");
	assert_state(wire, CLIENT_HEAD);
	assert_true(wire->c->low_priority);
	begin("Host: h\r\n\r\n");
	assert_true(wire->c->low_priority);
	stream_answer(s, ok, "hi");
	assert_false(wire->c->low_priority);
}

/* Between two requests it is watched, however fast the response was. */
static void test_a_client_is_watched_behind_its_response(void **state)
{
	(void)state;
	clients_start();
	wire = wire_open();
	wire->c->resting = true;
	begin(get);
	assert_true(wire->c->resting);
	stream_answer(s, ok, "hi");
	assert_false(wire->c->resting);
}

/* What was seen of a head says nothing of what comes next. */
static void test_what_was_seen_is_forgotten(void **state)
{
	(void)state;
	clients_start();
	wire = wire_open();
	wire_send(wire, "GET / HTTP");
	assert_int_equal(client_of_wire(wire)->seen, 10);
	begin("/1.1\r\nHost: h\r\n\r\n");
	stream_answer(s, ok, "hi");
	assert_int_equal(client_of_wire(wire)->seen, 0);
	wire_send(wire, "GET / HTTP");
	begin("/1.1\r\nHost: h\r\n\r\n");
	wire->slow = true;
	stream_answer(s, ok, "hi");
	assert_state(wire, CLIENT_FLUSH);
	assert_int_equal(client_of_wire(wire)->seen, 0);
	wire = wire_open();
	wire_send(wire, "GET / HTTP");
	scene_pass(10000);
	assert_state(wire, CLIENT_LINGER);
	assert_int_equal(client_of_wire(wire)->seen, 0);
}

/* Each time it has to say something anew. */
static void test_a_lingering_client_that_falls_silent(void **state)
{
	(void)state;
	clients_start();
	begin_lingering();
	wire_send(wire, "abc");
	scene_pass(LINGER_MS);
	assert_state(wire, CLIENT_LINGER);
	scene_pass(LINGER_MS);
	assert_closed(wire);
}

static void test_each_client_has_the_routes_of_its_listener(void **state)
{
	static struct route_settings gone = { .answer = { .status = 410 } };
	struct address peer;

	(void)state;
	scene.listeners[1].routes = &gone;
	scene.listeners[1].route_count = 1;
	clients_start();
	wire = &clients.wires[clients.count++];
	assert_int_equal(address_parse_ip("192.0.2.1", &peer), 0);
	assert_int_equal(http1_downstream_open(&clients.d, WIRE_FD, &peer, 1), 0);
	wire_send(wire, get);
	assert_wire(wire, "HTTP/1.1 410 ", NULL, NULL);
}

/* --- the next request --- */

static void test_what_was_sent_behind_is_read_next(void **state)
{
	(void)state;
	clients_start();
	wire = wire_open();
	wire_send(wire, get);
	wire_send(wire, get);
	s = stream_last();
	stream_connect(s);
	assert_int_equal(upstream_memory.count, 1);
	wire->agains = 0;
	stream_answer(s, ok, "hi");
	assert_state(wire, CLIENT_IDLE);
	assert_int_equal(wire->agains, 1);
	wire_read(wire);
	assert_int_equal(upstream_memory.count, 2);
	assert_state(wire, CLIENT_BUSY);
}

static void test_a_client_that_was_paused_is_read_on(void **state)
{
	unsigned resumes;

	(void)state;
	clients_start();
	wire = wire_open();
	begin(get);
	resumes = wire->resumes;
	wire->c->paused = true;
	stream_answer(s, ok, "hi");
	assert_int_equal(wire->resumes, resumes + 1);
	assert_int_equal(wire->agains, 0);
}

/* It sent its request, and ended its sending side. */
static void test_a_client_that_sends_no_more_gets_its_response(void **state)
{
	(void)state;
	clients_start();
	wire = wire_open();
	begin(get);
	wire_end(wire, 0);
	assert_state(wire, CLIENT_BUSY);
	stream_answer(s, ok, "hi");
	assert_closed(wire);
	assert_int_equal(wire->finishes, 1);
	assert_record(1, 200, REASON_DONE, 1);
}

static void test_unless_half_close_is_off(void **state)
{
	(void)state;
	w.settings.half_close = false;
	clients_start();
	wire = wire_open();
	begin(get);
	wire_end(wire, 0);
	assert_closed(wire);
	assert_record(1, 499, REASON_CLIENT_CLOSED, 1);
}

/* A request that is not here whole, and will never be. */
static void test_unless_its_request_is_not_whole(void **state)
{
	(void)state;
	clients_start();
	wire = wire_open();
	begin("PUT / HTTP/1.1\r\nHost: h\r\nContent-Length: 100\r\n\r\nabc");
	wire_end(wire, 0);
	assert_closed(wire);
	assert_record(1, 499, REASON_CLIENT_CLOSED, 1);
}

/* --- lingering --- */

static void test_a_lingering_client_that_says_nothing_is_closed(void **state)
{
	(void)state;
	clients_start();
	begin_lingering();
	assert_int_equal(wire->finishes, 1);
	assert_int_equal(clients.d.linger_count, 1);
	scene_pass(LINGER_MS - 1);
	assert_state(wire, CLIENT_LINGER);
	scene_pass(1);
	assert_closed(wire);
	assert_int_equal(clients.d.linger_count, 0);
}

/* It has as long again as it said something, and half a minute in all. */
static void test_a_lingering_client_that_goes_on(void **state)
{
	(void)state;
	clients_start();
	begin_lingering();
	for (int i = 0; i < 6; i++) {
		wire_send(wire, "abc");
		assert_int_equal(wire->rest, 0);
		scene_pass(LINGER_MS);
		assert_state(wire, CLIENT_LINGER);
	}
	wire_send(wire, "abc");
	scene_pass(LINGER_MS);
	assert_closed(wire);
}

/* Longer than that it may if it sends much, and ten minutes in all. */
static void test_a_lingering_client_that_uploads(void **state)
{
	enum { LEAST = 5 * 65536, TIMES = 600000 / LINGER_MS };

	(void)state;
	clients_start();
	begin_lingering();
	for (int i = 0; i < TIMES; i++) {
		assert_int_equal(client_hear_out(client_of_wire(wire), LEAST), LEAST);
		scene_pass(LINGER_MS);
		assert_state(wire, CLIENT_LINGER);
	}
	assert_int_equal(client_hear_out(client_of_wire(wire), LEAST), LEAST);
	scene_pass(LINGER_MS);
	assert_closed(wire);
}

static void test_a_lingering_client_that_becomes_slow(void **state)
{
	enum { LEAST = 5 * 65536 };

	(void)state;
	clients_start();
	begin_lingering();
	for (int i = 0; i < 20; i++) {
		assert_int_equal(client_hear_out(client_of_wire(wire), LEAST), LEAST);
		scene_pass(LINGER_MS);
	}
	assert_int_equal(client_hear_out(client_of_wire(wire), LEAST - 1), LEAST - 1);
	scene_pass(LINGER_MS);
	assert_closed(wire);
}

/* However much it is: more than can be counted. */
static void test_a_lingering_client_that_sends_much(void **state)
{
	(void)state;
	clients_start();
	begin_lingering();
	assert_int_equal(client_hear_out(client_of_wire(wire), UINT32_MAX), UINT32_MAX);
	assert_int_equal(client_hear_out(client_of_wire(wire), 2), 2);
	scene_pass(LINGER_MS);
	assert_state(wire, CLIENT_LINGER);
}

static void test_a_lingering_client_that_ends(void **state)
{
	(void)state;
	clients_start();
	begin_lingering();
	wire_end(wire, 0);
	assert_closed(wire);
}

/* It ended its sending side before: there is nothing to wait for. */
static void test_a_client_that_has_ended_does_not_linger(void **state)
{
	(void)state;
	clients_start();
	wire = wire_open();
	begin("PUT / HTTP/1.1\r\nHost: h\r\nContent-Length: 100\r\n\r\n");
	wire->c->ended = true;
	stream_answer(s, no, "hi");
	assert_closed(wire);
}

/* --- the rest of a response --- */

static void test_the_next_request_waits_for_the_rest(void **state)
{
	(void)state;
	clients_start();
	begin_flushing(false);
	wire_send(wire, get);
	assert_int_equal(upstream_memory.count, 1);
	assert_int_equal(wire->rest, strlen(get));
	/* Some of it is out, and not all. */
	wire->c->events->drained(wire->c);
	assert_state(wire, CLIENT_FLUSH);
	wire_take(wire);
	assert_state(wire, CLIENT_IDLE);
	wire_read(wire);
	assert_int_equal(upstream_memory.count, 2);
}

static void test_a_client_lingers_behind_the_rest(void **state)
{
	(void)state;
	clients_start();
	begin_flushing(true);
	/* What it sends is thrown away already. */
	wire_send(wire, get);
	assert_int_equal(wire->rest, 0);
	wire_take(wire);
	assert_state(wire, CLIENT_LINGER);
	assert_int_equal(clients.d.linger_count, 1);
}

/* As long as it takes something it may have the rest. */
static void test_a_client_that_takes_little(void **state)
{
	(void)state;
	clients_start();
	begin_flushing(false);
	for (int i = 0; i < 3; i++) {
		wire->backlog--;
		scene_pass(SCENE_RESPONSE);
		assert_state(wire, CLIENT_FLUSH);
	}
	scene_pass(SCENE_RESPONSE);
	assert_reset(wire);
}

static void test_a_client_that_leaves_before_the_rest(void **state)
{
	(void)state;
	clients_start();
	begin_flushing(false);
	wire_end(wire, ECONNRESET);
	assert_closed(wire);
	/* It may have ended its sending side only. */
	begin_flushing(false);
	wire_end(wire, 0);
	assert_state(wire, CLIENT_FLUSH);
	assert_true(client_of_wire(wire)->last);
	wire_take(wire);
	assert_closed(wire);
	/* With a request that waits, that one comes first. */
	begin_flushing(false);
	wire_send(wire, get);
	wire_end(wire, 0);
	assert_false(client_of_wire(wire)->last);
	begin_flushing(true);
	wire_send(wire, get);
	wire_end(wire, 0);
	assert_true(client_of_wire(wire)->last);
}

/* --- what is logged --- */

static char logged[64][96];
static size_t logged_count;

void __wrap_log_debug(const char *format, ...);
void __wrap_log_debug(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	assert_true(logged_count < 64);
	(void)vsnprintf(logged[logged_count++], sizeof *logged, format, arguments);
	va_end(arguments);
}

static void test_each_change_of_state_is_logged(void **state)
{
	static const char *const changes[] = { "idle -> idle", "idle -> head", "head -> busy",
		"busy -> flush", "flush -> idle", "idle -> linger" };
	size_t next = 0;
	char line[96];

	(void)state;
	logged_count = 0;
	assert_int_equal(log_open("stderr", LOG_LEVEL_DEBUG), 0);
	clients_start();
	wire = wire_open();
	wire_send(wire, "GET / HTTP/1.1\r\n");
	begin("Host: h\r\n\r\n");
	wire->slow = true;
	stream_answer(s, ok, "hi");
	wire_take(wire);
	scene_pass(60000);
	assert_int_equal(log_open("stderr", LOG_LEVEL_NOTICE), 0);
	for (size_t i = 0; i < logged_count && next < 6; i++) {
		snprintf(line, sizeof line, "client 192.0.2.1:0: %s", changes[next]);
		next += strcmp(logged[i], line) == 0;
	}
	assert_int_equal(next, 6);
}

/* --- many --- */

/* So many linger at a time: the one that did so for the longest makes way. */
static void test_no_more_linger_than_may(void **state)
{
	struct wire *first = NULL;

	(void)state;
	clients_start();
	for (int i = 0; i < 1025; i++) {
		assert_int_equal(clients.d.linger_count, i);
		wire = wire_open();
		if (i == 0)
			first = wire;
		wire_send(wire, "GET /\r\n\r\n");
		scene.count = 0;
	}
	assert_closed(first);
	assert_state(wire, CLIENT_LINGER);
	assert_int_equal(clients.d.linger_count, 1024);
}

/* The next request of a client that takes its response slowly is not read for ever. */
static void test_so_much_waits_behind_the_rest(void **state)
{
	struct client *c;

	(void)state;
	clients_start();
	begin_flushing(false);
	c = client_of_wire(wire);
	assert_int_equal(client_hear_out(c, LOOP_READ_SIZE - 1), 0);
	assert_int_equal(wire->pauses, 0);
	assert_int_equal(client_hear_out(c, LOOP_READ_SIZE), 0);
	assert_int_equal(wire->pauses, 1);
}

/* Of a unix socket: it has no address, and is not counted. */
static void test_the_peer_of_a_unix_socket(void **state)
{
	struct address peer;
	const char *why;

	(void)state;
	w.settings.limits.connections_per_client = 1;
	clients_start();
	assert_int_equal(address_parse_unix("/run/peer", &peer, &why), 0);
	for (int i = 0; i < 2; i++) {
		wire = &clients.wires[clients.count++];
		assert_int_equal(http1_downstream_open(&clients.d,
					 WIRE_FD + (int)(wire - clients.wires), &peer, 0),
			0);
		assert_state(wire, CLIENT_IDLE);
	}
	begin(get);
	assert_string_equal(s->ip, "");
}

/* --- all of them --- */

static void test_who_is_busy(void **state)
{
	(void)state;
	clients_start();
	(void)wire_open();
	assert_int_equal(clients_count_busy(&clients.d), 0);
	wire = wire_open();
	begin(get);
	assert_int_equal(clients_count_busy(&clients.d), 1);
	wire_send(wire_open(), "GET");
	assert_int_equal(clients_count_busy(&clients.d), 2);
	begin_flushing(false);
	assert_int_equal(clients_count_busy(&clients.d), 3);
	begin_lingering();
	assert_int_equal(clients_count_busy(&clients.d), 3);
	wire = wire_open();
	wire->c->resting = true;
	begin(get);
	assert_int_equal(clients_count_busy(&clients.d), 4);
	assert_int_equal(clients.d.client_count, 6);
}

static void test_idle_clients_are_dismissed(void **state)
{
	struct wire *wires[4];

	(void)state;
	clients_start();
	for (int i = 0; i < 3; i++)
		wires[i] = wire_open();
	/* One that was idle for less than a second may just have sent its next request. */
	scene_pass(999);
	assert_int_equal(clients_dismiss_idle(&clients.d, 10), 0);
	scene_pass(1);
	wires[3] = wire_open();
	/* The next request of this one is there. */
	wires[0]->more = true;
	assert_int_equal(clients_dismiss_idle(&clients.d, 1), 1);
	assert_state(wires[0], CLIENT_IDLE);
	assert_state(wires[1], CLIENT_LINGER);
	assert_int_equal(clients_dismiss_idle(&clients.d, 10), 1);
	assert_state(wires[2], CLIENT_LINGER);
	assert_state(wires[3], CLIENT_IDLE);
}

static void test_room_is_made_by_those_that_need_it_least(void **state)
{
	struct wire *idle, *lingering, *head, *busy;

	(void)state;
	clients_start();
	wire = busy = wire_open();
	begin(get);
	head = wire_open();
	wire_send(head, "GET");
	begin_lingering();
	lingering = wire;
	idle = wire_open();
	scene_pass(999);
	/* The idle one has just come; the lingering one goes in its place. */
	assert_true(clients_make_room(&clients.d));
	assert_closed(lingering);
	assert_false(clients_make_room(&clients.d));
	scene_pass(1);
	assert_true(clients_make_room(&clients.d));
	assert_closed(idle);
	assert_true(clients_make_room(&clients.d));
	assert_closed(head);
	assert_wire(head, "HTTP/1.1 503 ", "Connection: close\r\n", NULL);
	assert_int_equal(scene.records[scene.count - 1].reason, REASON_NO_ROOM);
	assert_false(clients_make_room(&clients.d));
	assert_state(busy, CLIENT_BUSY);
}

/* Those that were dismissed between two requests go before those that were told so by a response.
 */
static void test_which_lingering_client_goes_first(void **state)
{
	struct wire *dismissed, *lingering;

	(void)state;
	clients_start();
	dismissed = wire_open();
	scene_pass(1000);
	begin_lingering();
	lingering = wire;
	assert_int_equal(clients_dismiss_idle(&clients.d, 1), 1);
	assert_true(clients_make_room(&clients.d));
	assert_closed(dismissed);
	assert_state(lingering, CLIENT_LINGER);
}

static void test_a_client_that_takes_nothing_is_cut(void **state)
{
	(void)state;
	clients_start();
	begin_flushing(false);
	wire->backlog--;
	assert_false(clients_cut_flushing(&client_of_wire(wire)->deadline));
	assert_state(wire, CLIENT_FLUSH);
	assert_true(clients_cut_flushing(&client_of_wire(wire)->deadline));
	assert_reset(wire);
}

/* --- how they come --- */

static void test_each_address_has_so_many_connections(void **state)
{
	struct wire *first, *second;

	(void)state;
	w.settings.limits.connections_per_client = 2;
	clients_start();
	first = wire_open();
	second = wire_open();
	wire = wire_open();
	assert_wire(wire, "HTTP/1.1 429 ", "Connection: close\r\n", NULL);
	assert_int_equal(wire->looks, 0);
	assert_state(wire, CLIENT_LINGER);
	assert_record(1, 429, REASON_CLIENT_LIMIT, 0);
	assert_state(first, CLIENT_IDLE);
	assert_state(second, CLIENT_IDLE);
	assert_state(wire_open_from("192.0.2.2"), CLIENT_IDLE);
	/* One that has gone makes room for another. */
	wire_end(first, 0);
	assert_closed(first);
	assert_state(wire_open(), CLIENT_IDLE);
}

static void test_any_number_where_there_is_no_limit(void **state)
{
	(void)state;
	clients_start();
	for (int i = 0; i < 10; i++)
		assert_state(wire_open(), CLIENT_IDLE);
	assert_null(clients.d.sources.tree);
}

static void test_a_client_that_there_is_no_memory_to_count(void **state)
{
	(void)state;
	w.settings.limits.connections_per_client = 1;
	clients_start();
	(void)wire_open_from("192.0.2.9"); /* makes room for the struct */
#ifdef __SANITIZE_ADDRESS__
	mem_fail_after(1); /* each struct is a block of its own there */
#else
	mem_fail_after(0);
#endif
	wire = wire_open();
	mem_fail_after(-1);
	assert_state(wire, CLIENT_IDLE);
	assert_null(client_of_wire(wire)->source);
}

static void test_a_head_that_does_not_arrive(void **state)
{
	(void)state;
	clients_start();
	wire = wire_open();
	wire_send(wire, "GET / HTTP");
	scene_pass(5000);
	/* More of it does not put that off. */
	wire_send(wire, "/1.1\r\n");
	scene_pass(4999);
	assert_state(wire, CLIENT_HEAD);
	scene_pass(1);
	assert_wire(wire, "HTTP/1.1 408 ", "Connection: close\r\n", NULL);
	assert_state(wire, CLIENT_LINGER);
	assert_int_equal(assert_record(1, 408, REASON_HEAD_TIMEOUT, 0)->start_us, POOLS_BEGIN_US);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			test_an_idle_client_is_dismissed_in_time, clients_begin, clients_end),
		cmocka_unit_test_setup_teardown(
			test_a_client_whose_request_has_arrived_stays, clients_begin, clients_end),
		cmocka_unit_test_setup_teardown(
			test_a_client_is_watched_when_its_response_takes_long, clients_begin,
			clients_end),
		cmocka_unit_test_setup_teardown(test_clients_that_are_at_it_are_of_low_priority,
			clients_begin, clients_end),
		cmocka_unit_test_setup_teardown(
			test_what_was_sent_behind_is_read_next, clients_begin, clients_end),
		cmocka_unit_test_setup_teardown(
			test_a_client_that_was_paused_is_read_on, clients_begin, clients_end),
		cmocka_unit_test_setup_teardown(test_a_client_that_sends_no_more_gets_its_response,
			clients_begin, clients_end),
		cmocka_unit_test_setup_teardown(
			test_unless_half_close_is_off, clients_begin, clients_end),
		cmocka_unit_test_setup_teardown(
			test_unless_its_request_is_not_whole, clients_begin, clients_end),
		cmocka_unit_test_setup_teardown(test_a_lingering_client_that_says_nothing_is_closed,
			clients_begin, clients_end),
		cmocka_unit_test_setup_teardown(
			test_a_lingering_client_that_goes_on, clients_begin, clients_end),
		cmocka_unit_test_setup_teardown(
			test_a_lingering_client_that_uploads, clients_begin, clients_end),
		cmocka_unit_test_setup_teardown(
			test_a_lingering_client_that_becomes_slow, clients_begin, clients_end),
		cmocka_unit_test_setup_teardown(
			test_a_lingering_client_that_sends_much, clients_begin, clients_end),
		cmocka_unit_test_setup_teardown(
			test_a_lingering_client_that_ends, clients_begin, clients_end),
		cmocka_unit_test_setup_teardown(
			test_a_client_that_has_ended_does_not_linger, clients_begin, clients_end),
		cmocka_unit_test_setup_teardown(
			test_the_next_request_waits_for_the_rest, clients_begin, clients_end),
		cmocka_unit_test_setup_teardown(
			test_a_client_lingers_behind_the_rest, clients_begin, clients_end),
		cmocka_unit_test_setup_teardown(
			test_a_client_that_takes_little, clients_begin, clients_end),
		cmocka_unit_test_setup_teardown(
			test_a_client_that_leaves_before_the_rest, clients_begin, clients_end),
		cmocka_unit_test_setup_teardown(test_who_is_busy, clients_begin, clients_end),
		cmocka_unit_test_setup_teardown(
			test_idle_clients_are_dismissed, clients_begin, clients_end),
		cmocka_unit_test_setup_teardown(
			test_room_is_made_by_those_that_need_it_least, clients_begin, clients_end),
		cmocka_unit_test_setup_teardown(
			test_which_lingering_client_goes_first, clients_begin, clients_end),
		cmocka_unit_test_setup_teardown(
			test_a_client_that_takes_nothing_is_cut, clients_begin, clients_end),
		cmocka_unit_test_setup_teardown(
			test_each_address_has_so_many_connections, clients_begin, clients_end),
		cmocka_unit_test_setup_teardown(
			test_any_number_where_there_is_no_limit, clients_begin, clients_end),
		cmocka_unit_test_setup_teardown(
			test_a_client_that_there_is_no_memory_to_count, clients_begin, clients_end),
		cmocka_unit_test_setup_teardown(
			test_a_head_that_does_not_arrive, clients_begin, clients_end),
		cmocka_unit_test_setup_teardown(
			test_each_change_of_state_is_logged, clients_begin, clients_end),
		cmocka_unit_test_setup_teardown(
			test_no_more_linger_than_may, clients_begin, clients_end),
		cmocka_unit_test_setup_teardown(
			test_so_much_waits_behind_the_rest, clients_begin, clients_end),
		cmocka_unit_test_setup_teardown(
			test_the_peer_of_a_unix_socket, clients_begin, clients_end),
		cmocka_unit_test_setup_teardown(
			test_a_client_is_watched_behind_its_response, clients_begin, clients_end),
		cmocka_unit_test_setup_teardown(
			test_what_was_seen_is_forgotten, clients_begin, clients_end),
		cmocka_unit_test_setup_teardown(
			test_a_lingering_client_that_falls_silent, clients_begin, clients_end),
		cmocka_unit_test_setup_teardown(test_each_client_has_the_routes_of_its_listener,
			clients_begin, clients_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
