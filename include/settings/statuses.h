/* A set of statuses of failures, 400 to 999. */
#ifndef TINYLB_SETTINGS_STATUSES_H
#define TINYLB_SETTINGS_STATUSES_H

#include <stdbool.h>
#include <stdint.h>

#include "base/text.h"

#define STATUSES_FIRST 400
#define STATUSES_LAST  999

struct statuses {
	uint64_t bits[(STATUSES_LAST - STATUSES_FIRST) / 64 + 1]; /* all 0: none */
};

/* Whether `status` is in the set. Any number is fine; one outside of 400 to 999 is in no set. */
static inline bool statuses_have(const struct statuses *set, int status)
{
	unsigned bit = (unsigned)(status - STATUSES_FIRST);

	return bit <= STATUSES_LAST - STATUSES_FIRST && (set->bits[bit / 64] >> bit % 64 & 1) != 0;
}

/* Adds a status. 0, or -1 with what would be right added to `why`; then the set is as it was. */
int statuses_insert(struct statuses *set, int64_t status, struct text *why)
	__attribute__((warn_unused_result));

/* Adds the set to `out` as the settings file would have it: "[ 502, 503 ]". */
void statuses_write(struct text *out, const struct statuses *set);

#endif
