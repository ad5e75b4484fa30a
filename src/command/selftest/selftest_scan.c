/* A few steps through a line of text. */
#include "config.h"

#include "selftest_scan.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

bool selftest_scan_text(const char **at, const char *text)
{
	size_t len = strlen(text);

	if (strncmp(*at, text, len) != 0)
		return false;
	*at += len;
	return true;
}

bool selftest_scan_number(const char **at, int base, uint64_t *number)
{
	char *end;

	assert(base == 10 || base == 16);
	*number = strtoull(*at, &end, base);
	if (end == *at)
		return false;
	*at = end;
	return true;
}

void selftest_scan_over(const char **at, unsigned count)
{
	static const char spaces[] = " \n";

	*at += strspn(*at, spaces);
	for (unsigned i = 0; i < count; i++) {
		*at += strcspn(*at, spaces);
		*at += strspn(*at, spaces);
	}
}
