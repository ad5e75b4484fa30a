/* What becomes of a client's connection behind a response, and what its head says of that. */
#include "config.h"

#include "downstream/http1_respond.h"

#include "client_scene.h"

static const char get[] = "GET / HTTP/1.1\r\nHost: h\r\n\r\n";
static const char ok[] = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n";
static const char until_close[] = "HTTP/1.1 200 OK\r\n\r\n";
static const char chunked[] = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";

static struct wire *wire;
static struct memory_stream *s;

/* A client sends this, and a backend has it. */
static void begin(const char *request)
{
	wire = wire_open();
	wire_send(wire, request);
	s = stream_last();
	stream_connect(s);
	assert_state(wire, CLIENT_BUSY);
}

static void test_a_connection_persists(void **state)
{
	(void)state;
	clients_start();
	begin(get);
	stream_answer(s, ok, "hi");
	assert_wire(wire, "HTTP/1.1 200 OK\r\n", "\r\n\r\nhi", "onnection:");
	assert_state(wire, CLIENT_IDLE);
	/* The next request is read. */
	wire_send(wire, get);
	assert_state(wire, CLIENT_BUSY);
	assert_ptr_not_equal(stream_last(), s);
}

/* Nothing is owed on either side: it is closed at once, unless something is unread. The last bytes
 * go out with the end. */
static void test_a_client_that_wants_no_more(void **state)
{
	(void)state;
	clients_start();
	begin("GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
	assert_true(stream_head(s, ok));
	assert_true(stream_content(s, "h", false));
	assert_false(wire->c->cork);
	assert_false(stream_content(s, "i", true));
	assert_wire(wire, "HTTP/1.1 200 OK\r\n", "Connection: close\r\n", NULL);
	assert_closed(wire);
	assert_int_equal(wire->finishes, 0);
	begin("GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
	wire->more = true;
	stream_answer(s, ok, "hi");
	assert_state(wire, CLIENT_LINGER);
	assert_true(wire->c->cork);
}

/* A client of HTTP/1.0 has to ask for it, and is told. */
static void test_clients_of_1_0(void **state)
{
	(void)state;
	clients_start();
	begin("GET / HTTP/1.0\r\nHost: h\r\n\r\n");
	stream_answer(s, ok, "hi");
	assert_wire(wire, "HTTP/1.1 200 OK\r\n", "Connection: close\r\n", NULL);
	begin("GET / HTTP/1.0\r\nHost: h\r\nConnection: keep-alive\r\n\r\n");
	stream_answer(s, ok, "hi");
	assert_wire(wire, "HTTP/1.1 200 OK\r\n", "Connection: keep-alive\r\n", NULL);
	assert_state(wire, CLIENT_IDLE);
	/* It knows no chunks: the content ends with the connection. */
	wire_send(wire, "GET / HTTP/1.0\r\nHost: h\r\nConnection: keep-alive\r\n\r\n");
	s = stream_last();
	stream_connect(s);
	stream_answer(s, chunked, "hi");
	assert_wire(wire, "HTTP/1.1 200 OK\r\n", "Connection: close\r\n", "chunked");
}

/* Content without a length goes on in chunks, and the connection persists. */
static void test_content_until_the_end_of_the_backend(void **state)
{
	(void)state;
	clients_start();
	begin(get);
	stream_answer(s, until_close, "hi");
	assert_wire(wire, "HTTP/1.1 200 OK\r\n", "\r\n\r\n2\r\nhi\r\n0\r\n\r\n", "onnection:");
	assert_state(wire, CLIENT_IDLE);
}

/* Where the next request begins is not known: the upload is not here whole. */
static void test_a_response_before_the_upload_ended(void **state)
{
	(void)state;
	clients_start();
	begin("PUT / HTTP/1.1\r\nHost: h\r\nContent-Length: 100\r\n\r\nabc");
	assert_sent(s, "abc", false);
	assert_true(stream_head(s, ok));
	assert_true(stream_content(s, "hi", true));
	assert_wire(wire, "HTTP/1.1 200 OK\r\n", "Connection: close\r\n", NULL);
	assert_state(wire, CLIENT_BUSY);
	assert_int_equal(wire->finishes, 0);
	wire_send(wire, "defghi");
	assert_sent(s, "abcdefghi", false);
	/* The backend takes no more: the rest of the upload is thrown away. */
	stream_fail(s, 0);
	assert_state(wire, CLIENT_LINGER);
	wire_send(wire, "jkl");
	assert_int_equal(wire->rest, 0);
	assert_state(wire, CLIENT_LINGER);
	/* With the upload here whole it persists. */
	begin("PUT / HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabc");
	stream_answer(s, ok, "hi");
	assert_wire(wire, "HTTP/1.1 200 OK\r\n", NULL, "onnection:");
	assert_state(wire, CLIENT_IDLE);
}

/* A client that knows the end of a response by the end of the connection gets that at once. */
static void test_the_end_of_a_response_before_the_upload_ended(void **state)
{
	(void)state;
	clients_start();
	begin("PUT / HTTP/1.0\r\nContent-Length: 100\r\n\r\nabc");
	assert_true(stream_head(s, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"));
	assert_true(stream_content(s, "hi", true));
	assert_state(wire, CLIENT_BUSY);
	assert_int_equal(wire->finishes, 1);
	wire_send(wire, "def");
	assert_sent(s, "abcdef", false);
	/* So does one whose request waits for the backend, and that sends no other. */
	begin("PUT / HTTP/1.1\r\nHost: h\r\nConnection: close\r\nContent-Length: 3\r\n\r\n");
	s->slow = true;
	wire_send(wire, "abc");
	assert_true(stream_head(s, ok));
	assert_true(stream_content(s, "hi", true));
	assert_state(wire, CLIENT_BUSY);
	assert_int_equal(wire->finishes, 1);
}

static void test_a_worker_that_ends_closes_behind_responses(void **state)
{
	struct wire *other;

	(void)state;
	clients_start();
	begin(get);
	clients.d.close_after_response = true;
	stream_answer(s, ok, "hi");
	assert_wire(wire, "HTTP/1.1 200 OK\r\n", "Connection: close\r\n", NULL);
	assert_state(wire, CLIENT_LINGER);
	/* Those that are made here, too. */
	other = wire_open();
	wire_send(other, "TRACE / HTTP/1.1\r\nHost: h\r\n\r\n");
	assert_wire(other, "HTTP/1.1 501 ", "Connection: close\r\n", NULL);
	assert_state(other, CLIENT_LINGER);
}

/* --- ends --- */

static void test_a_response_that_is_cut_off(void **state)
{
	(void)state;
	clients_start();
	/* Its framing shows that a part is missing. */
	begin(get);
	assert_true(stream_head(s, ok));
	assert_true(stream_content(s, "h", false));
	stream_fail(s, 0);
	assert_state(wire, CLIENT_LINGER);
	begin(get);
	assert_true(stream_head(s, chunked));
	assert_true(stream_content(s, "h", false));
	stream_fail(s, 0);
	assert_state(wire, CLIENT_LINGER);
	/* Here only a reset does. */
	begin("GET / HTTP/1.0\r\n\r\n");
	assert_true(stream_head(s, chunked));
	assert_true(stream_content(s, "h", false));
	stream_fail(s, 0);
	assert_reset(wire);
}

static void test_a_client_that_hears_nothing_gets_nothing_more(void **state)
{
	(void)state;
	clients_start();
	begin(get);
	wire->c->broken = true;
	stream_answer(s, ok, "hi");
	assert_reset(wire);
	begin(get);
	wire->c->broken = true;
	assert_true(stream_head(s, ok));
	assert_false(stream_content(s, "h", false));
	assert_reset(wire);
	assert_record(2, 200, REASON_CLIENT_CLOSED, 1);
}

static void test_the_end_of_the_worker(void **state)
{
	(void)state;
	clients_start();
	begin(get);
	exchange_stop(client_of_wire(wire)->exchange);
	assert_reset(wire);
}

static void test_a_client_that_leaves(void **state)
{
	(void)state;
	clients_start();
	begin(get);
	wire_end(wire, ECONNRESET);
	assert_closed(wire);
	assert_record(1, 499, REASON_CLIENT_CLOSED, 1);
	begin(get);
	assert_true(stream_head(s, ok));
	wire_end(wire, ECONNRESET);
	assert_reset(wire);
}

/* --- interim responses and tunnels --- */

static void test_interim_responses(void **state)
{
	(void)state;
	clients_start();
	begin(get);
	assert_true(stream_head(s, "HTTP/1.1 103 Early Hints\r\n\r\n"));
	assert_wire(wire, "HTTP/1.1 103 Early Hints\r\n", NULL, "Content-Length");
	/* Clients of 1.0 do not know them. */
	begin("GET / HTTP/1.0\r\n\r\n");
	assert_true(stream_head(s, "HTTP/1.1 103 Early Hints\r\n\r\n"));
	assert_int_equal(wire->len, 0);
	stream_answer(s, ok, "hi");
	assert_wire(wire, "HTTP/1.1 200 OK\r\n", NULL, NULL);
}

static void test_a_tunnel(void **state)
{
	(void)state;
	clients_start();
	begin("GET / HTTP/1.1\r\nHost: h\r\nConnection: upgrade\r\n"
	      "Upgrade: websocket\r\n\r\nearly");
	/* What follows may be a request, or belong to the tunnel. */
	assert_int_equal(wire->rest, 5);
	assert_int_equal(s->len, 0);
	assert_true(stream_head(s, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
				   "Connection: upgrade\r\n\r\n"));
	assert_wire(wire, "HTTP/1.1 101 ", "pgrade: websocket\r\n", NULL);
	assert_true(wire->agains > 0);
	wire_read(wire);
	assert_sent(s, "early", false);
	assert_true(stream_content(s, "0\r\n\r\n", false));
	assert_wire(wire, "0\r\n\r\n", NULL, NULL);
	/* Each side ends for itself. */
	wire_end(wire, 0);
	assert_int_equal(s->finishes, 1);
	assert_state(wire, CLIENT_BUSY);
	stream_fail(s, 0);
	assert_closed(wire);
}

/* What it sent goes first, and behind it the backend hears of the end. */
static void test_a_client_that_ended_before_its_tunnel(void **state)
{
	(void)state;
	clients_start();
	begin("GET / HTTP/1.1\r\nHost: h\r\nConnection: upgrade\r\n"
	      "Upgrade: websocket\r\n\r\nearly");
	wire_end(wire, 0);
	assert_state(wire, CLIENT_BUSY);
	assert_true(stream_head(s, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
				   "Connection: upgrade\r\n\r\n"));
	wire->agains = 0;
	wire_read(wire);
	assert_sent(s, "early", false);
	assert_int_equal(wire->agains, 1);
	wire_end(wire, 0);
	assert_int_equal(s->finishes, 1);
}

/* --- replies --- */

static void test_replies_made_here(void **state)
{
	(void)state;
	clients_start();
	wire = wire_open();
	wire_send(wire, "TRACE / HTTP/1.1\r\nHost: h\r\n\r\n");
	assert_wire(wire, "HTTP/1.1 501 ", "Content-Length: ", "Connection: ");
	assert_state(wire, CLIENT_IDLE);
	/* Of a client of 1.0 that asked, and of one that did not. */
	wire = wire_open();
	wire_send(wire, "TRACE / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
	assert_wire(wire, "HTTP/1.1 501 ", "Connection: keep-alive\r\n", NULL);
	assert_state(wire, CLIENT_IDLE);
	wire = wire_open();
	wire_send(wire, "TRACE / HTTP/1.0\r\n\r\n");
	assert_wire(wire, "HTTP/1.1 501 ", "Connection: close\r\n", NULL);
	/* A refused request may have been misread: its client lingers. */
	assert_state(wire, CLIENT_LINGER);
}

static void test_a_reply_to_a_head_has_no_content(void **state)
{
	(void)state;
	clients_start();
	scene_only(0);
	upstream_memory.errors[0][0] = upstream_memory.errors[1][0] = ECONNREFUSED;
	upstream_memory.errors[2][0] = upstream_memory.errors[3][0] = ECONNREFUSED;
	wire = wire_open();
	wire_send(wire, "HEAD / HTTP/1.1\r\nHost: h\r\n\r\n");
	assert_memory_equal(wire->out + wire->len - 4, "\r\n\r\n", 4);
	assert_wire(wire, "HTTP/1.1 502 ", "Content-Length: ", NULL);
}

/* The content of the request is not here whole: where the next one begins is not known. */
static void test_a_reply_before_the_upload_ended(void **state)
{
	(void)state;
	clients_start();
	begin("PUT / HTTP/1.1\r\nHost: h\r\nContent-Length: 100\r\n\r\nabc");
	w.upstream.stream_events->bad(s->stream.owner, "no");
	assert_wire(wire, "HTTP/1.1 502 ", "Connection: close\r\n", NULL);
	assert_state(wire, CLIENT_LINGER);
}

/* A client that is answered here may still send: it is not closed at once. */
static void test_a_reply_to_a_client_that_wants_no_more(void **state)
{
	(void)state;
	clients_start();
	begin("GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
	w.upstream.stream_events->bad(s->stream.owner, "no");
	assert_wire(wire, "HTTP/1.1 502 ", "Connection: close\r\n", NULL);
	assert_state(wire, CLIENT_LINGER);
}

/* It is to be seen if the client leaves. */
static void test_a_request_that_waits_is_watched(void **state)
{
	struct wire *other;

	(void)state;
	scene_only(0);
	w.app.queue = 2;
	w.backends[0].max_requests = 1;
	clients_start();
	begin(get);
	other = wire_open();
	other->c->resting = true;
	wire_send(other, get);
	assert_false(other->c->resting);
}

static void test_without_memory(void **state)
{
	(void)state;
	clients_start();
	begin(get);
	wire->no_memory = true;
	assert_false(stream_head(s, "HTTP/1.1 103 Early Hints\r\n\r\n"));
	assert_reset(wire);
	assert_record(1, 503, REASON_NO_MEMORY, 1);
	begin(get);
	wire->no_memory = true;
	stream_answer(s, ok, "hi");
	assert_state(wire, CLIENT_LINGER);
	assert_record(2, 200, REASON_NO_MEMORY, 1);
	wire = wire_open();
	wire->no_memory = true;
	wire_send(wire, "BAD\r\n\r\n");
	assert_reset(wire);
}

/* --- through the pipe --- */

static void test_a_response_goes_through_the_pipe(void **state)
{
	const struct upstream_events *events;

	(void)state;
	clients_start();
	events = w.upstream.stream_events;
	begin(get);
	wire->splice_room = 777;
	assert_true(stream_head(s, "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n"));
	assert_true(stream_content(s, "abc", false));
	assert_int_equal(events->splice_room(s->stream.owner), 777);
	assert_true(events->spliced(s->stream.owner, 500, false));
	assert_int_equal(wire->spliced, 500);
	assert_false(events->spliced(s->stream.owner, 497, true));
	assert_int_equal(wire->spliced, 997);
	assert_state(wire, CLIENT_IDLE);
	begin(get);
	assert_true(stream_head(s, "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n"));
	assert_true(stream_content(s, "abc", false));
	wire->no_memory = true;
	assert_false(events->spliced(s->stream.owner, 500, false));
	assert_record(2, 200, REASON_NO_MEMORY, 1);
}

/* --- heads that do not fit --- */

/* What comes just fits; what is added to it does not. */
static void test_a_head_that_is_too_long_to_go_on(void **state)
{
	static char head[HEAD_OUT_SIZE + 64];
	struct response response;
	static const struct head_limits limits = { SIZE_MAX, 64 };

	(void)state;
	clients_start();
	for (int interim = 0; interim < 2; interim++) {
		begin(get);
		memset(head, 'x', sizeof head);
		memcpy(head, interim ? "HTTP/1.1 103 OK\r\nX: " : "HTTP/1.1 200 OK\r\nX: ", 20);
		memcpy(head + HEAD_OUT_SIZE, "\r\n\r\n", 5);
		assert_int_equal(
			response_parse(&response, head, strlen(head), 0, METHOD_GET, &limits),
			PARSE_DONE);
		assert_false(w.upstream.stream_events->head(s->stream.owner, &response));
		assert_wire(wire, "HTTP/1.1 502 ", NULL, "xxx");
		assert_int_equal(scene.records[scene.count - 1].reason, REASON_BAD_RESPONSE);
	}
}

/* --- a tunnel under back-pressure --- */

static void test_a_tunnel_under_back_pressure(void **state)
{
	(void)state;
	clients_start();
	begin("GET / HTTP/1.1\r\nHost: h\r\nConnection: upgrade\r\n"
	      "Upgrade: websocket\r\n\r\n");
	assert_true(stream_head(s, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
				   "Connection: upgrade\r\n\r\n"));
	s->slow = true;
	s->window = 3;
	wire_send(wire, "abc");
	assert_int_equal(wire->pauses, 1);
	assert_int_equal(wire->resumes, 0);
	stream_take(s, 3);
	assert_int_equal(wire->resumes, 1);
	/* The backend ends first: the client's side is ended, too. */
	stream_fail(s, 0);
	assert_int_equal(wire->finishes, 1);
	/* The end of a client that is paused comes again when it is resumed. */
	wire->c->ended = true;
	wire->agains = 0;
	s->waits = 1;
	stream_take(s, 1);
	assert_int_equal(wire->agains, 1);
}

/* --- back-pressure --- */

static void test_a_client_that_is_full_pauses_its_backend(void **state)
{
	(void)state;
	clients_start();
	begin(get);
	wire->slow = true;
	assert_true(stream_head(s, ok));
	assert_true(stream_content(s, "h", false));
	assert_int_equal(s->pauses, 0);
	wire->backlog = CONNECTION_BACKLOG_HIGH + 1;
	assert_true(stream_content(s, "", false));
	assert_int_equal(s->pauses, 1);
	wire_take(wire);
	assert_int_equal(s->resumes, 1);
}

static void test_sessions_are_kept_by_a_cookie(void **state)
{
	(void)state;
	w.app.balance = BALANCE_STICKY;
	clients_start();
	begin(get);
	stream_answer(
		s, "HTTP/1.1 200 OK\r\nSet-Cookie: sid=theirs\r\nContent-Length: 2\r\n\r\n", "hi");
	assert_wire(wire, "HTTP/1.1 200 OK\r\n", "Set-Cookie: sid=", "theirs");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			test_a_connection_persists, clients_begin, clients_end),
		cmocka_unit_test_setup_teardown(
			test_a_client_that_wants_no_more, clients_begin, clients_end),
		cmocka_unit_test_setup_teardown(test_clients_of_1_0, clients_begin, clients_end),
		cmocka_unit_test_setup_teardown(
			test_content_until_the_end_of_the_backend, clients_begin, clients_end),
		cmocka_unit_test_setup_teardown(
			test_a_response_before_the_upload_ended, clients_begin, clients_end),
		cmocka_unit_test_setup_teardown(test_the_end_of_a_response_before_the_upload_ended,
			clients_begin, clients_end),
		cmocka_unit_test_setup_teardown(test_a_worker_that_ends_closes_behind_responses,
			clients_begin, clients_end),
		cmocka_unit_test_setup_teardown(
			test_a_response_that_is_cut_off, clients_begin, clients_end),
		cmocka_unit_test_setup_teardown(test_a_client_that_hears_nothing_gets_nothing_more,
			clients_begin, clients_end),
		cmocka_unit_test_setup_teardown(
			test_the_end_of_the_worker, clients_begin, clients_end),
		cmocka_unit_test_setup_teardown(
			test_a_client_that_leaves, clients_begin, clients_end),
		cmocka_unit_test_setup_teardown(test_interim_responses, clients_begin, clients_end),
		cmocka_unit_test_setup_teardown(test_a_tunnel, clients_begin, clients_end),
		cmocka_unit_test_setup_teardown(test_replies_made_here, clients_begin, clients_end),
		cmocka_unit_test_setup_teardown(
			test_a_reply_to_a_head_has_no_content, clients_begin, clients_end),
		cmocka_unit_test_setup_teardown(
			test_a_reply_before_the_upload_ended, clients_begin, clients_end),
		cmocka_unit_test_setup_teardown(test_without_memory, clients_begin, clients_end),
		cmocka_unit_test_setup_teardown(
			test_a_client_that_is_full_pauses_its_backend, clients_begin, clients_end),
		cmocka_unit_test_setup_teardown(
			test_sessions_are_kept_by_a_cookie, clients_begin, clients_end),
		cmocka_unit_test_setup_teardown(
			test_a_response_goes_through_the_pipe, clients_begin, clients_end),
		cmocka_unit_test_setup_teardown(
			test_a_head_that_is_too_long_to_go_on, clients_begin, clients_end),
		cmocka_unit_test_setup_teardown(
			test_a_tunnel_under_back_pressure, clients_begin, clients_end),
		cmocka_unit_test_setup_teardown(
			test_a_client_that_ended_before_its_tunnel, clients_begin, clients_end),
		cmocka_unit_test_setup_teardown(
			test_a_reply_to_a_client_that_wants_no_more, clients_begin, clients_end),
		cmocka_unit_test_setup_teardown(
			test_a_request_that_waits_is_watched, clients_begin, clients_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
