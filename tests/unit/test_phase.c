/* The states of an exchange: each change is logged at debug. */
#include "config.h"

#include "exchange/backlog.h"
#include "exchange/phase.h"

#include <stdio.h>

#include "base/log.h"
#include "exchange_scene.h"

static char lines[64][128];
static size_t line_count;

void __wrap_log_debug(const char *format, ...);
void __wrap_log_debug(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	assert_true(line_count < 64);
	(void)vsnprintf(lines[line_count++], sizeof *lines, format, arguments);
	va_end(arguments);
}

static int begin(void **state)
{
	line_count = 0;
	if (log_open("stderr", LOG_LEVEL_DEBUG) == -1)
		return -1;
	scene.start.trusted = false;
	return scene_begin(state);
}

static int end(void **state)
{
	int result = scene_end(state);

	return log_open("stderr", LOG_LEVEL_NOTICE) == -1 ? -1 : result;
}

/* Forgets what was logged before, and begins a request with this id. */
static struct memory_request *request(const char *head)
{
	scene.start.trusted = true;
	return scene_request(head);
}

static bool was_logged(const char *line)
{
	for (size_t i = 0; i < line_count; i++)
		if (strcmp(lines[i], line) == 0)
			return true;
	return false;
}

static void test_attempts(void **state)
{
	(void)state;
	scene_start();
	(void)request("GET / HTTP/1.1\r\nHost: h\r\nX-Request-Id: me\r\n\r\n");
	assert_true(was_logged("request me: attempt none -> connecting"));
	stream_connect(stream_last());
	assert_true(was_logged("request me: attempt connecting -> sent"));
	stream_fail(stream_last(), 0);
	assert_true(was_logged("request me: attempt sent -> none"));
	for (size_t i = 0; i < POOLS_BACKENDS; i++)
		upstream_memory.kept[i] = 1;
	line_count = 0;
	(void)request("GET / HTTP/1.1\r\nHost: h\r\nX-Request-Id: you\r\n\r\n");
	assert_true(was_logged("request you: attempt none -> sent"));
	assert_true(stream_head(stream_last(), "HTTP/1.1 200 OK\r\n\r\n"));
	assert_true(was_logged("request you: attempt sent -> heard"));
	assert_true(was_logged("request you: response head -> body"));
}

static void test_a_tunnel(void **state)
{
	(void)state;
	scene_start();
	(void)request("GET / HTTP/1.1\r\nHost: h\r\nX-Request-Id: me\r\n"
		      "Connection: upgrade\r\nUpgrade: websocket\r\n\r\n");
	stream_connect(stream_last());
	assert_true(
		stream_head(stream_last(), "HTTP/1.1 101 Switching Protocols\r\n"
					   "Upgrade: websocket\r\nConnection: upgrade\r\n\r\n"));
	assert_true(was_logged("request me: response head -> tunnel"));
}

static void test_a_request_that_waits(void **state)
{
	(void)state;
	scene_only(0);
	w.app.queue = 2;
	w.backends[0].max_requests = 1;
	scene_start();
	(void)request("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
	assert_false(was_logged("pool app: a request waits for room"));
	(void)request("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
	assert_true(was_logged("pool app: a request waits for room"));
}

/* What waits anywhere counts. */
static void test_what_is_unsent(void **state)
{
	struct memory_request *r;

	(void)state;
	scene_start();
	r = request("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
	assert_int_equal(backlog_unsent(r->x), 0);
	r->waits = 3;
	stream_last()->waits = 4;
	assert_int_equal(backlog_unsent(r->x), 7);
	/* The first look; nothing was taken since; some was; nothing waits. */
	assert_true(backlog_look(r->x));
	assert_false(backlog_look(r->x));
	r->waits = 2;
	assert_true(backlog_look(r->x));
	r->waits = 3;
	assert_false(backlog_look(r->x));
	r->waits = stream_last()->waits = 0;
	assert_false(backlog_look(r->x));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_attempts, begin, end),
		cmocka_unit_test_setup_teardown(test_a_tunnel, begin, end),
		cmocka_unit_test_setup_teardown(test_a_request_that_waits, begin, end),
		cmocka_unit_test_setup_teardown(test_what_is_unsent, begin, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
