/* The part of a hand-over that is in the environment. */
#include "config.h"

#include "master/upgrade/handover_env.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

static int state_fd, former_fd;

static int setup(void **state)
{
	(void)state;
	handover_env_clear();
	state_fd = memfd_create("state", MFD_CLOEXEC);
	former_fd = memfd_create("former", MFD_CLOEXEC);
	return state_fd > 2 && former_fd > 2 ? 0 : -1;
}

static int teardown(void **state)
{
	(void)state;
	close(state_fd);
	close(former_fd);
	return 0;
}

static bool stays_open(int fd)
{
	return (fcntl(fd, F_GETFD) & FD_CLOEXEC) == 0;
}

static void test_forward(void **state)
{
	struct handover_env env;

	(void)state;
	assert_false(handover_env_is_set());
	handover_env_set(state_fd, former_fd, NULL);
	assert_true(handover_env_is_set());
	assert_true(stays_open(state_fd));
	assert_true(stays_open(former_fd));
	assert_int_equal(handover_env_take(&env), 0);
	assert_int_equal(env.state, state_fd);
	assert_int_equal(env.former, former_fd);
	assert_string_equal(env.refused, "");
	/* No further program gets it. */
	assert_false(stays_open(state_fd));
	assert_false(stays_open(former_fd));
	assert_false(handover_env_is_set());
	assert_null(getenv("TINYLB_FORMER"));
	assert_null(getenv("TINYLB_REFUSED"));
}

static void test_back(void **state)
{
	struct handover_env env;

	(void)state;
	handover_env_set(state_fd, -1, "it does not start");
	assert_int_equal(handover_env_take(&env), 0);
	assert_int_equal(env.former, -1);
	assert_string_equal(env.refused, "it does not start");
}

static void test_clears_first(void **state)
{
	struct handover_env env;

	(void)state;
	handover_env_set(state_fd, former_fd, "older");
	handover_env_set(state_fd, -1, NULL);
	assert_int_equal(handover_env_take(&env), 0);
	assert_int_equal(env.former, -1);
	assert_string_equal(env.refused, "");
}

static void test_closed_descriptor(void **state)
{
	(void)state;
	handover_env_set(1000000, -1, NULL);
	assert_false(handover_env_is_set());
}

static void test_nonsense(void **state)
{
	static const char *const bad[] = { "", "-1", "+5", " 5", "x", "5x", "0", "2", "1000000",
		"2147483648", "99999999999999999999", ":", "/" };
	struct handover_env env;

	(void)state;
	assert_int_equal(handover_env_take(&env), -1);
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		(void)setenv("TINYLB_STATE", bad[i], 1);
		assert_int_equal(handover_env_take(&env), -1);
		assert_int_equal(env.state, -1);
		assert_false(handover_env_is_set());
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_forward),
		TEST(test_back),
		TEST(test_clears_first),
		TEST(test_closed_descriptor),
		TEST(test_nonsense),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
