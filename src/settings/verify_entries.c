/* A search in sorted entries, and a sort before they are compared, cost n log n. */
#include "config.h"

#include "verify_entries.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "settings/suggest.h"

int verify_entries_compare(const void *a, const void *b)
{
	const struct verify_entry *left = a;
	const struct verify_entry *right = b;
	int order = strcmp(left->key, right->key);

	if (order != 0)
		return order;
	return left->index < right->index ? -1 : left->index > right->index;
}

void verify_entries_find_duplicates(struct verify_entry *entries, size_t count, const char *what,
	struct settings_errors *errors, bool are_errors)
{
	char first[1024];

	if (count > 1)
		qsort(entries, count, sizeof *entries, verify_entries_compare);
	for (size_t i = 1; i < count; i++) {
		if (strcmp(entries[i - 1].key, entries[i].key) != 0)
			continue;
		(void)report_place(entries[i - 1].place, first, sizeof first);
		if (are_errors)
			report_error(errors, entries[i].place, "%s \"%s\" is there already: %s",
				what, entries[i].shown, first);
		else
			report_warning(errors, entries[i].place,
				"%s \"%s\" is there already and gets the sum of the weights: %s",
				what, entries[i].shown, first);
	}
}

void verify_entries_no_memory(struct settings_errors *errors)
{
	struct settings_place nowhere = { "settings", 0 };

	report_error(errors, &nowhere, "out of memory");
}

static void report_unknown_pool(const struct pool_names *pools, const char *option,
	const char *name, const struct settings_place *place, struct settings_errors *errors)
{
	struct suggest suggest = suggest_begin(name);

	for (size_t i = 0; i < pools->count; i++)
		suggest_offer(&suggest, pools->entries[i].key);
	if (suggest.best != NULL)
		report_error(errors, place,
			"%s = \"%s\": there is no such pool; did you mean \"%s\"?", option, name,
			suggest.best);
	else
		report_error(errors, place,
			"%s = \"%s\": there is no such pool; add it to pools, or name one of "
			"those there",
			option, name);
}

void verify_entries_find_pool(const struct pool_names *pools, const char *option, const char *name,
	const struct settings_place *place, size_t *index, struct settings_errors *errors)
{
	struct verify_entry key = { .key = name };
	size_t low = 0;
	size_t high = pools->count;

	assert(name != NULL && pools->entries != NULL);
	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (verify_entries_compare(&pools->entries[middle], &key) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	if (low < pools->count && strcmp(pools->entries[low].key, name) == 0)
		*index = pools->entries[low].index;
	else if (pools->count > 0) /* else it has been reported that they are missing */
		report_unknown_pool(pools, option, name, place, errors);
}
