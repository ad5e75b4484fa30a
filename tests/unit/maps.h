/* What this process has mapped and opened: who unmaps and closes leaves no more than there was. */
#ifndef TINYLB_TESTS_MAPS_H
#define TINYLB_TESTS_MAPS_H

#include <assert.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* How many pieces of memory of boards are mapped. */
static inline unsigned maps_count(void)
{
	char line[512];
	unsigned count = 0;
	FILE *file = fopen("/proc/self/maps", "re");

	assert(file != NULL);
	while (fgets(line, sizeof line, file) != NULL)
		count += strstr(line, "/memfd:tinylb-board") != NULL;
	(void)fclose(file);
	return count;
}

/* The descriptor that the next file would have. */
static inline int maps_next_fd(void)
{
	int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

	assert(fd != -1);
	(void)close(fd);
	return fd;
}

#endif
