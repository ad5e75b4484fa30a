/* Requests that are answered here: by their method, by a route, or because none was found. */
#include "config.h"

#include "exchange/local_reply.h"

#include "exchange_scene.h"

static char hello[] = "hello", text_plain[] = "text/plain", app[] = "app", any_url[] = "/moved";
static char with_host[] = "https://{host}{path}{query}";
static char sub[] = "/sub", elsewhere[] = "*.example.com";

static struct route_settings routes[3];

/* The listener has these routes, and no pool but theirs. */
static void start(size_t count, bool pool)
{
	scene.listeners[0].routes = routes;
	scene.listeners[0].route_count = count;
	scene.listeners[0].pool = pool ? 0 : LISTENER_NO_POOL;
	scene_start();
}

static int begin(void **state)
{
	memset(routes, 0, sizeof routes);
	return scene_begin(state);
}

/* Nothing went to any backend. */
static void assert_here(size_t count, int status, enum reason reason)
{
	const struct record *record = assert_record(count, status, reason, 0);

	assert_int_equal(record->backend.text.len, 0);
	assert_int_equal(record->sought_us, 0);
	assert_int_equal(record->connected_us, 0);
	assert_int_equal(record->answered_us, 0);
	assert_int_equal(upstream_memory.count, 0);
}

static void test_trace_is_not_offered(void **state)
{
	struct memory_request *r;

	(void)state;
	start(0, true);
	r = scene_request("TRACE / HTTP/1.1\r\nHost: h\r\nMax-Forwards: 0\r\n\r\n");
	assert_replied(r, 501, "TRACE is not offered");
	assert_here(1, 501, REASON_BAD_REQUEST);
}

static void test_options_end_where_max_forwards_says(void **state)
{
	struct memory_request *r;

	(void)state;
	start(0, true);
	r = scene_request("OPTIONS * HTTP/1.1\r\nHost: h\r\nMax-Forwards: 0\r\n\r\n");
	assert_replied(r, 200, "as Max-Forwards asks");
	assert_here(1, 200, REASON_ANSWERED_HERE);
	(void)scene_request("OPTIONS * HTTP/1.1\r\nHost: h\r\nMax-Forwards: 1\r\n\r\n");
	assert_int_equal(upstream_memory.count, 1);
	/* Of other methods it says nothing. */
	(void)scene_request("GET / HTTP/1.1\r\nHost: h\r\nMax-Forwards: 0\r\n\r\n");
	assert_int_equal(upstream_memory.count, 2);
}

/* --- fixed answers --- */

static void route_to_answer(struct route_settings *route, int status)
{
	route->answer.status = status;
	route->answer.type = text_plain;
	route->answer.body = hello;
}

static void test_a_fixed_answer(void **state)
{
	struct memory_request *r;

	(void)state;
	route_to_answer(&routes[0], 410);
	start(1, true);
	r = scene_request("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
	assert_replied(r, 410, "");
	assert_string_equal(r->body, hello);
	assert_string_equal(r->reply.type, text_plain);
	assert_int_equal(r->reply.location.len, 0);
	assert_int_equal(r->reply.retry_after, 0);
	assert_here(1, 410, REASON_ANSWERED_HERE);
	assert_int_equal(scene.records[0].bytes, 5);
	/* The client of a HEAD gets no content. */
	r = scene_request("HEAD / HTTP/1.1\r\nHost: h\r\n\r\n");
	assert_replied(r, 410, "");
	assert_here(2, 410, REASON_ANSWERED_HERE);
	assert_int_equal(scene.records[1].bytes, 0);
}

static void test_a_fixed_answer_without_a_body(void **state)
{
	struct memory_request *r;

	(void)state;
	routes[0].answer.status = 204;
	start(1, true);
	r = scene_request("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
	assert_replied(r, 204, "");
	assert_string_equal(r->body, "");
	assert_int_equal(scene.records[0].bytes, 0);
}

/* --- redirects --- */

static void test_a_redirect_is_filled_in(void **state)
{
	struct memory_request *r;

	(void)state;
	routes[0].redirect = with_host;
	routes[0].status = 308;
	start(1, true);
	r = scene_request("GET /a/b?c HTTP/1.1\r\nHost: h.example:80\r\n\r\n");
	assert_replied(r, 308, "");
	assert_string_equal(r->location, "https://h.example/a/b?c");
	assert_null(r->reply.type);
	assert_here(1, 308, REASON_ANSWERED_HERE);
	assert_int_equal(scene.records[0].bytes, 0);
}

static void test_a_redirect_that_needs_a_host(void **state)
{
	struct memory_request *r;

	(void)state;
	routes[0].redirect = with_host;
	routes[0].status = 308;
	start(1, true);
	r = scene_request("GET / HTTP/1.0\r\n\r\n");
	assert_replied(r, 400, "without a Host it cannot be redirected");
	assert_string_equal(r->location, "");
	assert_here(1, 400, REASON_BAD_REQUEST);
}

static void test_a_redirect_that_needs_none(void **state)
{
	struct memory_request *r;

	(void)state;
	routes[0].redirect = any_url;
	routes[0].status = 302;
	start(1, true);
	r = scene_request("GET / HTTP/1.0\r\n\r\n");
	assert_replied(r, 302, "");
	assert_string_equal(r->location, "/moved");
}

/* Half of the room of a head, less what stands around it, and not a byte more. */
static void test_a_redirect_that_is_too_long(void **state)
{
	static char fits[] = "{path}{path}{path}{path}{path}{path}";
	static char is_longer[] = "/{path}{path}{path}{path}{path}{path}";
	static char head[HEAD_OUT_SIZE / 2];
	size_t len = (HEAD_OUT_SIZE / 2 - REPLY_MAX) / 6;
	struct memory_request *r;

	(void)state;
	routes[0].redirect = fits;
	routes[0].status = 302;
	start(1, true);
	memset(head, 'x', sizeof head);
	memcpy(head, "GET /", 5);
	strcpy(head + 4 + len, " HTTP/1.1\r\nHost: h\r\n\r\n");
	r = scene_request(head);
	assert_replied(r, 302, "");
	assert_int_equal(r->reply.location.len, HEAD_OUT_SIZE / 2 - REPLY_MAX);
	assert_here(1, 302, REASON_ANSWERED_HERE);
	routes[0].redirect = is_longer;
	r = scene_request(head);
	assert_replied(r, 414, "too long to be redirected");
	assert_string_equal(r->location, "");
	assert_here(2, 414, REASON_BAD_REQUEST);
}

/* --- routes --- */

static void test_without_a_route_the_pool_of_the_listener_serves(void **state)
{
	(void)state;
	routes[0].path = sub;
	route_to_answer(&routes[0], 200);
	start(1, true);
	assert_goes_on(scene_request("GET / HTTP/1.1\r\nHost: h\r\n\r\n"));
	assert_int_equal(upstream_memory.count, 1);
	assert_replied(scene_request("GET /sub HTTP/1.1\r\nHost: h\r\n\r\n"), 200, NULL);
}

static void test_without_that_nothing_does(void **state)
{
	struct memory_request *r;

	(void)state;
	routes[0].path = sub;
	routes[0].pool_name = app;
	start(1, false);
	r = scene_request("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
	assert_replied(r, 404, "nothing is served here for this request");
	assert_here(1, 404, REASON_NO_ROUTE);
	assert_goes_on(scene_request("GET /sub/a HTTP/1.1\r\nHost: h\r\n\r\n"));
	assert_int_equal(upstream_memory.count, 1);
}

/* A route of a pool goes before the pool of the listener. */
static void test_a_route_says_which_pool(void **state)
{
	struct pool_settings other = { 0 };
	struct memory_request *r;

	(void)state;
	routes[0].host = elsewhere;
	routes[0].pool_name = app;
	routes[0].pool = 1;
	start(1, true);
	other = w.app;
	assert_int_equal(pool_setup_init_one(&w.pools[1], &w.upstream, &other), 0);
	r = scene_request("GET / HTTP/1.1\r\nHost: a.example.com\r\n\r\n");
	assert_ptr_equal(stream_last()->stream.backend->pool, &w.pools[1]);
	exchange_stop(r->x);
	r = scene_request("GET / HTTP/1.1\r\nHost: example.com\r\n\r\n");
	assert_ptr_equal(stream_last()->stream.backend->pool, &w.pools[0]);
	exchange_stop(r->x);
	pool_setup_fini_one(&w.pools[1]);
}

/* Careful and lenient servers would read the path as different ones: it goes nowhere, whether one
 * of the two has a route, or a pool, or not. */
static void test_a_path_that_is_unclear_goes_nowhere(void **state)
{
	struct memory_request *r;

	(void)state;
	routes[0].path = sub;
	routes[0].pool_name = app;
	start(1, true);
	r = scene_request("GET /sub/..%2fother HTTP/1.1\r\nHost: h\r\n\r\n");
	assert_replied(r, 400, "servers could read this host or path as different ones");
	assert_here(1, 400, REASON_BAD_REQUEST);
	r = scene_request("GET /other/..%2fsub HTTP/1.1\r\nHost: h\r\n\r\n");
	assert_replied(r, 400, "servers could read this host or path as different ones");
	assert_here(2, 400, REASON_BAD_REQUEST);
}

/* --- listeners --- */

static void test_each_listener_has_routes_of_its_own(void **state)
{
	(void)state;
	route_to_answer(&routes[0], 410);
	scene.listeners[1].routes = routes;
	scene.listeners[1].route_count = 1;
	start(0, true);
	assert_goes_on(scene_request("GET / HTTP/1.1\r\nHost: h\r\n\r\n"));
	scene.start.listener = 1;
	assert_replied(scene_request("GET / HTTP/1.1\r\nHost: h\r\n\r\n"), 410, NULL);
}

/* --- replies --- */

static void test_a_reply_that_cannot_be_sent(void **state)
{
	struct memory_request *r = request_new();

	(void)state;
	start(0, true);
	r->no_memory = true;
	assert_int_equal(
		request_send(r, &scene.context, "TRACE / HTTP/1.1\r\nHost: h\r\n\r\n", scene.start),
		0);
	assert_ended(r, DOWNSTREAM_ABORT);
	assert_here(1, 501, REASON_NO_MEMORY);
}

/* A request in memory that another one had shows nothing of it in its record. */
static void test_a_record_begins_empty(void **state)
{
	struct memory_request *r;

	(void)state;
	start(0, true);
	r = scene_request("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
	stream_connect(stream_last());
	stream_answer(stream_last(), "HTTP/1.1 200 OK\r\n\r\n", "abc");
	assert_got(r, 200, "abc");
	memset(&upstream_memory, 0, sizeof upstream_memory);
	r = scene_request("TRACE / HTTP/1.1\r\nHost: h\r\n\r\n");
	assert_replied(r, 501, NULL);
	assert_here(2, 501, REASON_BAD_REQUEST);
	assert_int_equal(scene.records[1].bytes, 0);
	assert_int_equal(scene.ids[1][0] != '\0', 1);
	assert_string_not_equal(scene.ids[0], scene.ids[1]);
	r = scene_request("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
	exchange_stop(r->x);
	assert_int_equal(scene.records[2].status, 0);
	assert_int_equal(scene.records[2].answered_us, 0);
	assert_int_equal(scene.records[2].connected_us, 0);
}

/* --- ids --- */

static void test_an_id_is_taken_from_a_trusted_client(void **state)
{
	static const struct {
		const char *head;
		bool trusted;
		const char *id;
	} cases[] = {
		{ "GET / HTTP/1.1\r\nHost: h\r\nX-Request-Id: mine\r\n\r\n", true, "mine" },
		{ "GET / HTTP/1.1\r\nHost: h\r\nX-Request-Id: mine\r\n\r\n", false, NULL },
		{ "GET / HTTP/1.1\r\nHost: h\r\nX-Request-Id: my id\r\n\r\n", true, NULL },
		{ "GET / HTTP/1.1\r\nHost: h\r\n\r\n", true, NULL },
	};

	(void)state;
	start(0, true);
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		scene.start.trusted = cases[i].trusted;
		exchange_stop(scene_request(cases[i].head)->x);
		assert_string_equal(stream_last()->id, scene.ids[i]);
		if (cases[i].id != NULL)
			assert_string_equal(scene.ids[i], cases[i].id);
		else
			assert_int_equal(strlen(scene.ids[i]), REQUEST_ID_LEN);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_trace_is_not_offered, begin, scene_end),
		cmocka_unit_test_setup_teardown(
			test_options_end_where_max_forwards_says, begin, scene_end),
		cmocka_unit_test_setup_teardown(test_a_fixed_answer, begin, scene_end),
		cmocka_unit_test_setup_teardown(
			test_a_fixed_answer_without_a_body, begin, scene_end),
		cmocka_unit_test_setup_teardown(test_a_redirect_is_filled_in, begin, scene_end),
		cmocka_unit_test_setup_teardown(
			test_a_redirect_that_needs_a_host, begin, scene_end),
		cmocka_unit_test_setup_teardown(test_a_redirect_that_needs_none, begin, scene_end),
		cmocka_unit_test_setup_teardown(test_a_redirect_that_is_too_long, begin, scene_end),
		cmocka_unit_test_setup_teardown(
			test_without_a_route_the_pool_of_the_listener_serves, begin, scene_end),
		cmocka_unit_test_setup_teardown(test_without_that_nothing_does, begin, scene_end),
		cmocka_unit_test_setup_teardown(test_a_route_says_which_pool, begin, scene_end),
		cmocka_unit_test_setup_teardown(
			test_a_path_that_is_unclear_goes_nowhere, begin, scene_end),
		cmocka_unit_test_setup_teardown(
			test_each_listener_has_routes_of_its_own, begin, scene_end),
		cmocka_unit_test_setup_teardown(test_a_reply_that_cannot_be_sent, begin, scene_end),
		cmocka_unit_test_setup_teardown(test_a_record_begins_empty, begin, scene_end),
		cmocka_unit_test_setup_teardown(
			test_an_id_is_taken_from_a_trusted_client, begin, scene_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
