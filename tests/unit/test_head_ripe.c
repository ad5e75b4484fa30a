/*
 * head_ripe.c: when a head that arrives in pieces is looked at. A look too many costs time, and who
 * sends octet by octet would have much of it; one too few leaves an error unanswered until more
 * comes.
 */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../../src/http/head.h"
#include "../../src/http/head_ripe.h"
#include "guard.h"

static const struct head_limits limits = { 32768, 100 };

/* The lengths at which a head that comes octet by octet is to be parsed: "15 29 ". */
static const char *ripe_at(const char *input, size_t len)
{
	static char room[1024];
	struct text out = text_over(room, sizeof room);

	for (size_t n = 2; n <= len; n++)
		if (head_is_ripe(guard_place(input, n), n, n - 1, &limits))
			text_format(&out, "%zu ", n);
	return text_string(&out);
}

static const char *ripe(const char *input)
{
	return ripe_at(input, strlen(input));
}

#define LINE "GET / HTTP/1.1\r\n"

/* RFC 9112 2.1: at the end of the first line, which alone can be wrong in many ways, and at the end
 * of the head; no line between them costs anything. */
static void test_a_good_head_is_parsed_twice(void **state)
{
	(void)state;
	assert_string_equal(ripe(LINE "\r\n"), "16 18 ");
	assert_string_equal(ripe(LINE "A: b\r\n\r\n"), "16 24 ");
	assert_string_equal(ripe(LINE "A: b\r\nC_d:\te \x80 f \r\nE:\r\n\r\n"), "16 41 ");
	/* one empty line before it is forgiven (RFC 9112 2.2), and its end tells nothing yet */
	assert_string_equal(ripe("\r\n" LINE "A: b\r\n\r\n"), "2 18 26 ");
}

/* RFC 9112 2.2, 5, RFC 9110 5.5: with the octet that is wrong, or with the end of a line that is.
 */
static void test_an_error_is_seen_when_it_comes(void **state)
{
	(void)state;
	assert_string_equal(ripe("GET / HTTP/1.1\n"), "15 ");
	assert_string_equal(ripe("GET /\x01"), "6 ");
	assert_string_equal(ripe("GET /\x7f"), "6 ");
	assert_string_equal(ripe("GET /\rx"), "7 ");
	assert_string_equal(ripe("GET /\r\r"), "7 ");
	assert_string_equal(ripe("\rx"), "2 ");
	/* a first line that would be a good one further down */
	assert_string_equal(ripe("A: b\r\n"), "6 ");
	assert_string_equal(ripe("\r\nA: b\r\n"), "2 8 ");
	assert_string_equal(ripe(LINE "A: b\n"), "16 21 ");
	assert_string_equal(ripe(LINE "A: b\x01"), "16 21 ");
	assert_string_equal(ripe_at(LINE "A: b\0", 21), "16 21 ");
	assert_string_equal(ripe(LINE "A: b\rc"), "16 22 ");
	assert_string_equal(ripe(LINE "A b\r\n"), "16 21 ");
	assert_string_equal(ripe(LINE "A : b\r\n"), "16 23 ");
	assert_string_equal(ripe(LINE "A: b\r\n c\r\n"), "16 26 ");
	assert_string_equal(ripe(LINE "A: b\r\n: c\r\n"), "16 27 ");
	assert_string_equal(ripe(LINE "A: b\r\n\n"), "16 23 ");
	assert_string_equal(ripe(LINE "\n"), "16 17 ");
}

/* However the pieces are cut: only what is new counts, and all of it. */
static void test_only_new_octets_are_looked_at(void **state)
{
	static const char input[] = LINE "A: b\r\nC: d\r\n";
	const size_t len = sizeof input - 1;

	(void)state;
	for (size_t seen = 1; seen <= len; seen++)
		assert_int_equal(
			head_is_ripe(guard_place(input, len), len, seen, &limits), seen < 16);
}

/* Past a limit the parser can always say something. */
static void test_limits_are_seen(void **state)
{
	static char input[HEAD_LINE_MAX + 10];
	const struct head_limits few = { 200, 100 };

	(void)state;
	memset(input, 'a', sizeof input);
	assert_false(head_is_ripe(guard_place(input, 199), 199, 198, &few));
	assert_true(head_is_ripe(guard_place(input, 200), 200, 199, &few));
	assert_true(head_is_ripe(guard_place(input, 201), 201, 200, &few));
	/* no request line is longer than this; in a line further down that is nothing new */
	assert_false(head_is_ripe(input, HEAD_LINE_MAX - 1, HEAD_LINE_MAX - 2, &limits));
	assert_true(head_is_ripe(input, HEAD_LINE_MAX, HEAD_LINE_MAX - 1, &limits));
	assert_true(head_is_ripe(input, HEAD_LINE_MAX + 5, HEAD_LINE_MAX - 1, &limits));
	assert_false(head_is_ripe(input, HEAD_LINE_MAX + 1, HEAD_LINE_MAX, &limits));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_good_head_is_parsed_twice),
		cmocka_unit_test(test_an_error_is_seen_when_it_comes),
		cmocka_unit_test(test_only_new_octets_are_looked_at),
		cmocka_unit_test(test_limits_are_seen),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
