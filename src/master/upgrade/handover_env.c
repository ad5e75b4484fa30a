/* Three variables of the environment. Their names and meanings are the same in all versions. */
#include "config.h"

#include "handover_env.h"

#include <assert.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"

#define STATE   "TINYLB_STATE"
#define FORMER  "TINYLB_FORMER"
#define REFUSED "TINYLB_REFUSED"

bool handover_env_is_set(void)
{
	return getenv(STATE) != NULL;
}

/* Lets a descriptor stay open in the next program, and notes its number under `name`. */
static void set_fd(const char *name, int fd)
{
	char text[16];

	if (fd == -1)
		return;
	(void)snprintf(text, sizeof text, "%d", fd);
	if (fd_set_cloexec(fd, 0) == -1 || setenv(name, text, 1) == -1)
		log_error("cannot hand over %s", name);
}

void handover_env_set(int state, int former, const char *refused)
{
	assert(state != -1);
	handover_env_clear();
	set_fd(STATE, state);
	set_fd(FORMER, former);
	if (refused != NULL && setenv(REFUSED, refused, 1) == -1)
		log_error("cannot hand over %s", REFUSED);
}

void handover_env_clear(void)
{
	unsetenv(STATE);
	unsetenv(FORMER);
	unsetenv(REFUSED);
}

/* The descriptor that is noted under `name`: open, not one of the standard three, and closed in any
 * further program. -1: there is none. */
static int take_fd(const char *name)
{
	const char *text = getenv(name);
	char *end;
	long n;

	if (text == NULL || *text < '0' || *text > '9')
		return -1;
	n = strtol(text, &end, 10);
	if (*end != '\0' || n <= STDERR_FILENO || n > INT_MAX)
		return -1;
	return fd_set_cloexec((int)n, 1) == 0 ? (int)n : -1;
}

int handover_env_take(struct handover_env *env)
{
	const char *refused = getenv(REFUSED);

	env->state = take_fd(STATE);
	env->former = take_fd(FORMER);
	(void)snprintf(env->refused, sizeof env->refused, "%s", refused != NULL ? refused : "");
	handover_env_clear();
	return env->state != -1 ? 0 : -1;
}
