/*
 * The order in which a worker locks itself in, and what is said where a lock is missing. The locks
 * themselves are landlock.c (what it may reach) and filter.c (what it may ask of the kernel).
 */
#include "config.h"

#include "sandbox.h"

#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <time.h>

#include "base/log.h"
#include "base/text.h"
#include "filter.h"
#include "landlock.h"

/* At its end AddressSanitizer looks for leaks, with files and calls that the sandbox forbids. */
#if defined __SANITIZE_ADDRESS__
#define HAVE_ADDRESS_SANITIZER 1
#elif defined __has_feature
#if __has_feature(address_sanitizer)
#define HAVE_ADDRESS_SANITIZER 1
#endif
#endif
#ifndef HAVE_ADDRESS_SANITIZER
#define HAVE_ADDRESS_SANITIZER 0
#endif

/* Of gcov: there only in a build that measures coverage. */
/* NOLINTNEXTLINE(bugprone-reserved-identifier): the name is the compiler's. */
extern void __gcov_init(void *) __attribute__((weak));

/* Why this very process has to do without any sandbox; NULL: it has not. */
static const char *find_obstacle(void)
{
	const char *preloaded = getenv("LD_PRELOAD");

	/* It runs what it writes to memory, which the filter forbids. */
	if (preloaded != NULL && strstr(preloaded, "vgpreload_core") != NULL)
		return "it runs under valgrind";
	/* It writes its files at the end. */
	if (__gcov_init != NULL)
		return "this build measures coverage";
	return NULL;
}

static void tell_missing(unsigned missing)
{
	static const struct {
		enum sandbox_part part;
		const char *name;
	} names[] = {
		{ SANDBOX_GAIN, "no_new_privs" },
		{ SANDBOX_FILES, "Landlock for files (Linux 5.13)" },
		{ SANDBOX_PORTS, "Landlock for ports (Linux 6.7)" },
		{ SANDBOX_SCOPES, "Landlock for signals (Linux 6.12)" },
		{ SANDBOX_CALLS, "a filter of system calls" },
	};
	char bytes[256];
	struct text list = text_over(bytes, sizeof bytes);

	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if ((missing & names[i].part) != 0)
			text_format(&list, "%s%s", list.len > 0 ? ", " : "", names[i].name);
	log_notice("the sandbox of workers does without what this system does not have: %s",
		text_string(&list));
}

unsigned sandbox_enter(const struct settings *settings, bool tell)
{
	unsigned wanted = SANDBOX_GAIN | SANDBOX_PORTS | SANDBOX_SCOPES |
			  (HAVE_ADDRESS_SANITIZER ? 0 : SANDBOX_FILES | SANDBOX_CALLS);
	const char *obstacle = find_obstacle();
	unsigned got = 0;

	if (!settings->sandbox)
		return 0;
	if (obstacle != NULL) {
		if (tell)
			log_notice("workers have no sandbox: %s", obstacle);
		return 0;
	}
	/* For syslog's stamps the C library reads a file, once. */
	tzset();
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0)
		got |= SANDBOX_GAIN;
	got |= landlock_enter(settings, HAVE_ADDRESS_SANITIZER);
	if (!HAVE_ADDRESS_SANITIZER && filter_enter())
		got |= SANDBOX_CALLS;
	if (tell && (wanted & ~got) != 0)
		tell_missing(wanted & ~got);
	return got;
}
