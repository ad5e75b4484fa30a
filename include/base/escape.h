/*
 * What somebody else chose, in a form that cannot change the log in which it stands: it ends no
 * line, begins no field, closes no quotes, and tells a terminal nothing. What would do so becomes
 * \xHH, byte by byte. No log is written without these functions: log.c gives each finished message
 * to escape_message, exchange/access_log.c each text of a line to one of the others.
 */
#ifndef TINYLB_BASE_ESCAPE_H
#define TINYLB_BASE_ESCAPE_H

#include "base/slice.h"
#include "base/text.h"

/* Each byte becomes as many at the most. */
#define ESCAPE_LONGEST 4

/* For what stands in quotes: only printable ASCII is left as it is, without the quote and the
 * backslash. The bytes can be had back. */
void escape_quoted(struct text *out, struct slice s);

/* What a log takes as it is, as a field of its own: it was escaped when it was made. */
struct escaped {
	struct slice text;
};

/* For one of the fields that a space parts from others: as above, and the space becomes \x20. The
 * result is what was added, and lives as long as that. */
struct escaped escape_field(struct text *out, struct slice s);

/* For what escape_field wrote and somebody kept, or what it would leave as it is. */
static inline struct escaped escape_known(struct slice s)
{
	return (struct escaped){ s };
}

/*
 * For a whole message: characters of UTF-8 (RFC 3629) are left as they are, too, and so are quotes,
 * backslashes and what is escaped already. Written as \xHH are control characters (those of 0x80 to
 * 0x9f also as UTF-8), bytes that are no UTF-8, and what shows the text around it on another line
 * or in another order: the separators U+2028 and U+2029, and the signs that turn the direction
 * (Unicode 15, UAX 9). Adds the front of the message, in whole characters, where not all of it
 * fits.
 */
void escape_message(struct text *out, struct slice s);

#endif
