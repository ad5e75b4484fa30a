/* Finds programs and runs them in this process. */
#include "config.h"

#include "program.h"

#include <assert.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/auxv.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/memory.h"
#include "handover_record.h"

#define DELETED " (deleted)"

/* The path that the kernel was asked to run, with its symbolic links: a link that leads to another
 * version one day is followed then. */
static char *find_as_started(void)
{
	const char *name = (const char *)getauxval(AT_EXECFN); // NOLINT(performance-no-int-to-ptr)
	char folder[PATH_MAX];
	char *path = NULL;

	if (name == NULL || strncmp(name, "/dev/fd/", 8) == 0)
		return NULL;
	if (*name == '/')
		return mem_strdup(name);
	if (getcwd(folder, sizeof folder) == NULL || asprintf(&path, "%s/%s", folder, name) == -1)
		return NULL;
	return path;
}

static char *find_file(void)
{
	char path[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", path, sizeof path - 1);
	size_t len = n > 0 ? (size_t)n : 0, suffix = strlen(DELETED);

	if (len > suffix && memcmp(path + len - suffix, DELETED, suffix) == 0)
		len -= suffix;
	path[len] = '\0';
	return *path == '/' ? mem_strdup(path) : NULL;
}

char *program_find(void)
{
	char *path = find_as_started();

	return path != NULL ? path : find_file();
}

int program_keep(const struct handover *h, bool keep)
{
	size_t count = handover_record_descriptors(h, NULL);
	int *all = mem_zalloc(count + 1, sizeof *all);
	int result = all != NULL ? 0 : -1;

	if (all != NULL)
		(void)handover_record_descriptors(h, all);
	for (size_t i = 0; all != NULL && i < count; i++)
		if (fd_set_cloexec(all[i], !keep) == -1)
			result = -1;
	mem_free(all);
	return result;
}

void program_become(const char *path, int fd, char *const *words)
{
	assert(fd != -1 || path != NULL);
	fflush(NULL);
	if (fd != -1)
		fexecve(fd, words, environ);
	else
		execve(path, words, environ);
}
