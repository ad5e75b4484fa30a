/*
 * Lists that get one more element at their end: Forwarded, X-Forwarded-For, Via. Private to this
 * folder.
 */
#ifndef TINYLB_HTTP_APPEND_H
#define TINYLB_HTTP_APPEND_H

#include <stdbool.h>

#include "http/field.h"

/* Whether what is written behind `value` is an element of its own for every reader. It is none if a
 * quoted string or a comment is open at the end (RFC 9110 5.6.4, 5.6.5), for a reader who knows
 * comments or for one who does not, nor if a backslash stands outside of both. */
bool append_is_safe(struct slice value);

/*
 * Marks as dropped the last field of this name that is not safe, and those of the name before it.
 * What stands in these cannot be told apart any more, and readers count the elements from the end:
 * a former one must not move to the place of one that is lost.
 */
void append_drop_unsafe_present(struct fields *fields, enum field_id id);
static inline void append_drop_unsafe(struct fields *fields, enum field_id id)
{
	if ((fields->present & FIELD_BIT(id)) != 0)
		append_drop_unsafe_present(fields, id);
}

#endif
