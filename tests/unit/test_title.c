/* The title as the kernel shows it in /proc, and that arguments and environment survive. */
#include "config.h"

#include "base/title.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/fd.h"

static char **arguments;

static const char *shown(void)
{
	static char text[4096];
	int fd = open("/proc/self/cmdline", O_RDONLY | O_CLOEXEC);
	ssize_t n;

	assert_int_not_equal(fd, -1);
	n = read(fd, text, sizeof text - 1);
	assert_true(n > 0);
	text[n] = '\0';
	fd_close(&fd);
	return text;
}

static void test_title_is_shown(void **state)
{
	(void)state;
	title_set("worker %d gen %d", 2, 1);
	assert_string_equal(shown(), "tinylb: worker 2 gen 1");
	/* A shorter one leaves nothing of the longer one. */
	title_set("master");
	assert_string_equal(shown(), "tinylb: master");
}

static void test_long_title_is_cut(void **state)
{
	char text[5000];

	(void)state;
	memset(text, 'x', sizeof text);
	text[sizeof text - 1] = '\0';
	title_set("%s", text);
	assert_int_equal(strncmp(shown(), "tinylb: xxx", 11), 0);
	assert_string_equal(getenv("TITLE_TEST"), "stays");
}

static void test_arguments_and_environment_survive(void **state)
{
	(void)state;
	title_set("a title that is longer than the arguments of this program are %s", "for sure");
	assert_string_equal(getenv("TITLE_TEST"), "stays");
	assert_string_equal(arguments[1], "first");
	assert_null(arguments[2]);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_title_is_shown),
		cmocka_unit_test(test_long_title_is_cut),
		cmocka_unit_test(test_arguments_and_environment_survive),
	};

	/* Arguments and environment of a known size need a new start of the program. */
	if (argc == 1) {
		char first[] = "first", *with[] = { argv[0], first, NULL };
		setenv("TITLE_TEST", "stays", 1);
		execv("/proc/self/exe", with);
		return 1;
	}
	title_init(argc, argv);
	arguments = argv;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
