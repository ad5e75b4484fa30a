/* Sets of statuses between the settings file and memory. */
#include "config.h"

#include "settings/statuses.h"

#include "settings/value.h"

int statuses_read(struct statuses *set, const struct value *value, struct text *why)
{
	unsigned bit;

	if (value->kind != VALUE_INTEGER || value->integer < STATUSES_FIRST ||
		value->integer > STATUSES_LAST) {
		text_format(why, "must be statuses, %d to %d: [ 502, 503 ]", STATUSES_FIRST,
			STATUSES_LAST);
		return -1;
	}
	if (statuses_have(set, (int)value->integer)) {
		text_add_string(why, "is there already");
		return -1;
	}
	bit = (unsigned)(value->integer - STATUSES_FIRST);
	set->bits[bit / 64] |= UINT64_C(1) << bit % 64;
	return 0;
}

void statuses_add(struct text *out, const struct statuses *set)
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
