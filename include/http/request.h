/*
 * A request head (RFC 9112 3), parsed once and strictly: what is almost right is refused, not
 * repaired. Nothing is allocated; every slice points into the caller's bytes.
 */
#ifndef TINYLB_HTTP_REQUEST_H
#define TINYLB_HTTP_REQUEST_H

#include "http/message.h"

/*
 * Reads the head at `data`. `seen` is how many of the bytes were there at the last call that
 * returned PARSE_PARTIAL (0 at first): a head that arrives in many pieces costs linear time. On
 * PARSE_PARTIAL only `line` may be used.
 */
enum parse_result request_parse(struct request *request, const char *data, size_t len, size_t seen,
	const struct head_limits *limits) __attribute__((warn_unused_result));

/* The first element of a list field to which each proxy in a chain adds one: what the proxy next to
 * the user said. Empty: the field is not there. */
struct slice request_first_element(const struct request *request, enum field_id id);

/* Whether X-Forwarded-Proto says that the user spoke TLS to the first proxy. The caller has to know
 * that the client is a trusted proxy. */
bool request_is_https(const struct request *request);

/* True for the methods that may be repeated (RFC 9110 9.2.2): GET HEAD OPTIONS TRACE PUT DELETE. */
static inline bool method_is_idempotent(enum method method)
{
	const unsigned idempotent = 1u << METHOD_GET | 1u << METHOD_HEAD | 1u << METHOD_OPTIONS |
				    1u << METHOD_TRACE | 1u << METHOD_PUT | 1u << METHOD_DELETE;

	return (idempotent >> method & 1) != 0;
}

#endif
