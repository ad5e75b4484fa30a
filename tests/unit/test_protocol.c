/* protocol.c: what Upgrade fields name. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/protocol.h"

static void test_what_hides_requests(void **state)
{
	static const char *const hidden[] = { "h2c", "H2C", "h2c-14", "h2", "h3", "h3-29",
		"HTTP/2.0", "http", "HTTP/1.1", "HTTP-draft-09/2.0", "TLS/1.2", "tls", "SSL/3" };
	static const char *const seen[] = { "websocket", "tcp", "SPDY/3.1", "h2cx", "h", "httpx",
		"h2d", "tls1", "connect-udp", "x-h2c", "" };

	(void)state;
	for (size_t i = 0; i < sizeof hidden / sizeof hidden[0]; i++)
		assert_true(protocol_hides_requests(slice_of_string(hidden[i])));
	for (size_t i = 0; i < sizeof seen / sizeof seen[0]; i++)
		assert_false(protocol_hides_requests(slice_of_string(seen[i])));
}

static bool is_in(const char *list, const char *protocol)
{
	return protocol_is_in(slice_of_string(list), slice_of_string(protocol));
}

static void test_a_list_has_protocols_with_any_version_or_one(void **state)
{
	(void)state;
	assert_true(is_in("websocket", "WebSocket"));
	assert_true(is_in("websocket,SPDY", "spdy/3.1"));
	assert_true(is_in("SPDY/3.1,tcp", "SPDY/3.1"));
	assert_true(is_in("SPDY/3.1,tcp", "tcp"));
	assert_false(is_in("SPDY/3.1", "SPDY/2"));
	assert_false(is_in("SPDY/3.1", "SPDY"));
	assert_false(is_in("websocket", "web"));
	assert_false(is_in("web", "websocket"));
	assert_false(is_in("", "tcp"));
	assert_false(is_in(NULL, "tcp"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_hides_requests),
		cmocka_unit_test(test_a_list_has_protocols_with_any_version_or_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
