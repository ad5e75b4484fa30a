/* Requests as they come over a connection: one at a time, strictly, and no more than is taken. */
#include "config.h"

#include "downstream/http1_downstream_read.h"

#include "client_scene.h"

static const char get[] = "GET / HTTP/1.1\r\nHost: h\r\n\r\n";
static const char ok[] = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n";

static struct wire *wire;
static struct memory_stream *s;

static void begin(const char *request)
{
	wire = wire_open();
	wire_send(wire, request);
	s = stream_last();
	stream_connect(s);
}

static void test_a_head_may_come_in_pieces(void **state)
{
	(void)state;
	clients_start();
	wire = wire_open();
	scene_pass(1000);
	wire_send(wire, "G");
	assert_state(wire, CLIENT_HEAD);
	assert_int_equal(wire->rest, 1);
	assert_int_equal(client_of_wire(wire)->seen, 1);
	scene_pass(1000);
	wire_send(wire, "ET /a HTTP/1.1\r\nHost: h\r");
	assert_int_equal(client_of_wire(wire)->seen, 25);
	wire_send(wire, "\n\r\n");
	assert_state(wire, CLIENT_BUSY);
	assert_int_equal(wire->rest, 0);
	assert_string_equal(stream_last()->target, "/a");
	stream_connect(stream_last());
	stream_answer(stream_last(), ok, "hi");
	/* It began with its first byte. */
	assert_int_equal(scene.records[0].start_us, POOLS_BEGIN_US + 1000 * POOLS_MS);
}

static void test_a_request_tells_who_sent_it(void **state)
{
	(void)state;
	clients_start();
	begin(get);
	assert_string_equal(s->ip, "192.0.2.1");
	stream_answer(s, ok, "hi");
	assert_slice(scene.records[0].client.text, "192.0.2.1:0");
	wire = wire_open_from("2001:db8::1");
	wire_send(wire, get);
	assert_string_equal(stream_last()->ip, "2001:db8::1");
	exchange_stop(client_of_wire(wire)->exchange);
	assert_slice(scene.records[1].client.text, "[2001:db8::1]:0");
}

static void test_what_is_malformed_is_refused(void **state)
{
	(void)state;
	clients_start();
	wire = wire_open();
	wire_send(wire, "GET /\r\nHost: h\r\n\r\nGET / HTTP/1.1\r\nHost: h\r\n\r\n");
	assert_wire(wire, "HTTP/1.1 400 ", "Connection: close\r\n", NULL);
	assert_state(wire, CLIENT_LINGER);
	/* Nothing of what follows is read: it may be part of this one. */
	assert_int_equal(wire->rest, 0);
	assert_int_equal(upstream_memory.count, 0);
	assert_slice(assert_record(1, 400, REASON_BAD_REQUEST, 0)->line, "GET /");
	/* A HEAD gets no content. */
	wire = wire_open();
	wire_send(wire, "HEAD / HTTP/1.1\r\nHost : h\r\n\r\n");
	assert_memory_equal(wire->out + wire->len - 4, "\r\n\r\n", 4);
	assert_wire(wire, "HTTP/1.1 400 ", NULL, NULL);
}

static void test_half_a_head_of_a_client_that_has_ended(void **state)
{
	(void)state;
	clients_start();
	wire = wire_open();
	wire->c->ended = true;
	wire_send(wire, "GET / HTTP");
	assert_closed(wire);
	assert_int_equal(wire->len, 0);
	assert_int_equal(scene.count, 0);
}

static void test_a_client_that_leaves_between_requests(void **state)
{
	(void)state;
	clients_start();
	for (int error = 0; error < 2; error++) {
		wire = wire_open();
		wire_end(wire, error * ECONNRESET);
		assert_closed(wire);
		wire = wire_open();
		wire_send(wire, "GET / HTTP");
		wire_end(wire, error * ECONNRESET);
		assert_closed(wire);
	}
	assert_int_equal(scene.count, 0);
}

/* --- content --- */

static void test_content_loses_its_framing(void **state)
{
	(void)state;
	clients_start();
	begin("PUT / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n");
	assert_sent(s, "abc", false);
	wire_send(wire, "3\r\ndef\r\n0\r\nX-Sum: 42\r\n\r\nGET");
	assert_sent(s, "abcdef", true);
	assert_string_equal(s->trailer, "42");
	/* The next request waits. */
	assert_int_equal(wire->rest, 3);
}

/* More pieces than fit into one content. */
static void test_content_in_many_chunks(void **state)
{
	static char chunks[1024], all[128];

	(void)state;
	clients_start();
	begin("PUT / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n");
	for (int i = 0; i < 2 * CONTENT_PIECES + 1; i++) {
		strcat(chunks, "1\r\nx\r\n");
		strcat(all, "x");
	}
	wire_send(wire, chunks);
	assert_sent(s, all, false);
	assert_int_equal(wire->rest, 0);
}

static void test_content_that_is_malformed(void **state)
{
	(void)state;
	clients_start();
	begin("PUT / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n");
	wire_send(wire, "x\r\nGET / HTTP/1.1\r\n");
	assert_wire(wire, "HTTP/1.1 400 ", "Connection: close\r\n", NULL);
	assert_int_equal(wire->rest, 0);
	assert_state(wire, CLIENT_LINGER);
	assert_stream_ended(s, UPSTREAM_CLOSE);
	assert_record(1, 400, REASON_BAD_REQUEST, 1);
}

/* The exchange ends over it: what comes behind is thrown away. */
static void test_content_that_ends_the_exchange(void **state)
{
	(void)state;
	clients_start();
	begin("PUT / HTTP/1.1\r\nHost: h\r\nContent-Length: 100\r\n\r\n");
	s->no_memory = true;
	wire_send(wire, "abc");
	assert_wire(wire, "HTTP/1.1 503 ", "Connection: close\r\n", NULL);
	assert_int_equal(wire->rest, 0);
	assert_state(wire, CLIENT_LINGER);
}

/* The request was whole: the connection goes on, and so does the request behind it. */
static void test_the_end_of_content_that_ends_the_exchange(void **state)
{
	(void)state;
	clients_start();
	begin("PUT / HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\n");
	s->no_memory = true;
	wire_send(wire, "abcGET /next HTTP/1.1\r\n");
	assert_wire(wire, "HTTP/1.1 503 ", NULL, "Connection: close");
	assert_state(wire, CLIENT_IDLE);
	assert_int_equal(wire->agains, 1);
	wire_send(wire, "Host: h\r\n\r\n");
	assert_int_equal(wire->rest, 0);
	s = stream_last();
	stream_connect(s);
	assert_string_equal(s->target, "/next");
}

/* There is more to come of these: the connection is watched at once. */
static void test_what_has_more_to_come_is_watched(void **state)
{
	static const struct {
		const char *head;
		bool more;
	} cases[] = { { get, false },
		{ "PUT / HTTP/1.1\r\nHost: h\r\nContent-Length: 100\r\n\r\n", true },
		{ "GET / HTTP/1.1\r\nHost: h\r\nConnection: upgrade\r\n"
		  "Upgrade: websocket\r\n\r\n",
			true } };

	(void)state;
	clients_start();
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		wire = wire_open();
		wire->c->resting = true;
		wire_send(wire, cases[i].head);
		assert_int_equal(wire->c->resting, !cases[i].more);
	}
}

static void test_small_pieces_are_of_low_priority(void **state)
{
	static char much[1025];

	(void)state;
	memset(much, 'x', 1024);
	clients_start();
	begin("PUT / HTTP/1.1\r\nHost: h\r\nContent-Length: 10000\r\n\r\n");
	wire_send(wire, much);
	assert_false(wire->c->low_priority);
	wire_send(wire, much + 1);
	assert_true(wire->c->low_priority);
}

/* --- what is not taken --- */

static void test_so_much_waits_behind_a_request(void **state)
{
	static char much[WIRE_BYTES + 1];

	(void)state;
	clients_start();
	begin(get);
	memset(much, 'x', WIRE_BYTES);
	wire_send(wire, much);
	assert_int_equal(wire->pauses, 0);
	assert_int_equal(wire->rest, WIRE_BYTES);
	/* The share of a connection is less as memory fills up. */
	w.loop.buffered_most = 4 * 8 * WIRE_BYTES / 3 + 4;
	wire_read(wire);
	assert_int_equal(wire->pauses, 1);
	assert_int_equal(wire->rest, WIRE_BYTES);
	w.loop.buffered_most = SIZE_MAX;
}

/* Content of a request that waits for a backend: less waits unread. */
static void test_content_waits_for_a_backend(void **state)
{
	static char much[CONTENT_HELD_MAX + 1];

	(void)state;
	scene_only(0);
	w.app.queue = 2;
	w.backends[0].max_requests = 1;
	clients_start();
	begin(get);
	wire = wire_open();
	memset(much, 'x', CONTENT_HELD_MAX);
	wire_send(wire, "PUT / HTTP/1.1\r\nHost: h\r\nContent-Length: 100000\r\n\r\n");
	wire_send(wire, much + 1);
	assert_int_equal(wire->pauses, 0);
	wire_send(wire, "x");
	assert_int_equal(wire->pauses, 1);
	assert_int_equal(wire->rest, CONTENT_HELD_MAX);
	/* The client may end its sending side: its content is here. */
	wire_end(wire, 0);
	assert_state(wire, CLIENT_BUSY);
	wire->rest = 0;
	wire_end(wire, 0);
	assert_closed(wire);
}

/* --- through the pipe --- */

/* A long upload that nobody has to look at. */
static void begin_splicing(void)
{
	clients_start();
	upstream_memory.splice_room = 40000;
	begin("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1000000\r\n\r\n");
	assert_true(wire->c->splices);
	wire_send(wire, "abc");
	/* Content did not come in small pieces: it is not one of low priority any more. */
	assert_true(wire->c->low_priority);
}

static void test_long_content_goes_through_the_pipe(void **state)
{
	(void)state;
	begin_splicing();
	wire->splice_result = 40000;
	assert_true(wire->c->events->splice(wire->c));
	assert_false(wire->c->low_priority);
	assert_int_equal(wire->splice_most, 40000);
	assert_int_equal(s->spliced, 40000);
	assert_false(s->whole);
	/* No more than there is of it. */
	upstream_memory.splice_room = wire->splice_result = 2000000;
	assert_true(wire->c->events->splice(wire->c));
	assert_int_equal(wire->splice_most, 1000000 - 3 - 40000);
	assert_true(s->whole);
	stream_answer(s, ok, "hi");
	assert_state(wire, CLIENT_IDLE);
}

static void test_what_cannot_be_spliced_is_read(void **state)
{
	(void)state;
	begin_splicing();
	wire->splice_result = -1;
	assert_false(wire->c->events->splice(wire->c));
	assert_int_equal(s->spliced, 0);
	/* The connection has failed, and that was told. */
	wire->splice_result = 0;
	assert_true(wire->c->events->splice(wire->c));
	assert_int_equal(s->spliced, 0);
	/* The backend takes nothing from the pipe. */
	upstream_memory.splice_room = 0;
	wire->splice_result = 10;
	assert_false(wire->c->events->splice(wire->c));
	assert_int_equal(s->spliced, 0);
}

static void test_a_tunnel_goes_through_the_pipe(void **state)
{
	(void)state;
	clients_start();
	upstream_memory.splice_room = 40000;
	begin("GET / HTTP/1.1\r\nHost: h\r\nConnection: upgrade\r\n"
	      "Upgrade: websocket\r\n\r\n");
	assert_true(stream_head(s, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
				   "Connection: upgrade\r\n\r\n"));
	assert_false(wire->c->low_priority);
	wire->splice_result = 40000;
	assert_true(wire->c->events->splice(wire->c));
	assert_int_equal(s->spliced, 40000);
	/* A tunnel has no end of this kind. */
	assert_false(s->whole);
	/* And nothing of it is something. */
	wire_read(wire);
	assert_int_equal(s->len, 0);
	wire->c->full = true;
	wire->c->splices = false;
	wire_send(wire, "abc");
	assert_true(wire->c->splices);
}

/* What comes behind the content, in the same piece or later, is the tunnel's; the content is read
 * to its end first, whether the 101 came before that or not. */
static void test_a_tunnel_begins_behind_the_content(void **state)
{
	static const char head[] = "POST / HTTP/1.1\r\nHost: h\r\nConnection: upgrade\r\n"
				   "Upgrade: tcp\r\nTransfer-Encoding: chunked\r\n\r\n";
	static const char change[] = "HTTP/1.1 101 UPGRADED\r\nUpgrade: tcp\r\n"
				     "Connection: upgrade\r\n\r\n";

	(void)state;
	clients_start();
	begin(head);
	wire_send(wire, "2\r\n{}\r\n0\r\n\r\nGET / early");
	assert_sent(s, "{}", true);
	assert_true(stream_head(s, change));
	assert_int_equal(wire->agains, 1);
	wire_read(wire);
	assert_sent(s, "{}GET / early", true);
	begin(head);
	wire_send(wire, "2\r\n{");
	assert_true(stream_head(s, change));
	wire_send(wire, "}\r\n0\r\n\r");
	assert_false(s->whole);
	wire_send(wire, "\n2\r\nthis stays");
	assert_sent(s, "{}2\r\nthis stays", true);
	wire_send(wire, " as it is");
	assert_sent(s, "{}2\r\nthis stays as it is", true);
}

/* --- memory --- */

static void test_without_memory_there_is_no_client(void **state)
{
	struct address peer;

	(void)state;
	clients_start();
	assert_int_equal(address_parse_ip("192.0.2.1", &peer), 0);
	mem_fail_after(0);
	assert_int_equal(http1_downstream_open(&clients.d, WIRE_FD, &peer, 0), -1);
	mem_fail_after(-1);
	assert_int_equal(clients.d.client_count, 0);
}

static void test_without_memory_a_request_is_refused(void **state)
{
	(void)state;
	clients_start();
	/* For the exchange; for what Connection names; with the exchange of before, for its head.
	 */
	for (long i = 0; i < 3; i++) {
		wire = wire_open();
		mem_fail_after(i > 0);
		wire_send(wire, "PUT / HTTP/1.1\r\nHost: h\r\nConnection: x-a\r\n"
				"Transfer-Encoding: chunked\r\n\r\n");
		mem_fail_after(-1);
		assert_wire(wire, "HTTP/1.1 503 ", "Connection: close\r\n", NULL);
		assert_null(client_of_wire(wire)->exchange);
		assert_state(wire, CLIENT_LINGER);
		assert_int_equal(scene.records[scene.count - 1].reason, REASON_NO_MEMORY);
	}
	assert_int_equal(scene.count, 3);
	assert_int_equal(upstream_memory.count, 0);
}

/* A client of which nothing is trusted, and a proxy. */
static void test_a_trusted_proxy(void **state)
{
	(void)state;
	clients_start();
	begin(get);
	assert_false(s->trusted);
	client_of_wire(wire)->trusted = true;
	stream_answer(s, ok, "hi");
	wire_send(wire, get);
	assert_true(stream_last()->trusted);
}

/* What is drained is told to the exchange, or to nobody. */
static void test_what_is_drained_between_requests(void **state)
{
	(void)state;
	clients_start();
	wire = wire_open();
	wire_take(wire);
	assert_state(wire, CLIENT_IDLE);
}

static void test_there_is_nothing_to_splice_between_requests(void **state)
{
	(void)state;
	clients_start();
	wire = wire_open();
	wire->c->splices = true;
	assert_false(wire->c->events->splice(wire->c));
	begin(get);
	assert_false(wire->c->events->splice(wire->c));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			test_a_head_may_come_in_pieces, clients_begin, clients_end),
		cmocka_unit_test_setup_teardown(
			test_a_request_tells_who_sent_it, clients_begin, clients_end),
		cmocka_unit_test_setup_teardown(
			test_what_is_malformed_is_refused, clients_begin, clients_end),
		cmocka_unit_test_setup_teardown(
			test_half_a_head_of_a_client_that_has_ended, clients_begin, clients_end),
		cmocka_unit_test_setup_teardown(
			test_a_client_that_leaves_between_requests, clients_begin, clients_end),
		cmocka_unit_test_setup_teardown(
			test_content_loses_its_framing, clients_begin, clients_end),
		cmocka_unit_test_setup_teardown(
			test_content_in_many_chunks, clients_begin, clients_end),
		cmocka_unit_test_setup_teardown(
			test_content_that_is_malformed, clients_begin, clients_end),
		cmocka_unit_test_setup_teardown(
			test_content_that_ends_the_exchange, clients_begin, clients_end),
		cmocka_unit_test_setup_teardown(
			test_the_end_of_content_that_ends_the_exchange, clients_begin, clients_end),
		cmocka_unit_test_setup_teardown(
			test_what_has_more_to_come_is_watched, clients_begin, clients_end),
		cmocka_unit_test_setup_teardown(
			test_small_pieces_are_of_low_priority, clients_begin, clients_end),
		cmocka_unit_test_setup_teardown(
			test_so_much_waits_behind_a_request, clients_begin, clients_end),
		cmocka_unit_test_setup_teardown(
			test_content_waits_for_a_backend, clients_begin, clients_end),
		cmocka_unit_test_setup_teardown(
			test_without_memory_there_is_no_client, clients_begin, clients_end),
		cmocka_unit_test_setup_teardown(
			test_without_memory_a_request_is_refused, clients_begin, clients_end),
		cmocka_unit_test_setup_teardown(test_a_trusted_proxy, clients_begin, clients_end),
		cmocka_unit_test_setup_teardown(
			test_what_is_drained_between_requests, clients_begin, clients_end),
		cmocka_unit_test_setup_teardown(test_there_is_nothing_to_splice_between_requests,
			clients_begin, clients_end),
		cmocka_unit_test_setup_teardown(
			test_long_content_goes_through_the_pipe, clients_begin, clients_end),
		cmocka_unit_test_setup_teardown(
			test_what_cannot_be_spliced_is_read, clients_begin, clients_end),
		cmocka_unit_test_setup_teardown(
			test_a_tunnel_goes_through_the_pipe, clients_begin, clients_end),
		cmocka_unit_test_setup_teardown(
			test_a_tunnel_begins_behind_the_content, clients_begin, clients_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
