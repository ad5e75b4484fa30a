/* Finds what a user probably meant: the nearest of some names by edit distance. */
#ifndef TINYLB_SETTINGS_SUGGEST_H
#define TINYLB_SETTINGS_SUGGEST_H

#include <stddef.h>

struct suggest {
	const char *word;
	const char *best; /* NULL: nothing is near */
	size_t distance;  /* of best; at first how far one may be away */
};

struct suggest suggest_begin(const char *word);

/* Takes `name` where it is nearer than what there was. The text must outlive the struct. */
void suggest_offer(struct suggest *suggest, const char *name);

#endif
