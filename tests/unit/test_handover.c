/* The text of a hand-over: what is written is read again, and nothing else is. */
#include "config.h"

#include "master/upgrade/handover_read.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/memory.h"
#include "master/upgrade/handover_record.h"
#include "master/upgrade/handover_write.h"

/* clang-format off */
static const char good[] =
	"tinylb-state 1\n"
	"self 4711 18446744073709551615 7 1 0 0 - 9 0.1.0\n"
	"program /usr/sbin/tinylb\n"
	"pid-file /run/a file.pid\n"
	"generation 7 0 2 123456 10 11\n"
	"generation 6 1 1 123 - 12\n"
	"slot 7 1 3 4 99999\n"
	"inbox 7 0 20 21\n"
	"inbox 7 1 22 23\n"
	"inbox 6 0 24 25\n"
	"address 7 0 2 02000050c0a800010000000000000000\n"
	"child 4712 7 0 0 13 - 5 0\n"
	"child 4713 6 0 1 14 3 5 77\n"
	"socket 15 0 1 0 02001f907f0000010000000000000000 02001f907f0000010000000000000000 0 0 0 0 0\n"
	"socket 16 0 7 1 01002f72756e2f7300 01002f72756e2f7300 5 6 1 7 8\n"
	"end\n";
/* clang-format on */

/* The text with one part replaced by another; to be freed. */
static char *change(const char *old, const char *new)
{
	const char *at = strstr(good, old);
	char *out = NULL;

	assert_non_null(at);
	assert_int_not_equal(
		asprintf(&out, "%.*s%s%s", (int)(at - good), good, new, at + strlen(old)), -1);
	return out;
}

static int try_read(struct handover *h, char *text)
{
	const char *why;
	int result = handover_read(h, text, strlen(text), &why);

	assert_true((result == 0) == (why == NULL));
	return result;
}

static void refuse(const char *old, const char *new)
{
	struct handover h;
	char *text = change(old, new);

	if (try_read(&h, text) == 0)
		fail_msg("taken: \"%s\" in place of \"%s\"", new, old);
	assert_null(h.sockets.items);
	free(text);
}

static void read_good(struct handover *h, char **text)
{
	*text = change("", "");
	assert_int_equal(try_read(h, *text), 0);
}

static void test_values(void **state)
{
	struct handover h;
	char *text;

	(void)state;
	read_good(&h, &text);
	{
		const struct handover_self *self = h.self.items;
		const struct handover_path *pid_file = h.pid_file.items;
		const struct handover_generation *g = h.generations.items;
		const struct handover_child *c = h.children.items;
		const struct handover_socket *s = h.sockets.items;
		char name[ADDRESS_TEXT_SIZE];

		assert_true(self->seed == UINT64_MAX);
		assert_int_equal(self->board, -1);
		assert_int_equal(self->pid_file, 9);
		assert_string_equal(self->writer, "0.1.0");
		assert_string_equal(pid_file->path, "/run/a file.pid");
		assert_int_equal(h.generations.count, 2);
		assert_int_equal(g[1].access_log, -1);
		assert_int_equal(g[1].settings, 12);
		assert_int_equal(h.children.count, 2);
		assert_int_equal(c[1].place, 3);
		assert_int_equal(c[1].deadline, 77);
		assert_string_equal(address_format(&s[0].key, name), "127.0.0.1:8080");
		assert_string_equal(address_format(&s[1].bound, name), "unix:/run/s");
		assert_int_equal(s[1].path_ino, 6);
	}
	handover_fini(&h);
	free(text);
}

static void test_written_again(void **state)
{
	struct handover h;
	char *text, *before, *after = NULL;
	size_t size;
	FILE *out = open_memstream(&after, &size);

	(void)state;
	read_good(&h, &text);
	before = change("", "");
	assert_int_equal(handover_write(&h, out), 0);
	(void)fclose(out);
	assert_string_equal(before, after);
	handover_fini(&h);
	free(text);
	free(before);
	free(after);
}

static void test_descriptors(void **state)
{
	static const int wanted[] = { 9, 10, 11, 12, 20, 21, 22, 23, 24, 25, 13, 14, 15, 16 };
	struct handover h;
	char *text;
	int all[14];

	(void)state;
	read_good(&h, &text);
	assert_int_equal(handover_record_descriptors(&h, NULL), 14);
	assert_int_equal(handover_record_descriptors(&h, all), 14);
	assert_memory_equal(all, wanted, sizeof wanted);
	handover_fini(&h);
	free(text);
}

/* Each in a line that was good. */
static void test_refused(void **state)
{
	static const char *const wrong[][2] = {
		{ "tinylb-state 1", "tinylb-state 2" },
		{ "tinylb-state 1\n", "" },
		{ "end\n", "" },
		{ "end\n", "end" },
		{ "end\n", "end\nend\n" },
		{ "end\n", "something new\nend\n" },
		{ "\nprogram", "\n\nprogram" },
		{ "self 4711 18446744073709551615", "self 4711 18446744073709551616" },
		{ "self 4711", "self -1" },
		{ "self 4711", "self 04711" },
		{ "self 4711", "self  4711" },
		{ "7 1 0 0 -", "7 2 0 0 -" },
		{ "- 9 0.1.0", "- 2 0.1.0" },
		{ "- 9 0.1.0", "- - 0.1.0" },
		{ "- 9 0.1.0", "- 9" },
		{ "program /", "program " },
		{ "program", "programs" },
		{ "pid-file /run/a file.pid\n", "" },
		{ "pid-file", "program" },
		{ "generation 7 0", "generation 8 0" },
		{ "generation 7 0 2", "generation 7 1 2" },
		{ "generation 7 0 2", "generation 7 3 2" },
		{ "generation 7 0 2", "generation 7 0 0" },
		{ "generation 6 1", "generation 7 1" },
		{ "generation 6 1", "generation 6 0" },
		{ "123 - 12", "123 - -" },
		{ "slot 7 1", "slot 7 2" },
		{ "99999\n", "99999 1\n" },
		{ "99999\n", "99999 \n" },
		{ "99999\n", "0x1\n" },
		{ "inbox 7 0 20 21\n", "" },
		{ "inbox 7 1 22 23\n", "" },
		{ "inbox 7 1", "inbox 7 0" },
		{ "inbox 6 0", "inbox 6 1" },
		{ "inbox 6 0", "inbox 5 0" },
		{ "inbox 6 0 24", "inbox 6 0 -" },
		{ "child 4712 7 0 0", "child 4712 7 2 0" },
		{ "child 4712 7 0 0", "child 4712 5 0 0" },
		{ "child 4712 7 0 0", "child 4712 7 0 4" },
		{ "child 4712", "child 1" },
		{ "child 4712 7 0 0 13", "child 4712 7 0 0 14" },
		{ "socket 15", "socket -" },
		{ "socket 15 0 1 0 02001f90", "socket 15 0 1 0 02001F90" },
		{ "socket 15 0 1 0 02001f90", "socket 15 0 1 0 1f90" },
		{ "socket 15 0 1 0 02001f90", "socket 15 0 1 0 02001f9" },
		{ "socket 15 0 1 0 02001f90", "socket 15 0 1 0 0a001f90" },
		{ "socket 16 0 7 1 0100", "socket 16 0 7 1 0100 0100" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
		refuse(wrong[i][0], wrong[i][1]);
}

static void test_every_beginning_is_refused(void **state)
{
	struct handover h;
	char copy[sizeof good];

	(void)state;
	for (size_t i = 0; i < sizeof good - 1; i++) {
		memcpy(copy, good, i);
		copy[i] = '\0';
		assert_int_equal(try_read(&h, copy), -1);
	}
}

static void test_nul_is_refused(void **state)
{
	struct handover h;
	const char *why;
	char *text = change("", "");

	(void)state;
	text[20] = '\0';
	assert_int_equal(handover_read(&h, text, sizeof good - 1, &why), -1);
	free(text);
}

/* A newline in a path would be read as another record. */
static void test_text_must_stay_in_its_line(void **state)
{
	struct handover h;
	struct handover_path *path;
	char *text, *after = NULL;
	size_t size;
	FILE *out = open_memstream(&after, &size);

	(void)state;
	read_good(&h, &text);
	path = h.program.items;
	path->path = "/a\nsocket";
	assert_int_equal(handover_write(&h, out), -1);
	(void)fclose(out);
	handover_fini(&h);
	free(text);
	free(after);
}

static void test_short_of_memory(void **state)
{
	struct handover h;
	long failed = 0;
	int result = -1;

	(void)state;
	for (long k = 0; k < 20 && result == -1; k++) {
		char *text = change("", "");

		mem_fail_after(k);
		result = try_read(&h, text);
		mem_fail_after(-1);
		failed += result == -1;
		if (result == 0)
			handover_fini(&h);
		free(text);
	}
	assert_int_equal(result, 0);
	assert_true(failed > 5);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_values),
		cmocka_unit_test(test_written_again),
		cmocka_unit_test(test_descriptors),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_every_beginning_is_refused),
		cmocka_unit_test(test_nul_is_refused),
		cmocka_unit_test(test_text_must_stay_in_its_line),
		cmocka_unit_test(test_short_of_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
