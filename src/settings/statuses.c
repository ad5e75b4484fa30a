/* Sets of statuses between the settings file and memory. */
#include "config.h"

#include "settings/statuses.h"

#include <assert.h>

int statuses_insert(struct statuses *set, int64_t status, struct text *why)
{
	unsigned bit;

	if (status < STATUSES_FIRST || status > STATUSES_LAST) {
		text_format(why, "must be statuses, %d to %d: [ 502, 503 ]", STATUSES_FIRST,
			STATUSES_LAST);
		return -1;
	}
	if (statuses_have(set, (int)status)) {
		text_add_string(why, "is there already");
		return -1;
	}
	bit = (unsigned)(status - STATUSES_FIRST);
	set->bits[bit / 64] |= UINT64_C(1) << bit % 64;
	assert(statuses_have(set, (int)status));
	return 0;
}

void statuses_write(struct text *out, const struct statuses *set)
{
	const char *before = "[ ";

	for (int status = STATUSES_FIRST; status <= STATUSES_LAST; status++) {
		if (!statuses_have(set, status))
			continue;
		text_format(out, "%s%d", before, status);
		before = ", ";
	}
	text_add_string(out, *before == '[' ? "[ ]" : " ]");
}
