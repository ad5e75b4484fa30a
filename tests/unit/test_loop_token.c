/* Loops: what comes back to the listener and route by which it left ends there, and nothing else
 * does. */
#include "config.h"

#include "exchange/loop_token.h"

#include "exchange_scene.h"
#include "said_warnx.h"

static char app[] = "app", host[] = "h.example", path[] = "/a", other_path[] = "/b";

/* Of listener 0, which has a pool, too. */
static struct route_settings routes[3];

static int begin(void **state)
{
	if (scene_begin(state) == -1)
		return -1;
	said_count = 0;
	routes[0] = (struct route_settings){ .path = path, .pool_name = app };
	routes[1] = (struct route_settings){ .path = other_path, .pool_name = app };
	routes[2] = (struct route_settings){ .host = host, .path = path, .pool_name = app };
	scene.listeners[0].routes = routes;
	scene.listeners[0].route_count = 3;
	scene.listeners[1].pool = 0;
	return 0;
}

/* A request to this listener with this target and a further field. */
static struct memory_request *ask(uint32_t listener, const char *target, const char *field)
{
	char head[512];
	struct text text = text_over(head, sizeof head);

	text_format(&text, "GET %s HTTP/1.1\r\nHost: h\r\n%s\r\n", target, field);
	scene.start.listener = listener;
	return scene_request(text_string(&text));
}

/* The token with which such a request goes on. */
static const char *token_of(uint32_t listener, const char *target)
{
	const struct memory_stream *s = &upstream_memory.streams[upstream_memory.count];

	(void)ask(listener, target, "");
	return s->loop_token;
}

static void assert_loop(const struct memory_request *r, size_t count)
{
	assert_replied(r, 508, "the request came back to where it had been");
	(void)assert_record(count, 508, REASON_LOOP, 0);
}

static void test_tokens_differ_by_way(void **state)
{
	const char *tokens[5];

	(void)state;
	scene_start();
	tokens[0] = token_of(0, "/");
	tokens[1] = token_of(0, "/a/x");
	tokens[2] = token_of(0, "/b");
	tokens[3] = token_of(0, "http://h.example/a");
	tokens[4] = token_of(1, "/");
	for (size_t i = 0; i < 5; i++) {
		assert_memory_equal(tokens[i], "tinylb-", 7);
		assert_int_equal(strspn(tokens[i] + 7, "0123456789abcdef"), 16);
		assert_int_equal(strlen(tokens[i]), 23);
		for (size_t k = 0; k < i; k++)
			assert_string_not_equal(tokens[i], tokens[k]);
	}
	assert_string_equal(token_of(0, "/a/y?b"), tokens[1]);
}

/* A reload may put lists in another order, and change all that a token is not made of. */
static void test_tokens_outlive_a_reload(void **state)
{
	struct listener_settings kept;
	const char *tokens[2], *later[2];

	(void)state;
	scene_start();
	tokens[0] = token_of(0, "/");
	tokens[1] = token_of(0, "/b");
	loop_token_fini(&scene.context);
	kept = scene.listeners[0];
	scene.listeners[0] = scene.listeners[1];
	scene.listeners[1] = kept;
	routes[1] = routes[0];
	routes[0] = (struct route_settings){ .path = other_path, .pool_name = app };
	assert_int_equal(loop_token_init(&scene.context), 0);
	later[0] = loop_token_of(&scene.context, 1);
	later[1] = loop_token_of_route(&scene.context, 1, &routes[0]);
	assert_memory_equal(later[0], tokens[0], 23);
	assert_memory_equal(later[1], tokens[1], 23);
}

/* The kernel gives each of these a port of its own. */
static void test_listeners_of_port_0_are_told_apart(void **state)
{
	(void)state;
	scene.listeners[1].address_text = scene.listeners[0].address_text;
	scene_start();
	assert_string_not_equal(token_of(0, "/"), token_of(1, "/"));
}

static void test_what_comes_back_ends(void **state)
{
	static const char *const forms[][2] = { { "Via: 1.1 ", "\r\n" }, { "CDN-Loop: ", "\r\n" },
		{ "Via: 1.0 a, HTTP/1.1 ", " (a comment), 1.1 b\r\n" },
		{ "cdn-loop: a.example; b=\"c\"\r\nVia: 1.1 a\r\nCDN-LOOP: b,", ";c=d\r\n" } };
	const char *token, *other;
	char field[256];
	size_t count = 0;

	(void)state;
	scene_start();
	token = token_of(0, "/b");
	other = token_of(1, "/b");
	for (size_t i = 0; i < 4; i++) {
		size_t sent = upstream_memory.count;

		(void)snprintf(field, sizeof field, "%s%s%s", forms[i][0], token, forms[i][1]);
		assert_loop(ask(0, "/b/c", field), ++count);
		assert_int_equal(upstream_memory.count, sent);
		/* to another route, and to another listener it goes on */
		(void)ask(0, "/a", field);
		(void)ask(1, "/b", field);
		assert_int_equal(upstream_memory.count, sent + 2);
		(void)snprintf(field, sizeof field, "%s%s%s", forms[i][0], other, forms[i][1]);
		(void)ask(0, "/b", field);
		assert_int_equal(upstream_memory.count, sent + 3);
	}
	(void)snprintf(field, sizeof field, "X-Via: 1.1 %s\r\nVia: 1.1 %.22s\r\n", token, token);
	(void)ask(0, "/b", field);
	assert_int_equal(scene.count, count);
}

static void test_the_log_says_so_once_a_second(void **state)
{
	char field[64];

	(void)state;
	scene_start();
	(void)snprintf(field, sizeof field, "Via: 1.1 %s\r\n", token_of(0, "/b"));
	said_count = 0;
	assert_loop(ask(0, "/b", field), 1);
	assert_loop(ask(0, "/b", field), 2);
	assert_int_equal(said_count, 1);
	assert_non_null(strstr(said, "listener 127.0.0.1:1: "));
	assert_non_null(strstr(said, "pool app"));
	w.loop.now_us += 1000000;
	assert_loop(ask(0, "/b", field), 3);
	assert_int_equal(said_count, 2);
}

/* Without a board there is no secret, and nothing is a loop. */
static void test_without_a_board(void **state)
{
	(void)state;
	scene_start();
	loop_token_fini(&scene.context);
	scene.context.loop_tokens = NULL;
	w.upstream.rows = NULL;
	assert_int_equal(loop_token_init(&scene.context), 0);
	w.upstream.rows = w.rows;
	assert_string_equal(token_of(0, "/b"), "");
	(void)ask(0, "/b", "Via: 1.1 tinylb\r\n");
	assert_int_equal(upstream_memory.count, 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_tokens_differ_by_way, begin, scene_end),
		cmocka_unit_test_setup_teardown(test_tokens_outlive_a_reload, begin, scene_end),
		cmocka_unit_test_setup_teardown(
			test_listeners_of_port_0_are_told_apart, begin, scene_end),
		cmocka_unit_test_setup_teardown(test_what_comes_back_ends, begin, scene_end),
		cmocka_unit_test_setup_teardown(
			test_the_log_says_so_once_a_second, begin, scene_end),
		cmocka_unit_test_setup_teardown(test_without_a_board, begin, scene_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
