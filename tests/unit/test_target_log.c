/* The messages about targets, word for word: administrators filter for them. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/memory.h"
#include "monitor/target_log.h"

static char path[] = "/tmp/test_target_log.XXXXXX";
static char url[] = "http://a:81";
static struct pool_settings pool = { .check = { .rise = 2, .fall = 3 } };
static struct backend_settings backend = { .url_text = url };
static struct target_state s = { .pool = &pool, .backend = &backend };

static int open_log(void **state)
{
	int fd = mkstemp(path);

	(void)state;
	fd_close(&fd);
	log_set_form(LOG_FORM_PLAIN);
	return log_open(path, LOG_LEVEL_DEBUG);
}

static int close_log(void **state)
{
	(void)state;
	mem_free(backend.addresses);
	return unlink(path) == 0 ? log_open("stderr", LOG_LEVEL_NOTICE) : -1;
}

/* What was logged since the last call. */
static const char *logged(void)
{
	static char text[2048];
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = read(fd, text, sizeof text - 1);

	fd_close(&fd);
	text[n > 0 ? n : 0] = '\0';
	assert_int_equal(truncate(path, 0), 0);
	return text;
}

static const char *news(enum target_news what, const char *why)
{
	target_log_news(&s, what, why);
	return logged();
}

static void test_checks(void **state)
{
	(void)state;
	assert_string_equal(news(TARGET_NO_NEWS, NULL), "");
	assert_string_equal(news(TARGET_FIRST_CHECK_FAILED, "status 503"),
		"http://a:81 is down: its first check failed: status 503\n");
	assert_string_equal(news(TARGET_CHECKS_FAILED, "status 503"),
		"http://a:81 is down: 3 checks failed: status 503\n");
	assert_string_equal(
		news(TARGET_CHECKS_PASSED, NULL), "http://a:81 is back: 2 checks passed\n");
	assert_string_equal(news(TARGET_REFUSES, "Connection refused"),
		"http://a:81 is down: it takes no connections: Connection refused\n");
	assert_string_equal(news(TARGET_IS_BACK, NULL), "http://a:81 is back\n");
	pool.check.rise = pool.check.fall = 1;
	assert_string_equal(news(TARGET_CHECKS_FAILED, "status 503"),
		"http://a:81 is down: 1 check failed: status 503\n");
	assert_string_equal(
		news(TARGET_CHECKS_PASSED, NULL), "http://a:81 is back: 1 check passed\n");
}

static const char *ejected(uint64_t ms, const struct eject_cause *cause)
{
	struct rows_tally total = { .counts = { [ROWS_TIMED_OUT] = 30, [ROWS_CUT] = 20 } };

	s.before = (struct eject_kinds){ .cut = 5, .timed_out = 29 };
	target_log_ejected(&s, ms, cause, &total);
	return logged();
}

static void test_ejected(void **state)
{
	(void)state;
	assert_string_equal(ejected(10000, &(struct eject_cause){ .in_a_row = 5 }),
		"http://a:81 is ejected for 10 s: 5 failures in a row (closed before the end of an "
		"answer)\n");
	assert_string_equal(ejected(1500, &(struct eject_cause){ .in_a_row = 1 }),
		"http://a:81 is ejected for 1.5 s: 1 failure in a row (closed before the end of an "
		"answer)\n");
	assert_string_equal(ejected(1000, &(struct eject_cause){ .failures = 15, .requests = 20 }),
		"http://a:81 is ejected for 1 s: 15 of 20 requests failed (closed before the end "
		"of "
		"an answer)\n");
}

static struct address address_of(const char *text)
{
	struct address address;

	assert_int_equal(address_parse_ip(text, &address), 0);
	address_set_port(&address, 81);
	return address;
}

static void test_addresses(void **state)
{
	const struct address list[] = { address_of("10.0.0.1"), address_of("10.0.0.2") };

	(void)state;
	backend.addresses = mem_zalloc(1, addresses_size(2, true));
	assert_non_null(backend.addresses);
	addresses_write(backend.addresses, 2, list, 2);
	s.address = list[0];
	assert_string_equal(
		news(TARGET_IS_NEW, NULL), "http://a:81 is new, at 10.0.0.1:81, 10.0.0.2:81\n");
	assert_string_equal(news(TARGET_HAS_MOVED, NULL),
		"http://a:81 is at other addresses: 10.0.0.1:81, 10.0.0.2:81\n");
	assert_string_equal(news(TARGET_IS_GONE, NULL),
		"http://a:81 is gone: its name does not have the address any more\n");
	/* Where each address is a backend, the message says which it is. */
	backend.spread = SPREAD_EACH;
	assert_string_equal(news(TARGET_IS_BACK, NULL), "http://a:81 (10.0.0.1:81) is back\n");
	s.address.len = 0;
	assert_string_equal(news(TARGET_IS_BACK, NULL), "http://a:81 is back\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_checks),
		cmocka_unit_test(test_ejected),
		cmocka_unit_test(test_addresses),
	};

	return cmocka_run_group_tests(tests, open_log, close_log);
}
