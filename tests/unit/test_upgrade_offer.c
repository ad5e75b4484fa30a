/* upgrade_offer.c: what goes on to a backend of a client's Upgrade, and what a 101 may name. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "http/upgrade_offer.h"

#define ANY NULL

static struct fields fields;

static void read(const char *section)
{
	const char *why;
	bool too_many;

	fields_init(&fields);
	assert_true(
		fields_parse(&fields, section, strlen(section), FIELDS_MAX, &why, &too_many) > 0);
}

static const char *offer(const char *section, const char *allowed)
{
	static char bytes[512];
	struct text out = text_over(bytes, sizeof bytes);

	read(section);
	if (!upgrade_offer_is_valid(&fields))
		return "invalid";
	upgrade_offer_write(&out, &fields, slice_of_string(allowed));
	assert_false(out.overflow);
	assert_true(upgrade_offer_is_left(&fields, slice_of_string(allowed)) == (out.len > 0));
	return text_string(&out);
}

static void test_an_offer_goes_on_as_it_is(void **state)
{
	(void)state;
	assert_string_equal(offer("Upgrade: tcp\r\n\r\n", ANY), "tcp");
	assert_string_equal(offer("Upgrade: SPDY/3.1\r\n\r\n", ANY), "SPDY/3.1");
	assert_string_equal(
		offer("Upgrade: b, ,a/1\r\nX: y\r\nupgrade: A\r\n\r\n", ANY), "b, a/1, A");
}

static void test_what_hides_requests_is_left_out(void **state)
{
	(void)state;
	assert_string_equal(offer("Upgrade: h2c\r\n\r\n", ANY), "invalid");
	assert_string_equal(offer("Upgrade: HTTP/2.0, TLS/1.0\r\n\r\n", ANY), "invalid");
	assert_string_equal(offer("Upgrade: h2c, websocket, TLS/1.0\r\n\r\n", ANY), "websocket");
	assert_string_equal(offer("Upgrade: h2c\r\nUpgrade: websocket\r\n\r\n", ANY), "websocket");
}

static void test_malformed_offers_are_none(void **state)
{
	(void)state;
	assert_string_equal(offer("X: tcp\r\n\r\n", ANY), "invalid");
	assert_string_equal(offer("Upgrade:\r\n\r\n", ANY), "invalid");
	assert_string_equal(offer("Upgrade: ,\r\n\r\n", ANY), "invalid");
	assert_string_equal(offer("Upgrade: a b\r\n\r\n", ANY), "invalid");
	assert_string_equal(offer("Upgrade: tcp, \"x\"\r\n\r\n", ANY), "invalid");
	assert_string_equal(offer("Upgrade: tcp\r\nUpgrade: a/\r\n\r\n", ANY), "invalid");
	assert_string_equal(offer("Upgrade: /1\r\n\r\n", ANY), "invalid");
	assert_string_equal(offer("Upgrade: a/1/2\r\n\r\n", ANY), "invalid");
	assert_string_equal(offer("Upgrade: 1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16\r\n\r\n", ANY),
		"1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16");
	assert_string_equal(
		offer("Upgrade: 1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17\r\n\r\n", ANY),
		"invalid");
}

static void test_the_settings_choose(void **state)
{
	static const char section[] = "Upgrade: tcp, SPDY/3.1, WebSocket, SPDY/2\r\n\r\n";

	(void)state;
	assert_string_equal(offer(section, ""), "");
	assert_string_equal(offer(section, "websocket"), "WebSocket");
	assert_string_equal(offer(section, "spdy"), "SPDY/3.1, SPDY/2");
	assert_string_equal(offer(section, "SPDY/2,tcp"), "tcp, SPDY/2");
}

static bool has(const char *allowed, const char *protocol)
{
	return upgrade_offer_has(&fields, slice_of_string(allowed), slice_of_string(protocol));
}

static void test_a_101_names_what_was_offered(void **state)
{
	(void)state;
	read("Upgrade: h2c, tcp\r\nUpgrade: SPDY/3.1\r\n\r\n");
	assert_true(has(ANY, "tcp") && has(ANY, "TCP") && has(ANY, "spdy/3.1"));
	assert_true(has("SPDY", "SPDY/3.1"));
	assert_false(has(ANY, "h2c"));
	assert_false(has(ANY, "SPDY"));
	assert_false(has(ANY, "SPDY/2"));
	assert_false(has(ANY, "websocket"));
	assert_false(has(ANY, "tcp, SPDY/3.1"));
	assert_false(has("SPDY", "tcp"));
	assert_false(has("", "tcp"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_an_offer_goes_on_as_it_is),
		cmocka_unit_test(test_what_hides_requests_is_left_out),
		cmocka_unit_test(test_malformed_offers_are_none),
		cmocka_unit_test(test_the_settings_choose),
		cmocka_unit_test(test_a_101_names_what_was_offered),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
