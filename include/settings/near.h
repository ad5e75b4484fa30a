/* Finds what a user probably meant: the nearest of some names by edit distance. */
#ifndef TINYLB_SETTINGS_NEAR_H
#define TINYLB_SETTINGS_NEAR_H

#include <stddef.h>

struct near {
	const char *word;
	const char *best; /* NULL: nothing is near */
	size_t distance;  /* of best; at first how far one may be away */
};

struct near near_to(const char *word);

/* Takes `name` where it is nearer than what there was. The text must outlive the struct. */
void near_offer(struct near *near, const char *name);

#endif
