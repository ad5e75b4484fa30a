/*
 * What request, response and trailers share of reading a head line by line, and the look at a head
 * that arrives in pieces. Private to this folder.
 */
#ifndef TINYLB_HTTP_HEAD_H
#define TINYLB_HTTP_HEAD_H

#include "base/text.h"
#include "http/field.h"

/*
 * Each reads from `p` and gives the place after what was read: the CRLF of a line, or a whole field
 * line. NULL with *why untouched: `end` came first. NULL with *why set: this can never be right.
 */
const char *head_line_end(const char *p, const char *end, const char **why);
const char *head_field_line(struct field *field, const char *p, const char *end, const char **why);

/*
 * True when a parse of the head from its beginning can say more than the last one, which was given
 * `seen` bytes, at least one, and wanted more: the head ends in the new bytes, something in them is
 * wrong, or a limit was passed. Looks only at the new bytes and at the line they belong to, so that
 * a head in many pieces costs linear time. It only says when to parse: the parser alone decides.
 */
bool head_is_ripe(const char *data, size_t len, size_t seen, const struct head_limits *limits)
	__attribute__((warn_unused_result));

/* No request line is longer: method, target, version. Past this the parser can always decide. */
#define HEAD_METHOD_MAX 32
#define HEAD_TARGET_MAX 8000
#define HEAD_LINE_MAX   (2 + HEAD_METHOD_MAX + 1 + HEAD_TARGET_MAX + 1)

/* Octets of a plain field line, with its CRLF. */
static inline size_t head_plain_len(const struct field *field)
{
	return field->name.len + field->value.len + 4;
}

/* Writes a field line. One that stands plain in the input is one copy, with its CRLF. */
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

/* The same with a name of our own; nothing where there is no value. */
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
