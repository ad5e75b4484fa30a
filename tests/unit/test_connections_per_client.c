/* Sources: who counts as one, and that the last connection of one leaves nothing behind. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/memory.h"
#include "downstream/connections_per_client.h"

static struct sources sources;

static struct source *enter(const char *text)
{
	struct address a;

	assert_int_equal(address_parse_ip(text, &a), 0);
	return connections_per_client_enter(&sources, &a);
}

static void test_who_is_one(void **state)
{
	struct source *a = enter("192.0.2.7");
	struct source *b = enter("192.0.2.8");
	struct source *c = enter("2001:db8:1:2::1");
	struct source *d = enter("2001:db8:1:3::1");

	(void)state;
	assert_ptr_not_equal(a, b);
	assert_ptr_not_equal(c, d);
	assert_ptr_equal(enter("::ffff:192.0.2.7"), a);
	assert_ptr_equal(enter("2001:db8:1:2:3:4:5:6"), c);
	assert_int_equal(a->connections, 2);
	assert_int_equal(c->connections, 2);
	connections_per_client_leave(&sources, a);
	assert_int_equal(a->connections, 1);
	connections_per_client_leave(&sources, a);
	connections_per_client_leave(&sources, b);
	connections_per_client_leave(&sources, c);
	connections_per_client_leave(&sources, c);
	connections_per_client_leave(&sources, d);
	connections_per_client_leave(&sources, NULL);
	assert_null(sources.tree);
}

static void test_many(void **state)
{
	static struct source *all[5000];
	char text[32];

	(void)state;
	for (unsigned i = 0; i < 5000; i++) {
		(void)snprintf(text, sizeof text, "10.%u.%u.1", i / 100, i % 100);
		all[i] = enter(text);
		assert_int_equal(all[i]->connections, 1);
	}
	for (unsigned i = 0; i < 5000; i++)
		connections_per_client_leave(&sources, all[i * 7 % 5000]);
	assert_null(sources.tree);
}

static void test_no_memory(void **state)
{
	(void)state;
	mem_fail_after(0);
	assert_null(enter("192.0.2.7"));
	mem_fail_after(-1);
	assert_null(sources.tree);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_who_is_one),
		cmocka_unit_test(test_many),
		cmocka_unit_test(test_no_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
