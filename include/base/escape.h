/*
 * Escapes text from outside for a log. Escaped text cannot end the line in which it stands, begin a
 * field, close quotes, or control a terminal: each byte that could becomes \xHH. All logs are
 * written through here: log.c escapes each finished message by escape_message, and
 * exchange/access_log.c each text in a line by one of the other functions.
 */
#ifndef TINYLB_BASE_ESCAPE_H
#define TINYLB_BASE_ESCAPE_H

#include "base/slice.h"
#include "base/text.h"

/* The most bytes that one byte becomes. */
#define ESCAPE_LONGEST 4

/* For text within quotes: escapes all but printable ASCII, and the quote and the backslash. So the
 * text can be restored from the log. */
void escape_quoted(struct text *out, struct slice s);

/* A text that may stand in a log as a field: it was escaped when it was made. Borrowed. */
struct escaped {
	struct slice text;
};

/* For a field, which ends at a space: as above, and escapes the space, too. Returns what was added
 * to `out`, which lives as long as out->data. */
struct escaped escape_field(struct text *out, struct slice s);

/* For a text that escape_field has written before, or would not change. */
static inline struct escaped escape_known(struct slice s)
{
	return (struct escaped){ s };
}

/*
 * For a whole message, which may have characters of UTF-8 (RFC 3629), quotes, backslashes, and text
 * that is escaped already: these stay. It escapes control characters (C0, DEL, and C1 as UTF-8),
 * bytes that are no UTF-8, and characters that show the text around them on another line or in
 * another order: U+2028, U+2029, and the marks of direction (Unicode 15, UAX 9). Where not all of
 * the message fits, its front is added, in whole characters.
 */
void escape_message(struct text *out, struct slice s);

#endif
