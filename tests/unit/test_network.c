/* Networks: what is read, what is refused, and who is in a set of them. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "net/network.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static struct address ip(const char *text)
{
	struct address a;

	assert_int_equal(address_parse_ip(text, &a), 0);
	return a;
}

static struct address unix_peer(void)
{
	struct address a = { .len = sizeof(sa_family_t) };

	a.u.sa.sa_family = AF_UNIX;
	return a;
}

static struct network read_network(const char *text)
{
	struct network n;
	const char *why = NULL;

	if (network_parse(text, &n, &why) == -1)
		fail_msg("%s: %s", text, why);
	return n;
}

static void test_good(void **state)
{
	static const char *const cases[][2] = {
		{ "10.0.0.0/8", "10.0.0.0/8" },
		{ "192.0.2.7", "192.0.2.7" },
		{ "192.0.2.7/32", "192.0.2.7" },
		{ "192.0.2.6/31", "192.0.2.6/31" },
		{ "0.0.0.0/0", "0.0.0.0/0" },
		{ "::/0", "::/0" },
		{ "::1", "::1" },
		{ "2001:DB8::/32", "2001:db8::/32" },
		{ "2001:db8::1/128", "2001:db8::1" },
		{ "fe80::/10", "fe80::/10" },
		{ "::ffff:10.0.0.1", "10.0.0.1" },
		{ "unix:", "unix:" },
	};
	char text[NETWORK_TEXT_SIZE];

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct network n = read_network(cases[i][0]);
		struct network again;

		assert_string_equal(network_format(&n, text), cases[i][1]);
		again = read_network(text);
		assert_int_equal(network_compare(&n, &again), 0);
	}
}

static void test_bad(void **state)
{
	static const char *const cases[] = { "", "/", "/8", "10", "10.0.0.0/", "10.0.0.0/33",
		"10.0.0.0/08", "10.0.0.0/-1", "10.0.0.0/+8", "10.0.0.0/8/8", "10.0.0.0/ 8",
		" 10.0.0.0/8", "10.0.0.0/255.0.0.0", "10.0.0.1/8", "10.0.0/8", "010.0.0.0/8",
		"::/129", "::1/64", "2001:db8::1/32", "[::1]", "[::]/0", "::ffff:10.0.0.0/104",
		"unix", "unix:/run/x", "unix:/8", "localhost", "*", "all", "10.0.0.1:80",
		"10.0.0.1-10.0.0.9", "fe80::1%lo",
		"1111:1111:1111:1111:1111:1111:1111:1111:1111:1111:1111/64" };
	struct network n;

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		const char *why = NULL;

		if (network_parse(cases[i], &n, &why) == 0)
			fail_msg("%s was taken", cases[i]);
		assert_non_null(why);
	}
}

static struct network_set set_of(const char *const *texts, size_t count)
{
	struct network_set set = { 0 };

	for (size_t i = 0; i < count; i++) {
		struct network n = read_network(texts[i]);

		assert_int_equal(network_set_add(&set, &n), 0);
	}
	network_set_sort(&set);
	return set;
}

static void test_set(void **state)
{
	static const char *const texts[] = { "192.0.2.128/25", "10.0.0.0/8", "2001:db8::/32",
		"10.1.0.0/16", "10.0.0.0/8", "203.0.113.7", "::1" };
	static const struct {
		const char *peer;
		bool in;
	} cases[] = {
		{ "10.0.0.0", true }, { "10.255.255.255", true }, { "10.1.2.3", true },
		{ "11.0.0.0", false }, { "9.255.255.255", false }, { "192.0.2.127", false },
		{ "192.0.2.128", true }, { "192.0.2.255", true }, { "192.0.3.0", false },
		{ "203.0.113.7", true }, { "203.0.113.6", false }, { "203.0.113.8", false },
		{ "0.0.0.0", false }, { "255.255.255.255", false }, { "::1", true },
		{ "::", false }, { "::2", false }, { "2001:db8::", true },
		{ "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff", true }, { "2001:db9::", false },
		{ "2001:db7:ffff::", false },
		{ "::ffff:10.2.3.4", true }, /* the same address on a socket for both families */
		{ "::ffff:11.2.3.4", false },
		{ "a00::", false }, /* begins with the bits of 10.0.0.0 */
	};
	struct network_set set = set_of(texts, COUNT(texts));
	struct address local = unix_peer();

	(void)state;
	assert_int_equal(set.count, 5);
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct address peer = ip(cases[i].peer);

		if (network_set_has(&set, &peer) != cases[i].in)
			fail_msg("%s", cases[i].peer);
	}
	assert_false(network_set_has(&set, &local));
	network_set_free(&set);
	assert_false(network_set_has(&set, &local));
}

/* All of IPv6 is not IPv4, and none of either is a unix socket. */
static void test_whole_families(void **state)
{
	static const char *const all6[] = { "::/0" };
	static const char *const all4[] = { "0.0.0.0/0" };
	static const char *const local[] = { "unix:", "unix:" };
	struct network_set set6 = set_of(all6, 1);
	struct network_set set4 = set_of(all4, 1);
	struct network_set set = set_of(local, 2);
	struct address a4 = ip("127.0.0.1");
	struct address a6 = ip("::1");
	struct address mapped = ip("::ffff:127.0.0.1");
	struct address un = unix_peer();

	(void)state;
	assert_true(network_set_has(&set6, &a6) && !network_set_has(&set6, &a4));
	assert_true(!network_set_has(&set6, &mapped) && !network_set_has(&set6, &un));
	assert_true(network_set_has(&set4, &a4) && network_set_has(&set4, &mapped));
	assert_true(!network_set_has(&set4, &a6) && !network_set_has(&set4, &un));
	assert_int_equal(set.count, 1);
	assert_true(network_set_has(&set, &un) && !network_set_has(&set, &a4));
	network_set_free(&set6);
	network_set_free(&set4);
	network_set_free(&set);
}

/* What a plain walk over all of them says. */
static bool is_in_any(const struct network *list, size_t count, const struct address *peer)
{
	for (size_t i = 0; i < count; i++) {
		struct network n = network_of(peer, list[i].prefix, list[i].prefix);

		if (network_compare(&n, &list[i]) == 0)
			return true;
	}
	return false;
}

/* From few bits, so that many lie inside others. */
static struct address some_address(unsigned *seed)
{
	static const uint8_t bytes[] = { 0, 1, 0x80, 0xff };
	struct address a = ip(rand_r(seed) % 2 == 0 ? "0.0.0.0" : "::");

	for (size_t i = 0; i < 4; i++) {
		uint8_t byte = bytes[rand_r(seed) % 4];

		if (a.u.sa.sa_family == AF_INET)
			memcpy((char *)&a.u.in.sin_addr + i, &byte, 1);
		else
			a.u.in6.sin6_addr.s6_addr[i * 5] = byte;
	}
	return a;
}

static void test_against_a_plain_walk(void **state)
{
	struct network list[40];
	unsigned seed = 1;

	(void)state;
	for (int round = 0; round < 300; round++) {
		struct network_set set = { 0 };

		for (size_t i = 0; i < COUNT(list); i++) {
			struct address a = some_address(&seed);

			list[i] = network_of(&a, (unsigned)rand_r(&seed) % 33,
				16 + (unsigned)rand_r(&seed) % 113);
			assert_int_equal(network_set_add(&set, &list[i]), 0);
		}
		network_set_sort(&set);
		for (int i = 0; i < 200; i++) {
			struct address peer = some_address(&seed);

			assert_int_equal(
				network_set_has(&set, &peer), is_in_any(list, COUNT(list), &peer));
		}
		network_set_free(&set);
	}
}

static void test_network_of(void **state)
{
	struct address a6 = ip("2001:db8:1:2:3:4:5:6");
	struct address a4 = ip("::ffff:192.0.2.7");
	struct address un = unix_peer();
	struct network n = network_of(&a6, 32, 64);
	char text[NETWORK_TEXT_SIZE];

	(void)state;
	assert_string_equal(network_format(&n, text), "2001:db8:1:2::/64");
	n = network_of(&a4, 32, 64);
	assert_string_equal(network_format(&n, text), "192.0.2.7");
	n = network_of(&a4, 128, 128);
	assert_string_equal(network_format(&n, text), "192.0.2.7");
	n = network_of(&un, 32, 64);
	assert_string_equal(network_format(&n, text), "unix:");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good),
		cmocka_unit_test(test_bad),
		cmocka_unit_test(test_set),
		cmocka_unit_test(test_whole_families),
		cmocka_unit_test(test_against_a_plain_walk),
		cmocka_unit_test(test_network_of),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
