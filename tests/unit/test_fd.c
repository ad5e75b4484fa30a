/* Descriptors: closing all but some, whole writes; and the allocator's switch for failures. */
#include "config.h"

#include "base/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/memory.h"

static int is_open(int fd)
{
	return fcntl(fd, F_GETFD) != -1;
}

/* Runs in a process of its own: it closes descriptors that the test program needs. */
static int close_some(void)
{
	int keep[4] = { 42, -1, 40, STDOUT_FILENO };

	for (int fd = 39; fd <= 44; fd++)
		if (dup2(STDIN_FILENO, fd) == -1)
			return 1;
	fd_close_except(keep, 4);
	if (is_open(39) || is_open(41) || is_open(43) || is_open(44) || is_open(3))
		return 2;
	if (!is_open(40) || !is_open(42) || !is_open(0) || !is_open(1) || !is_open(2))
		return 3;
	fd_close_except(NULL, 0);
	return is_open(40) || is_open(42) ? 4 : 0;
}

static void test_close_except(void **state)
{
	pid_t pid = fork();
	int status;

	(void)state;
	if (pid == 0)
		_exit(close_some());
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

static void test_close_clears_and_keeps_errno(void **state)
{
	int fd = dup(STDIN_FILENO), old = fd;

	(void)state;
	errno = ENOENT;
	fd_close(&fd);
	assert_int_equal(fd, -1);
	assert_false(is_open(old));
	errno = ENOENT;
	fd_close(&fd);
	assert_int_equal(errno, ENOENT);
}

static void test_write_all(void **state)
{
	int ends[2];
	char got[8];

	(void)state;
	assert_int_equal(pipe(ends), 0);
	assert_int_equal(fd_write_all(ends[1], "tinylb", 6), 0);
	assert_int_equal(read(ends[0], got, sizeof got), 6);
	assert_memory_equal(got, "tinylb", 6);
	fd_close(&ends[1]);
	assert_int_equal(fd_write_all(ends[1], "x", 1), -1);
	assert_int_equal(errno, EBADF);
	fd_close(&ends[0]);
}

static void test_cloexec(void **state)
{
	int fd = dup(STDIN_FILENO);

	(void)state;
	assert_int_equal(fd_set_cloexec(fd, 1), 0);
	assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
	assert_int_equal(fd_set_cloexec(fd, 0), 0);
	assert_false(fcntl(fd, F_GETFD) & FD_CLOEXEC);
	fd_close(&fd);
	assert_true(fd_raise_limit() >= 64);
}

static void test_allocation_fails_on_demand(void **state)
{
	void *first, *second, *third;

	(void)state;
	mem_fail_after(1);
	first = mem_alloc(1);
	second = mem_zalloc(1, 1);
	third = mem_strdup("x");
	assert_non_null(first);
	assert_null(second);
	assert_non_null(third);
	assert_null(mem_resize(first, SIZE_MAX / 2, 3));
	mem_free(first);
	mem_free(third);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_close_except),
		cmocka_unit_test(test_close_clears_and_keeps_errno),
		cmocka_unit_test(test_write_all),
		cmocka_unit_test(test_cloexec),
		cmocka_unit_test(test_allocation_fails_on_demand),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
