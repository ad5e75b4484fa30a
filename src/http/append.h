/*
 * Fields that are lists to which an element is added here: Forwarded, X-Forwarded-For, Via,
 * CDN-Loop. Private to this folder.
 */
#ifndef TINYLB_HTTP_APPEND_H
#define TINYLB_HTTP_APPEND_H

#include <stdbool.h>

#include "http/field.h"

/* Whether every reader takes what is written behind `value` for an element of its own. A quoted
 * string or a comment that is open at the end would swallow it (RFC 9110 5.6.4, 5.6.5); not all
 * readers know comments. Readers differ in what a backslash outside of both means. */
bool append_is_safe(struct slice value);

/*
 * Drops the last field of this name that is not safe, and all fields of the name before it. Readers
 * count the elements from the end: if only the unsafe field went, the elements before it would move
 * to the places of those that are lost.
 */
void append_drop_unsafe_present(struct fields *fields, enum field_id id);
static inline void append_drop_unsafe(struct fields *fields, enum field_id id)
{
	if ((fields->present & FIELD_BIT(id)) != 0)
		append_drop_unsafe_present(fields, id);
}

#endif
