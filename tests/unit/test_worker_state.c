/* The states of a worker, and how long it accepts while it drains. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "worker/worker_grace.h"
#include "worker/worker_state.h"

static void test_life(void **state)
{
	enum worker_state s = WORKER_STARTING;

	(void)state;
	worker_state_set(&s, WORKER_RUNNING);
	assert_int_equal(s, WORKER_RUNNING);
	worker_state_set(&s, WORKER_DRAINING);
	worker_state_set(&s, WORKER_ENDED);
	assert_int_equal(s, WORKER_ENDED);
	/* TERM does not wait for a drain. */
	s = WORKER_RUNNING;
	worker_state_set(&s, WORKER_ENDED);
	assert_int_equal(s, WORKER_ENDED);
}

#ifndef NDEBUG
/* Whether a change ends the process. */
static bool is_forbidden(enum worker_state from, enum worker_state to)
{
	pid_t pid = fork();
	int status;

	assert_int_not_equal(pid, -1);
	if (pid == 0) {
		(void)close(STDERR_FILENO);
		(void)signal(SIGABRT, SIG_DFL);
		worker_state_set(&from, to);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT;
}

static void test_forbidden(void **state)
{
	(void)state;
	assert_false(is_forbidden(WORKER_STARTING, WORKER_RUNNING));
	assert_true(is_forbidden(WORKER_RUNNING, WORKER_RUNNING));
	assert_true(is_forbidden(WORKER_RUNNING, WORKER_STARTING));
	assert_true(is_forbidden(WORKER_STARTING, WORKER_DRAINING));
	assert_true(is_forbidden(WORKER_ENDED, WORKER_DRAINING));
}
#endif

static void test_grace(void **state)
{
	static const struct {
		uint64_t drain, grace, shut;
	} cases[] = {
		{ 0, 0, 0 },
		{ 10, 5, 2 },
		{ 400, 200, 100 },
		{ 1000, 500, 250 },
		{ 1200, 600, 250 },
		{ 2000, 1000, 250 },
		{ 30000, 1000, 250 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		const struct settings settings = { .timeouts.drain = cases[i].drain };

		assert_int_equal(worker_grace(&settings), cases[i].grace);
		assert_int_equal(worker_shut(&settings), cases[i].shut);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_life),
#ifndef NDEBUG
		cmocka_unit_test(test_forbidden),
#endif
		cmocka_unit_test(test_grace),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
