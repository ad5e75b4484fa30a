/*
 * The list of algorithms, by the names that the settings use. What they do stands in their own
 * files.
 */
#include "config.h"

#include "balance/picker.h"

#include <string.h>

const struct picker_kind *const picker_kinds[] = {
	&picker_random,
	&picker_round_robin,
	&picker_two_choices,
	&picker_least_requests,
	&picker_latency,
	&picker_hash,
	NULL,
};

const struct picker_kind *picker_find(const char *name)
{
	for (const struct picker_kind *const *kind = picker_kinds; *kind != NULL; kind++)
		if (strcmp((*kind)->name, name) == 0)
			return *kind;
	return NULL;
}
