/* The addresses of backends while they change, backends that stand for each of them, and the
 * options of their health. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "settings/check_option.h"
#include "settings/lookup.h"
#include "settings/settings_dump.h"
#include "settings/settings_load.h"

static char report[4096];

/* Settings of one pool. NULL and `report`, or `report` with warnings alone. */
static struct settings *load(const char *pool)
{
	char name[] = "/tmp/tinylb-backends-XXXXXX";
	int fd = mkstemp(name);
	FILE *out = fmemopen(report, sizeof report - 1, "w");
	struct settings_errors errors = { .out = out };
	struct settings *s;
	char *at;

	memset(report, 0, sizeof report);
	assert_int_not_equal(fd, -1);
	assert_true(dprintf(fd, "listeners = ( { address = \":1\"; } );\npools = ( {\n%s } );\n",
			    pool) > 0);
	assert_int_equal(close(fd), 0);
	s = settings_load(name, &errors);
	assert_int_equal(unlink(name), 0);
	assert_int_equal(fclose(out), 0);
	/* Without the name of the file. */
	while ((at = strstr(report, name)) != NULL)
		memmove(at, at + strlen(name), strlen(at + strlen(name)) + 1);
	return s;
}

static struct address ip(int last, uint16_t port)
{
	struct address a;
	char text[32];

	(void)snprintf(text, sizeof text, "192.0.2.%d", last);
	assert_int_equal(address_parse_ip(text, &a), 0);
	address_set_port(&a, port);
	return a;
}

#define EACH                                                                                       \
	"name = \"a\"; backends = ( { url = \"http://127.0.0.1\"; },\n"                            \
	"{ url = \"http://back:81/x\"; weight = 3; addresses = \"each\"; },\n"                     \
	"{ url = \"http://127.0.0.2\"; addresses = \"each\"; } );"

static void test_each_address_is_a_backend(void **state)
{
	struct settings *s = load(EACH);
	const struct backend_settings *b;

	(void)state;
	assert_non_null(s);
	b = s->pools[0].backends;
	assert_int_equal(s->pools[0].backend_count, 2 + BACKEND_EACH_MAX);
	for (unsigned i = 1; i <= BACKEND_EACH_MAX; i++) {
		assert_int_equal(b[i].ordinal, i - 1);
		assert_int_equal(b[i].weight, 3);
		assert_int_equal(addresses_count(b[i].addresses), 0);
	}
	assert_string_equal(b[BACKEND_EACH_MAX + 1].url_text, "http://127.0.0.2");
	assert_int_equal(lookup_heads(s, &b), 1);
	assert_int_equal(lookup_places(b), BACKEND_EACH_MAX);
	settings_free(s);
}

static void test_dump_has_it_once(void **state)
{
	struct settings *s = load(EACH);
	char text[8192] = "";
	FILE *out = fmemopen(text, sizeof text - 1, "w");
	char *first;

	(void)state;
	assert_non_null(s);
	settings_dump(s, out);
	assert_int_equal(fclose(out), 0);
	settings_free(s);
	first = strstr(text, "http://back:81/x");
	assert_non_null(first);
	assert_null(strstr(first + 1, "http://back:81/x"));
	assert_non_null(strstr(text, "addresses = \"each\""));
	/* No comma is left over where copies were left out. */
	assert_null(strstr(text, ",\n    );"));
}

/* Which of 1 to 9 are in which place: "-" for an empty one. */
static const char *places(const struct backend_settings *head)
{
	static char out[8];

	for (size_t i = 0; i < sizeof out - 1; i++) {
		struct address a;
		char text[ADDRESS_TEXT_SIZE];

		out[i] = '-';
		if (!addresses_get(head[i].addresses, 0, &a))
			continue;
		assert_int_equal(address_port(&a), 81);
		out[i] = strrchr(address_format_host(&a, text), '.')[1];
	}
	return out;
}

static void apply(const struct backend_settings *head, const char *digits)
{
	struct address found[LOOKUP_MAX];
	uint32_t n = 0;

	for (; *digits != '\0'; digits++)
		found[n++] = ip(*digits - '0', 0);
	lookup_apply(head, found, n);
}

static void test_address_keeps_its_place(void **state)
{
	struct settings *s = load(EACH);
	const struct backend_settings *head;
	uint32_t version;

	(void)state;
	assert_non_null(s);
	head = &s->pools[0].backends[1];
	apply(head, "123");
	assert_string_equal(places(head), "123----");
	version = addresses_version(head[2].addresses);
	apply(head, "431");
	assert_string_equal(places(head), "143----");
	assert_int_equal(addresses_version(head[2].addresses), version);
	apply(head, "3");
	assert_string_equal(places(head), "--3----");
	apply(head, "9512");
	assert_string_equal(places(head), "9512---");
	settings_free(s);
}

static void test_too_many_addresses(void **state)
{
	struct settings *s = load(EACH);
	struct address found[LOOKUP_MAX + 5];
	const struct backend_settings *head;

	(void)state;
	assert_non_null(s);
	head = &s->pools[0].backends[1];
	for (int i = 0; i < LOOKUP_MAX + 5; i++)
		found[i] = ip(i + 1, 0);
	lookup_apply(head, found, LOOKUP_MAX + 5);
	for (unsigned i = 0; i < BACKEND_EACH_MAX; i++)
		assert_int_equal(addresses_count(head[i].addresses), 1);
	settings_free(s);
}

static void test_order_is_no_change(void **state)
{
	struct settings *s = load("name = \"a\"; backends = ( { url = \"http://back:81\"; } );");
	const struct backend_settings *head;
	struct address first;

	(void)state;
	assert_non_null(s);
	head = s->pools[0].backends;
	apply(head, "123456789");
	assert_int_equal(addresses_count(head->addresses), BACKEND_ADDRESSES_MAX);
	apply(head, "12");
	assert_int_equal(addresses_version(head->addresses), 2);
	apply(head, "21");
	assert_int_equal(addresses_version(head->addresses), 2);
	assert_true(addresses_get(head->addresses, 4, &first));
	assert_true(addresses_have(head->addresses, &first));
	first = ip(3, 81);
	assert_false(addresses_have(head->addresses, &first));
	settings_free(s);
}

/* What a new process looks up for a reload takes its places from what the former one had. */
static void test_places_outlive_a_reload(void **state)
{
	static const char text[] = "name = \"a\"; backends = (\n"
				   "{ url = \"http://no.invalid:81\"; addresses = \"each\"; } );";
	struct settings *old = load(text), *s = load(text);

	(void)state;
	assert_non_null(old);
	assert_non_null(s);
	apply(old->pools[0].backends, "123");
	apply(old->pools[0].backends, "3");
	assert_int_equal(lookup_run(s, old), 0);
	assert_string_equal(places(s->pools[0].backends), "--3----");
	settings_free(old);
	settings_free(s);
}

/* Readers get one or the other, never a mixture. */
static void test_reading_while_writing(void **state)
{
	struct settings *s = load("name = \"a\"; backends = ( { url = \"http://back:81\"; } );");
	struct backend_addresses *shared;
	struct address sets[3][BACKEND_ADDRESSES_MAX], got[BACKEND_ADDRESSES_MAX];
	uint32_t version;
	int status;
	pid_t pid;

	(void)state;
	assert_non_null(s);
	shared = s->pools[0].backends[0].addresses;
	for (int i = 0; i < BACKEND_ADDRESSES_MAX; i++) {
		sets[0][i] = ip(i + 1, 81);
		sets[1][i] = ip(i + 101, 82);
		sets[2][i] = ip(i + 201, 83);
	}
	addresses_write(shared, BACKEND_ADDRESSES_MAX, sets[0], BACKEND_ADDRESSES_MAX);
	pid = fork();
	if (pid == 0) {
		for (unsigned i = 1; i < 60000; i++) {
			addresses_write(shared, BACKEND_ADDRESSES_MAX, sets[i % 3],
				BACKEND_ADDRESSES_MAX - i % 3);
			if (i % 64 == 0)
				usleep(1);
		}
		_exit(0);
	}
	while (waitpid(pid, &status, WNOHANG) == 0) {
		uint32_t n = addresses_read(shared, got, &version);
		uint32_t which = BACKEND_ADDRESSES_MAX - n;

		/* Nothing is the answer to one who writes all the time. */
		if (n == 0)
			continue;
		assert_true(which < 3);
		for (uint32_t i = 0; i < n; i++)
			assert_true(address_equals(&got[i], &sets[which][i]));
	}
	assert_int_equal(status, 0);
	settings_free(s);
}

static void test_health_defaults(void **state)
{
	struct settings *s = load("name = \"a\"; backends = ( { url = \"http://a\"; } );");
	const struct pool_settings *p;

	(void)state;
	assert_non_null(s);
	p = &s->pools[0];
	assert_int_equal(p->check.type, CHECK_OFF);
	assert_string_equal(p->check.path, "/");
	assert_int_equal(p->check.status_least, 200);
	assert_int_equal(p->check.status_most, 399);
	assert_int_equal(p->check.interval, 2000);
	assert_int_equal(p->check.rise, 2);
	assert_int_equal(p->check.fall, 3);
	assert_int_equal(p->eject.failures, 5);
	assert_false(p->eject.on_5xx);
	assert_int_equal(p->eject.time_max, 300000);
	assert_int_equal(p->slow_start, 10000);
	assert_int_equal(p->resolve, 30000);
	settings_free(s);
}

static void test_refusals(void **state)
{
	static const struct {
		const char *text, *report;
	} bad[] = {
		{ "check = { type = \"ping\"; };",
			":3: pools.check.type = \"ping\": must be one of off, tcp, http\n" },
		{ "check = { path = \"health\"; };",
			":3: pools.check.path = \"health\": a path begins with a slash and has no "
			"spaces: \"/health\"\n" },
		{ "check = { path = \"/a\\r\\nX: y\"; };",
			":3: pools.check.path = \"/a\\x0d\\x0aX: y\": a path begins with a slash "
			"and has no spaces: \"/health\"\n" },
		{ "check = { host = \"a b\"; };",
			":3: pools.check.host = \"a b\": must be a host, perhaps with a port: "
			"\"www.example.com\"\n" },
		{ "check = { status = \"300-200\"; };",
			":3: pools.check.status = \"300-200\": must be a status from 100 to 999, "
			"or two with a dash between: \"204\", \"200-399\"\n" },
		{ "check = { rise = 0; };", ":3: pools.check.rise = 0: must be 1 to 100\n" },
		{ "check = { interval = \"1ms\"; };",
			":3: pools.check.interval = \"1ms\": must be 10ms to 1h\n" },
		{ "check = \"tcp\";", ":3: pools.check = \"tcp\": must be a group: { ... }\n" },
		{ "eject = { most = 101; };", ":3: pools.eject.most = 101: must be 0 to 100\n" },
		{ "eject = { failure = 1; };", ":3: there is no option pools.eject.failure; did "
					       "you mean \"failures\"?\n" },
		{ "eject = { time = \"1h\"; };",
			":2: eject.time_max must not be shorter than eject.time\n" },
		{ "slow_start = 10;",
			":3: pools.slow_start = 10: a duration needs a unit (ms, s, m, h): "
			"\"10s\"\n" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		char text[512];

		(void)snprintf(text, sizeof text,
			"%s\nname = \"a\"; backends = ( { url = \"http://a\"; } );", bad[i].text);
		assert_null(load(text));
		assert_string_equal(report, bad[i].report);
	}
}

static void test_check_without_type(void **state)
{
	struct settings *s = load("check = { path = \"/health\"; }; name = \"a\";\n"
				  "backends = ( { url = \"http://a\"; } );");

	(void)state;
	assert_non_null(s);
	assert_string_equal(report,
		":2: warning: check.path, check.host and check.body are of no use without "
		"check.type = \"http\"\n");
	settings_free(s);
}

static void test_status(void **state)
{
	int least, most;

	(void)state;
	assert_int_equal(check_option_parse_status("204", &least, &most), 0);
	assert_int_equal(least, 204);
	assert_int_equal(most, 204);
	assert_int_equal(check_option_parse_status("100-999", &least, &most), 0);
	assert_int_equal(least, 100);
	assert_int_equal(most, 999);
	assert_int_equal(check_option_parse_status("", &least, &most), -1);
	assert_int_equal(check_option_parse_status("99", &least, &most), -1);
	assert_int_equal(check_option_parse_status("200-", &least, &most), -1);
	assert_int_equal(check_option_parse_status("200-1000", &least, &most), -1);
	assert_int_equal(check_option_parse_status("-200", &least, &most), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each_address_is_a_backend),
		cmocka_unit_test(test_dump_has_it_once),
		cmocka_unit_test(test_address_keeps_its_place),
		cmocka_unit_test(test_too_many_addresses),
		cmocka_unit_test(test_order_is_no_change),
		cmocka_unit_test(test_places_outlive_a_reload),
		cmocka_unit_test(test_reading_while_writing),
		cmocka_unit_test(test_health_defaults),
		cmocka_unit_test(test_refusals),
		cmocka_unit_test(test_check_without_type),
		cmocka_unit_test(test_status),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
