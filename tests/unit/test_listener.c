/* listener.c: the path of a unix socket, and who may use it. */
#include "config.h"

#include "net/listener.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/fd.h"

/* It never has other rights than it is to have: nobody can change them in between. */
static void test_rights_of_a_path(void **state)
{
	static const mode_t masks[] = { 0, 022, 077, 0777 };
	char dir[] = "/tmp/test_listener.XXXXXX", text[64];
	const char *why;
	struct address a;
	struct stat st;

	(void)state;
	assert_non_null(mkdtemp(dir));
	snprintf(text, sizeof text, "%s/s", dir);
	assert_int_equal(address_parse_unix(text, &a, &why), 0);
	for (size_t i = 0; i < sizeof masks / sizeof *masks; i++) {
		mode_t own = umask(masks[i]);
		int fd = listener_bind(&a);

		/* And the mask is what it was, also where the path is taken. */
		assert_int_not_equal(fd, -1);
		assert_int_equal(listener_bind(&a), -1);
		assert_int_equal(umask(own), masks[i]);
		assert_int_equal(stat(a.u.un.sun_path, &st), 0);
		assert_int_equal(st.st_mode, S_IFSOCK | 0666);
		fd_close(&fd);
		assert_int_equal(unlink(a.u.un.sun_path), 0);
	}
	assert_int_equal(rmdir(dir), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rights_of_a_path),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
