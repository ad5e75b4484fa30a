/* Looks for quoted strings and comments that are open at the end of a value. */
#include "config.h"

#include "append.h"

static bool is_closed(struct slice value, bool with_comments)
{
	bool quoted = false;
	size_t depth = 0; /* of comments */

	for (size_t i = 0; i < value.len; i++) {
		char c = value.data[i];

		if (c == '\\') {
			if (!quoted && depth == 0)
				return false;
			i++;
		} else if (quoted || (c == '"' && depth == 0)) {
			quoted ^= c == '"';
		} else if (with_comments && c == '(') {
			depth++;
		} else if (depth > 0 && c == ')') {
			depth--;
		}
	}
	return !quoted && depth == 0;
}

bool append_is_safe(struct slice value)
{
	return is_closed(value, true) && is_closed(value, false);
}

void append_drop_unsafe_present(struct fields *fields, enum field_id id)
{
	bool drop = false;

	for (unsigned i = fields->count; i-- > 0;) {
		struct field *field = &fields->list[i];

		if (field->id != id)
			continue;
		drop |= !append_is_safe(field->value);
		field->dropped |= drop;
	}
}
