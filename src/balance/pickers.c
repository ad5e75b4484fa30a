/* The list of algorithms: the only file that names them all. */
#include "config.h"

#include "balance/pickers.h"

#include <string.h>

const struct picker_kind *const pickers_all[] = {
	&picker_random,
	&picker_round_robin,
	&picker_two_choices,
	&picker_least_requests,
	&picker_latency,
	&picker_hash,
	NULL,
};

const struct picker_kind *pickers_find(const char *name)
{
	for (const struct picker_kind *const *kind = pickers_all; *kind != NULL; kind++)
		if (strcmp((*kind)->name, name) == 0)
			return *kind;
	return NULL;
}
