/* What tests of whole settings share: a folder of their own, files in it, and what a load said of
 * them. */
#ifndef TINYLB_TESTS_SETTINGS_FILE_H
#define TINYLB_TESTS_SETTINGS_FILE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "settings/settings_load.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

#define LISTENERS "listeners = ( { address = \"*:8080\"; } );\n"
#define POOLS     "pools = ( { name = \"app\"; backends = ( { url = \"http://127.0.0.1:1\"; } ); } );\n"

#define ROUTES(text)                                                                               \
	"listeners = ( { address = \":1\"; pool = \"app\"; routes = (\n" text " ); } );\n" POOLS

/* What the last load wrote. */
static char *report;
static int mistakes;
static int warnings;

static inline int enter_folder(void **state)
{
	static char folder[] = "/tmp/tinylb-settings-XXXXXX";

	*state = folder;
	return mkdtemp(folder) != NULL && chdir(folder) == 0 ? 0 : -1;
}

static inline int leave_folder(void **state)
{
	static const char *const names[] = { "a.conf", "b.conf", "sub/c.conf", "sub/d.conf" };

	free(report);
	report = NULL;
	for (size_t i = 0; i < COUNT(names); i++)
		(void)unlink(names[i]);
	(void)rmdir("sub");
	return chdir("/") == 0 ? rmdir(*state) : -1;
}

static inline void write_file(const char *name, const char *text)
{
	FILE *f = fopen(name, "w");

	assert_non_null(f);
	assert_true(fputs(text, f) >= 0);
	assert_int_equal(fclose(f), 0);
}

static inline struct settings *load_file(const char *name)
{
	size_t size;
	struct settings_errors errors = { .out = NULL };
	struct settings *settings;

	free(report);
	errors.out = open_memstream(&report, &size);
	assert_non_null(errors.out);
	settings = settings_load(name, &errors);
	assert_int_equal(fclose(errors.out), 0);
	mistakes = errors.count;
	warnings = errors.warnings;
	assert_true((settings == NULL) == (mistakes > 0));
	return settings;
}

static inline struct settings *load(const char *text)
{
	write_file("a.conf", text);
	return load_file("a.conf");
}

/* Loads what must be right. */
static inline struct settings *load_fine(const char *text)
{
	struct settings *settings = load(text);

	if (settings == NULL)
		fail_msg("%s", report);
	return settings;
}

#endif
