/* The first line of a request head. Private to this folder. */
#ifndef TINYLB_HTTP_REQUEST_LINE_H
#define TINYLB_HTTP_REQUEST_LINE_H

#include "http/message.h"

/* Notes why a request is refused: PARSE_BAD. */
enum parse_result request_refuse(struct request *r, int status, const char *why);

/* Reads the line at *at with its CRLF and moves *at behind it. Sets line, method, method_name,
 * target, minor, and host of an absolute-form. */
enum parse_result request_line_read(struct request *r, const char **at, const char *end)
	__attribute__((warn_unused_result));

#endif
