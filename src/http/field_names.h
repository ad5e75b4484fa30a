/* Tells the fields that this program knows by their names. Inlined where heads are read. */
#ifndef TINYLB_HTTP_FIELD_NAMES_H
#define TINYLB_HTTP_FIELD_NAMES_H

#include <stdint.h>

#include "base/slice.h"
#include "http/field_id.h"

/* Of the longest name in field_names. FIELD_X_FORWARDED_OTHER has names of any length. */
#define FIELD_NAMES_LONGEST 19

/* An initial is taken by its lower five bits, which are the same in both cases of a letter. */
#define FIELD_NAMES_INITIALS 32

struct field_name {
	uint8_t id;
	const char *text; /* as most write it */
};
extern const struct field_name field_names[];

/* Index of a name by its length and its first letter; 0: none. No two names have both in common. */
extern const uint8_t field_names_places[FIELD_NAMES_LONGEST + 1][FIELD_NAMES_INITIALS];

/* The id of a name that is not in field_names. */
static inline enum field_id field_names_find_other(struct slice name)
{
	static const struct slice prefix = { "X-Forwarded", 11 };

	if (name.len < prefix.len || (name.len > prefix.len && name.data[prefix.len] != '-') ||
		!slice_equals_nocase(slice_of(name.data, prefix.len), prefix))
		return FIELD_OTHER;
	return FIELD_X_FORWARDED_OTHER;
}

/* The id of a name, whatever its case; never FIELD_TWIN. */
static inline enum field_id field_names_find(struct slice name)
{
	unsigned found;
	unsigned char initial;

	if (name.len == 0 || name.len > FIELD_NAMES_LONGEST)
		return field_names_find_other(name);
	initial = (unsigned char)name.data[0];
	found = field_names_places[name.len][initial % FIELD_NAMES_INITIALS];
	if (found != 0 &&
		(memcmp(name.data, field_names[found].text, name.len) == 0 ||
			slice_equals_nocase(name, slice_of(field_names[found].text, name.len))))
		return field_names[found].id;
	return (initial | 0x20) == 'x' ? field_names_find_other(name) : FIELD_OTHER;
}

#endif
