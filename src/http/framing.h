/*
 * What the fields of a head say of its body and its connection, for requests and responses alike.
 * Private to this folder.
 */
#ifndef TINYLB_HTTP_FRAMING_H
#define TINYLB_HTTP_FRAMING_H

#include "http/field.h"

/*
 * Reads Content-Length and Transfer-Encoding (RFC 9112 6). Returns 0 with *body set, BODY_NONE
 * where neither is present; or 400 or 501 with *why. A BODY_CHUNKED of HTTP/1.0 is not to be
 * trusted (RFC 9112 6.1): the caller decides what becomes of it.
 */
int framing_read(const struct fields *fields, struct body *body, const char **why)
	__attribute__((warn_unused_result));

struct connection_options {
	bool close;
	bool keep_alive;
	bool upgrade;
	bool malformed; /* an option is not a token */
};

/* Reads the options of all Connection fields. Returns 0, or -1 when there are more than
 * CONNECTION_OPTIONS_MAX: each costs a search through the fields later. */
int framing_read_options(struct connection_options *options, const struct fields *fields)
	__attribute__((warn_unused_result));
__attribute__((warn_unused_result)) static inline int framing_read_connection(
	struct connection_options *options, const struct fields *fields)
{
	*options = (struct connection_options){ 0 };
	if ((fields->present & FIELD_BIT(FIELD_CONNECTION)) == 0)
		return 0;
	return framing_read_options(options, fields);
}

#define CONNECTION_OPTIONS_MAX 64

#endif
