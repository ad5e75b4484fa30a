/*
 * Process titles. The kernel shows the memory where the arguments were put when the program began,
 * and goes on into the environment behind it when the arguments' last NUL is overwritten. So both
 * are copied away, and the room is ours. The name of the thread (comm) stays that of the program:
 * scripts look for it.
 */
#include "config.h"

#include "base/title.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"

#define TITLE_MAX 256

/* The room for titles; NULL until title_init found some. */
static char *room;
static size_t room_size;

/* Owned for the life of the process. */
static char **arguments;

/* The end of the run of strings that begins at `end`, as far as they follow one another. */
static char *extend(char *end, char **strings)
{
	for (; *strings != NULL; strings++)
		if (*strings == end)
			end += strlen(*strings) + 1;
	return end;
}

static size_t count_strings(char **strings)
{
	size_t n = 0;

	while (strings[n] != NULL)
		n++;
	return n;
}

/* A list of the same strings. */
static char **copy_list(char **from)
{
	size_t n = count_strings(from);
	char **copy = mem_zalloc(n + 1, sizeof *copy);

	if (copy != NULL)
		memcpy(copy, from, n * sizeof *copy);
	return copy;
}

/* Copies of the strings of `from`, in an array with a NULL at its end; NULL when memory is short.
 */
static char **copy_strings(char **from)
{
	size_t n = count_strings(from);
	char **copy = mem_zalloc(n + 1, sizeof *copy);

	for (size_t i = 0; copy != NULL && i < n; i++) {
		copy[i] = mem_strdup(from[i]);
		if (copy[i] == NULL)
			return NULL;
	}
	return copy;
}

void title_init(int argc, char **argv)
{
	/* Owned for the life of the process, and so are the strings, also those that unsetenv(3)
	 * takes out of the list. They are read by nobody but who looks for leaks: `used` keeps the
	 * compiler from dropping them, for environ is cleared before that. */
	static char **list __attribute__((used));
	static char **environment __attribute__((used));
	char *begin = argc > 0 ? argv[0] : NULL;

	if (begin == NULL || room != NULL)
		return;
	arguments = copy_strings(argv);
	environment = copy_strings(environ);
	list = environment != NULL ? copy_list(environment) : NULL;
	if (arguments == NULL || list == NULL)
		return;
	room_size = (size_t)(extend(extend(begin, argv), environ) - begin);
	room = begin;
	/* The caller's own array stays where it is: only what it points to moves. */
	for (int i = 0; i < argc; i++)
		argv[i] = arguments[i];
	environ = list;
}

char *const *title_arguments(void)
{
	return room != NULL ? arguments : NULL;
}

void title_set(const char *format, ...)
{
	char text[TITLE_MAX];
	int prefix = snprintf(text, sizeof text, "tinylb: ");
	va_list args;

	if (room == NULL)
		return;
	assert(prefix > 0 && room_size > 0);
	va_start(args, format);
	vsnprintf(text + prefix, sizeof text - (size_t)prefix, format, args);
	va_end(args);
	/* What is left of the old text would be shown, so the whole room is cleared. */
	memset(room, 0, room_size);
	memcpy(room, text, strnlen(text, room_size - 1));
}
