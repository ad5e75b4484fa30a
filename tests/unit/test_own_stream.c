/* Streams that belong to one client connection: what goes on them, and what becomes of them. */
#include "config.h"

#include "exchange/own_stream.h"

#include "exchange_scene.h"

static const char get[] = "GET / HTTP/1.1\r\nHost: h\r\n\r\n";
static const char post[] = "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n";
static const char try[] = "GET / HTTP/1.1\r\nHost: h\r\nAuthorization: NTLM TlRM\r\n\r\n";
static const char offer[] =
	"HTTP/1.1 401 No\r\nWWW-Authenticate: NTLM\r\nContent-Length: 2\r\n\r\n";
static const char ok[] = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n";

static struct private_streams other; /* of another client connection */

static int begin(void **state)
{
	other.first = NULL;
	return scene_begin(state);
}

static struct memory_stream *ask(const char *head)
{
	struct memory_request *r = scene_request(head);
	struct memory_stream *s = memory_stream_of(r->x->attempt.stream);

	if (s->stream.connecting)
		stream_connect(s);
	return s;
}

/* The client has a stream of its own, at backend 0. */
static struct memory_stream *log_in(void)
{
	struct memory_stream *s;

	scene_start();
	s = ask(get);
	assert_null(scene.private_streams.first);
	stream_answer(s, offer, "no");
	assert_ptr_equal(scene.private_streams.first, &s->stream);
	return s;
}

static void test_an_offer_makes_it_the_clients_own(void **state)
{
	struct memory_stream *s = log_in();

	(void)state;
	/* Whatever the picker would say. */
	for (int i = 0; i < 5; i++) {
		assert_ptr_equal(ask(i % 2 != 0 ? post : get), s);
		stream_answer(s, ok, "hi");
	}
	assert_int_equal(upstream_memory.connects, 1);
	scene.start.private_streams = &other;
	assert_ptr_not_equal(ask(get), s);
	assert_null(other.first);
}

static void test_a_try_makes_it_the_clients_own(void **state)
{
	struct memory_stream *s;

	(void)state;
	scene_start();
	s = ask(try);
	assert_ptr_equal(scene.private_streams.first, &s->stream);
	stream_answer(s, ok, "hi");
	assert_ptr_equal(ask(get), s);
}

static void test_two_clients(void **state)
{
	struct memory_stream *a = log_in(), *b;

	(void)state;
	scene.start.private_streams = &other;
	b = ask(try);
	assert_ptr_not_equal(a, b);
	stream_answer(b, ok, "hi");
	assert_ptr_equal(ask(get), b);
	scene.start.private_streams = &scene.private_streams;
	assert_ptr_equal(ask(get), a);
}

/* On one connection of a client that carries several exchanges. */
static void test_one_that_is_in_use(void **state)
{
	struct memory_stream *s = log_in(), *second;

	(void)state;
	assert_ptr_equal(ask(get), s);
	second = ask(get);
	assert_ptr_not_equal(second, s);
	stream_answer(second, ok, "hi");
	stream_answer(s, ok, "hi");
	assert_ptr_equal(scene.private_streams.first, &s->stream);
}

static void test_it_ends_with_the_client(void **state)
{
	struct memory_stream *s = log_in();

	(void)state;
	private_streams_close(&scene.private_streams);
	assert_int_equal(upstream_memory.discards, 1);
	assert_null(scene.private_streams.first);
	assert_null(s->stream.private);
}

static void test_it_ended_while_idle(void **state)
{
	struct memory_stream *s = log_in(), *next;

	(void)state;
	s->gone = true;
	next = ask(get);
	assert_ptr_not_equal(next, s);
	assert_null(scene.private_streams.first);
}

/* The client's connection ends like it, without a response. */
static void test_it_ends_under_a_request(void **state)
{
	struct memory_stream *s = log_in();

	(void)state;
	ask(get);
	stream_fail(s, 0);
	assert_stream_ended(s, UPSTREAM_STALE);
	assert_int_equal(upstream_memory.connects, 1);
	assert_int_equal(downstream_memory.requests[1].how, DOWNSTREAM_GONE);
	(void)assert_record(2, 502, REASON_BACKEND_CLOSED, 1);
	assert_null(scene.private_streams.first);
}

/* The first request of a login is an ordinary one, also on a stream that was kept. */
static void test_a_first_request_is_sent_again(void **state)
{
	struct memory_stream *s;

	(void)state;
	scene_only(0);
	scene_start();
	upstream_memory.kept[0] = 1;
	s = ask(try);
	stream_fail(s, 0);
	assert_ptr_not_equal(stream_last(), s);
	assert_ptr_equal(scene.private_streams.first, &stream_last()->stream);
}

/* It is closed when the request goes elsewhere: a client has one in a pool. */
static void test_its_backend_is_down(void **state)
{
	struct memory_stream *s = log_in(), *next;
	size_t index = memory_index_of(s->stream.backend);

	(void)state;
	pools_tell(index, ROWS_DOWN, ROWS_FULL_SHARE);
	next = ask(try);
	assert_int_not_equal(memory_index_of(next->stream.backend), index);
	assert_int_equal(upstream_memory.discards, 1);
	stream_answer(next, ok, "hi");
	pools_tell(index, ROWS_READY, ROWS_FULL_SHARE);
	assert_ptr_equal(ask(get), next);
}

static void test_its_backend_drains(void **state)
{
	struct memory_stream *s;

	(void)state;
	w.backends[1].drain = true;
	scene_start();
	s = ask(try);
	assert_int_not_equal(memory_index_of(s->stream.backend), 1);
	stream_answer(s, ok, "hi");
	/* As if it had begun to drain later. */
	private_streams_remove(&s->stream);
	s->stream.backend = &w.pools[0].backends[1];
	private_streams_add(&scene.private_streams, &s->stream);
	assert_ptr_equal(ask(get), s);
}

static void test_its_backend_is_full(void **state)
{
	struct memory_stream *s;
	size_t index;

	(void)state;
	w.app.queue = 10;
	for (size_t i = 0; i < POOLS_BACKENDS; i++)
		w.backends[i].max_requests = w.backends[i].max_connections = 1;
	s = log_in();
	index = memory_index_of(s->stream.backend);
	/* Its connection is there: that there may be no more of them is nothing to it. */
	pools_set_other(ROWS_CONNECTIONS, index, 1);
	assert_ptr_equal(ask(get), s);
	stream_answer(s, ok, "hi");
	pools_set_other(ROWS_IN_FLIGHT, index, 1);
	(void)scene_request(get);
	assert_int_equal(s->ends, 1);
	scene_pass(100);
	assert_int_equal(s->ends, 1);
	pools_set_other(ROWS_IN_FLIGHT, index, 0);
	scene_pass(100);
	assert_int_equal(s->ends, 0);
	stream_answer(s, ok, "hi");
	assert_int_equal(upstream_memory.connects, 1);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, begin, scene_end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_an_offer_makes_it_the_clients_own),
		TEST(test_a_try_makes_it_the_clients_own),
		TEST(test_two_clients),
		TEST(test_one_that_is_in_use),
		TEST(test_it_ends_with_the_client),
		TEST(test_it_ended_while_idle),
		TEST(test_it_ends_under_a_request),
		TEST(test_a_first_request_is_sent_again),
		TEST(test_its_backend_is_down),
		TEST(test_its_backend_drains),
		TEST(test_its_backend_is_full),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
