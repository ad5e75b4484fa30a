/* Goes through the words that an option may be. */
#include "config.h"

#include "choices.h"

#include <string.h>

#include "settings/suggest.h"

static bool is_end(const struct option_choice *c)
{
	return c == NULL || c->name == NULL;
}

const struct option_choice *choices_find(const struct option_choice *list, const char *name)
{
	for (const struct option_choice *c = list; !is_end(c); c++)
		if (strcmp(c->name, name) == 0)
			return c;
	return NULL;
}

const struct option_choice *choices_find_value(const struct option_choice *list, int64_t value)
{
	for (const struct option_choice *c = list; !is_end(c); c++)
		if (c->value == value)
			return c;
	return NULL;
}

const char *choices_nearest(const struct option_choice *list, const char *word)
{
	struct suggest suggest = suggest_begin(word);

	for (const struct option_choice *c = list; !is_end(c); c++)
		suggest_offer(&suggest, c->name);
	return suggest.best;
}
