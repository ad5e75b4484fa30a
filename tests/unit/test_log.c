/* The log: levels, targets, one line a message, reopening, the journal's prefixes. */
#include "config.h"

#include "base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/fd.h"

static char dir[] = "/tmp/test_log.XXXXXX";
static char path[64], moved[64];

static int group_setup(void **state)
{
	(void)state;
	if (mkdtemp(dir) == NULL)
		return -1;
	snprintf(path, sizeof path, "%s/log", dir);
	snprintf(moved, sizeof moved, "%s/log.1", dir);
	return 0;
}

static int setup(void **state)
{
	(void)state;
	unlink(path);
	unlink(moved);
	log_set_role("master");
	log_set_form(LOG_FORM_FULL);
	return log_open(path, LOG_LEVEL_INFO);
}

static int group_teardown(void **state)
{
	(void)state;
	unlink(path);
	unlink(moved);
	return log_open("stderr", LOG_LEVEL_NOTICE) == -1 ? -1 : rmdir(dir);
}

/* The file's bytes, valid until the next call. */
static const char *content(const char *file)
{
	static char text[8192];
	int fd = open(file, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd == -1 ? 0 : read(fd, text, sizeof text - 1);

	fd_close(&fd);
	text[n > 0 ? n : 0] = '\0';
	return text;
}

static void test_line(void **state)
{
	char want[96];

	(void)state;
	log_notice("port %d", 8080);
	snprintf(want, sizeof want, "Z tinylb[%d] master notice: port 8080\n", (int)getpid());
	assert_non_null(strstr(content(path), want));
	assert_int_equal(strlen(content(path)), 23 + strlen(want));
}

static void test_levels(void **state)
{
	(void)state;
	log_debug("hidden");
	log_info("shown");
	assert_false(log_wants(LOG_LEVEL_DEBUG));
	assert_true(log_wants(LOG_LEVEL_ERROR));
	assert_null(strstr(content(path), "hidden"));
	assert_non_null(strstr(content(path), " info: shown\n"));
}

static void test_errno_is_told_and_survives(void **state)
{
	(void)state;
	errno = ENOENT;
	log_error("cannot open x");
	assert_int_equal(errno, ENOENT);
	log_errorx("plain");
	assert_int_equal(errno, ENOENT);
	assert_non_null(strstr(content(path), "error: cannot open x: No such file or directory\n"));
	assert_non_null(strstr(content(path), "error: plain\n"));
}

/* Whatever it is made of, in whichever form: nothing of it is seen by who splits lines or by a
 * terminal. */
static void test_message_stays_in_its_line(void **state)
{
	static const char *const odd[] = { "\xc2\x9b", "\xe2\x80\xa8", "\xe2\x80\xae" };
	const char *got;

	(void)state;
	for (int form = LOG_FORM_FULL; form <= LOG_FORM_PLAIN; form++) {
		log_set_form((enum log_form)form);
		for (int c = 1; c < 256; c++) {
			char want[16];

			assert_int_equal(truncate(path, 0), 0);
			log_info("[%c]", c);
			snprintf(want, sizeof want, c >= ' ' && c < 0x7f ? "[%c]\n" : "[\\x%02x]\n",
				c);
			got = content(path);
			assert_string_equal(got + strlen(got) - strlen(want), want);
			assert_ptr_equal(strchr(got, '\n'), got + strlen(got) - 1);
		}
	}
	for (size_t i = 0; i < sizeof odd / sizeof *odd; i++) {
		log_info("[%s]", odd[i]);
		assert_null(strstr(content(path), odd[i]));
	}
	log_info("größe");
	assert_non_null(strstr(content(path), "größe\n"));
}

static void test_long_message_is_cut(void **state)
{
	char text[5000];
	const char *got;

	(void)state;
	for (int c = 1; c <= 'x'; c += 'x' - 1) {
		assert_int_equal(truncate(path, 0), 0);
		memset(text, c, sizeof text);
		text[sizeof text - 1] = '\0';
		errno = ENOENT;
		log_warn("%s", text);
		got = content(path);
		assert_in_range(strlen(got), 2000, 2200);
		assert_int_equal(got[strlen(got) - 1], '\n');
	}
}

static void test_plain_form(void **state)
{
	(void)state;
	log_set_form(LOG_FORM_PLAIN);
	log_info("Starting load balancer on port 8080");
	assert_string_equal(content(path), "Starting load balancer on port 8080\n");
}

static void test_reopen(void **state)
{
	(void)state;
	log_info("before");
	assert_int_equal(rename(path, moved), 0);
	log_info("still there");
	assert_int_equal(log_reopen(), 0);
	log_info("after");
	assert_non_null(strstr(content(moved), "still there"));
	assert_null(strstr(content(moved), "after"));
	assert_non_null(strstr(content(path), "after"));
}

static void test_taken_descriptor(void **state)
{
	int fd = open(moved, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);

	(void)state;
	log_take_fd(fd);
	assert_int_equal(log_fd(), fd);
	assert_int_equal(log_keep_fd(), fd);
	log_info("there");
	assert_non_null(strstr(content(moved), "there"));
}

static void test_failed_open_keeps_the_target(void **state)
{
	int fd = log_fd();

	(void)state;
	assert_int_equal(log_open("/nonexistent/dir/log", LOG_LEVEL_DEBUG), -1);
	assert_int_equal(log_fd(), fd);
	log_info("kept");
	log_debug("not wanted");
	assert_non_null(strstr(content(path), "kept"));
	assert_null(strstr(content(path), "not wanted"));
}

/* Runs `say` with standard error in a file and returns what was written there. */
static const char *stderr_of(void (*say)(void))
{
	int own = dup(STDERR_FILENO);
	int fd = open(moved, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	assert_int_not_equal(fd, -1);
	assert_int_equal(dup2(fd, STDERR_FILENO), STDERR_FILENO);
	say();
	assert_int_equal(dup2(own, STDERR_FILENO), STDERR_FILENO);
	fd_close(&fd);
	fd_close(&own);
	return content(moved);
}

static void say_to_journal(void)
{
	struct stat st;
	char stream[64];

	assert_int_equal(fstat(STDERR_FILENO, &st), 0);
	snprintf(stream, sizeof stream, "%ju:%ju", (uintmax_t)st.st_dev, (uintmax_t)st.st_ino);
	setenv("JOURNAL_STREAM", stream, 1);
	assert_int_equal(log_open("stderr", LOG_LEVEL_INFO), 0);
	log_errorx("bad");
	log_info("fine");
}

static void test_journal_prefixes(void **state)
{
	(void)state;
	assert_string_equal(stderr_of(say_to_journal), "<3>master: bad\n<6>master: fine\n");
	/* A stream that is not ours: an ordinary line. */
	setenv("JOURNAL_STREAM", "1:2", 1);
	assert_int_equal(log_open("stderr", LOG_LEVEL_INFO), 0);
	unsetenv("JOURNAL_STREAM");
}

static void say_with_echo(void)
{
	log_set_echo(true);
	log_errorx("cannot start");
	log_info("only in the file");
	log_set_echo(false);
	log_errorx("later");
}

static void test_echo(void **state)
{
	const char *err;

	(void)state;
	err = stderr_of(say_with_echo);
	assert_non_null(strstr(err, "error: cannot start\n"));
	assert_null(strstr(err, "only"));
	assert_null(strstr(err, "later"));
	assert_non_null(strstr(content(path), "cannot start"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_line, setup),
		cmocka_unit_test_setup(test_levels, setup),
		cmocka_unit_test_setup(test_errno_is_told_and_survives, setup),
		cmocka_unit_test_setup(test_message_stays_in_its_line, setup),
		cmocka_unit_test_setup(test_long_message_is_cut, setup),
		cmocka_unit_test_setup(test_plain_form, setup),
		cmocka_unit_test_setup(test_reopen, setup),
		cmocka_unit_test_setup(test_taken_descriptor, setup),
		cmocka_unit_test_setup(test_failed_open_keeps_the_target, setup),
		cmocka_unit_test_setup(test_journal_prefixes, setup),
		cmocka_unit_test_setup(test_echo, setup),
	};

	return cmocka_run_group_tests(tests, group_setup, group_teardown);
}
