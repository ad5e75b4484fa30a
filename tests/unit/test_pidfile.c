/* The pid file: one instance, stale files, and whose file it is at the end. */
#include "config.h"

#include "master/pidfile.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/fd.h"

static char dir[] = "/tmp/test_pidfile.XXXXXX";
static char path[64];

static int group_setup(void **state)
{
	(void)state;
	if (mkdtemp(dir) == NULL)
		return -1;
	snprintf(path, sizeof path, "%s/pid", dir);
	return 0;
}

static int group_teardown(void **state)
{
	(void)state;
	/* Fails where a temporary file was left behind. */
	return rmdir(dir);
}

static int written(void)
{
	char text[32] = "";
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd != -1 && read(fd, text, sizeof text - 1) < 0)
		text[0] = '\0';
	fd_close(&fd);
	return (int)strtol(text, NULL, 10);
}

static void put_file(const char *text)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	assert_int_equal(fd_write_all(fd, text, strlen(text)), 0);
	fd_close(&fd);
}

static void test_written_and_removed(void **state)
{
	struct pidfile p;
	char why[256];

	(void)state;
	assert_int_equal(pidfile_open(&p, path, why, sizeof why), 0);
	assert_int_equal(written(), getpid());
	pidfile_close(&p);
	assert_int_equal(access(path, F_OK), -1);
}

static void test_none(void **state)
{
	struct pidfile p;
	char why[256];

	(void)state;
	assert_int_equal(pidfile_open(&p, NULL, why, sizeof why), 0);
	pidfile_close(&p);
}

static void test_stale_file_is_replaced(void **state)
{
	struct pidfile p;
	char why[256];

	(void)state;
	put_file("1\n");
	assert_int_equal(pidfile_open(&p, path, why, sizeof why), 0);
	assert_int_equal(written(), getpid());
	pidfile_close(&p);
}

/* Where others may write to the folder, they may put there what is to be overwritten. */
static void test_what_others_put_there_is_not_touched(void **state)
{
	struct pidfile p;
	char why[256], planted[96], text[32] = "";
	int fd;

	(void)state;
	snprintf(planted, sizeof planted, "%s.%d", path, (int)getpid());
	fd = open(planted, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	assert_int_equal(fd_write_all(fd, "precious", 8), 0);
	assert_int_equal(pidfile_open(&p, path, why, sizeof why), 0);
	assert_int_equal(pread(fd, text, sizeof text - 1, 0), 8);
	assert_string_equal(text, "precious");
	assert_int_equal(unlink(planted), 0);
	fd_close(&fd);
	pidfile_close(&p);
}

static void test_name_that_is_too_long(void **state)
{
	char longest[4096] = "", why[5000];
	struct pidfile p;

	(void)state;
	while (strlen(longest) + 2 < sizeof longest - 5)
		memcpy(longest + strlen(longest), "./", 3);
	memcpy(longest + strlen(longest), "pid", 4);
	assert_int_equal(pidfile_open(&p, longest, why, sizeof why), -1);
	assert_non_null(strstr(why, ": File name too long"));
	assert_int_equal(access("pid", F_OK), -1);
	pidfile_close(&p);
}

static void test_second_instance_is_refused(void **state)
{
	struct pidfile first, second;
	char why[256], pid[32];

	(void)state;
	assert_int_equal(pidfile_open(&first, path, why, sizeof why), 0);
	assert_int_equal(pidfile_open(&second, path, why, sizeof why), -1);
	snprintf(pid, sizeof pid, "pid %d", (int)getpid());
	assert_non_null(strstr(why, path));
	assert_non_null(strstr(why, pid));
	assert_int_equal(written(), getpid());
	pidfile_close(&first);
}

static void test_file_of_another_is_left_alone(void **state)
{
	struct pidfile p;
	char why[256];

	(void)state;
	assert_int_equal(pidfile_open(&p, path, why, sizeof why), 0);
	assert_int_equal(unlink(path), 0);
	put_file("4711\n");
	pidfile_close(&p);
	assert_int_equal(written(), 4711);
	assert_int_equal(unlink(path), 0);
}

static void test_folder_that_is_not_there(void **state)
{
	struct pidfile p;
	char why[256];

	(void)state;
	assert_int_equal(pidfile_open(&p, "/nonexistent/pid", why, sizeof why), -1);
	assert_non_null(strstr(why, "/nonexistent/pid: No such file or directory"));
	pidfile_close(&p);
}

/* Of many that start at once, exactly one runs. */
static void test_race(void **state)
{
	int go[2], won = 0, status;
	char byte;

	(void)state;
	put_file("1\n");
	assert_int_equal(pipe(go), 0);
	for (int i = 0; i < 8; i++) {
		if (fork() != 0)
			continue;
		struct pidfile p;
		char why[256];
		fd_close(&go[1]);
		while (read(go[0], &byte, 1) > 0)
			;
		if (pidfile_open(&p, path, why, sizeof why) == -1)
			_exit(0);
		usleep(200000);
		_exit(written() == getpid() ? 1 : 2);
	}
	fd_close(&go[0]);
	fd_close(&go[1]);
	for (int i = 0; i < 8; i++) {
		assert_true(wait(&status) > 0);
		assert_true(WIFEXITED(status));
		assert_int_not_equal(WEXITSTATUS(status), 2);
		won += WEXITSTATUS(status);
	}
	assert_int_equal(won, 1);
	assert_int_equal(unlink(path), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_written_and_removed),
		cmocka_unit_test(test_none),
		cmocka_unit_test(test_stale_file_is_replaced),
		cmocka_unit_test(test_what_others_put_there_is_not_touched),
		cmocka_unit_test(test_name_that_is_too_long),
		cmocka_unit_test(test_second_instance_is_refused),
		cmocka_unit_test(test_file_of_another_is_left_alone),
		cmocka_unit_test(test_folder_that_is_not_there),
		cmocka_unit_test(test_race),
	};

	return cmocka_run_group_tests(tests, group_setup, group_teardown);
}
