/* What the readers and the writers of heads share: limits, and the form of a line. Private to this
 * folder. */
#ifndef TINYLB_HTTP_HEAD_H
#define TINYLB_HTTP_HEAD_H

#include "base/text.h"
#include "http/field.h"

/* No request line is longer: method, target, version. Past this the parser can always decide. */
#define HEAD_METHOD_MAX 32
#define HEAD_TARGET_MAX 8000
#define HEAD_LINE_MAX   (2 + HEAD_METHOD_MAX + 1 + HEAD_TARGET_MAX + 1)

/*
 * Reads the CRLF at `p` and returns the place after it. Returns NULL with *why untouched when `end`
 * comes first, and NULL with *why set when something else stands there.
 */
static inline const char *head_line_end(const char *p, const char *end, const char **why)
{
	if (p == end)
		return NULL;
	if (*p == '\r' && p + 1 == end)
		return NULL;
	if (*p == '\r' && p[1] == '\n')
		return p + 2;
	*why = *p == '\n'   ? "line ends with a bare LF"
	       : *p == '\r' ? "bare CR"
			    : "control character";
	return NULL;
}

/* Octets of a plain field line, with its CRLF. */
static inline size_t head_plain_len(const struct field *field)
{
	return field->name.len + field->value.len + 4;
}

/* Writes a field line. A line that stands plain in the input is copied as a whole, with its CRLF.
 */
static inline void head_write_field(struct text *out, const struct field *field)
{
	if (field->plain) {
		text_add(out, field->name.data, head_plain_len(field));
		return;
	}
	text_add_slice(out, field->name);
	text_add_string(out, ": ");
	text_add_slice(out, field->value);
	text_add_string(out, "\r\n");
}

/* Writes a field line with a name of our own. Writes nothing when there is no value. */
static inline void head_write_named(struct text *out, const char *name, struct slice value)
{
	if (slice_is_empty(value))
		return;
	text_add_string(out, name);
	text_add_string(out, ": ");
	text_add_slice(out, value);
	text_add_string(out, "\r\n");
}

#endif
