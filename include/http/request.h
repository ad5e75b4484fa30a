/*
 * A request head (RFC 9112 3), parsed once and strictly: what is almost right is refused, not
 * repaired. Nothing is allocated; every slice points into the caller's bytes.
 */
#ifndef TINYLB_HTTP_REQUEST_H
#define TINYLB_HTTP_REQUEST_H

#include "http/field.h"

enum method {
	METHOD_OTHER,
	METHOD_GET,
	METHOD_HEAD,
	METHOD_POST,
	METHOD_PUT,
	METHOD_DELETE,
	METHOD_CONNECT,
	METHOD_OPTIONS,
	METHOD_TRACE,
	METHOD_PATCH
};

struct request {
	/* the request line */
	struct slice line;  /* the whole of it, without CRLF: for the log, also of a refused request
			     * as far as it was read */
	enum method method; /* METHOD_OTHER in a refused request whose method was not read */
	struct slice method_name;
	struct slice target; /* origin-form ("/a?b"), or "*"; of an absolute-form what follows the
			      * authority ("/" where that is empty, "*" with OPTIONS; it may begin
			      * with "?", then a "/" belongs before it) */
	int minor;           /* of HTTP/1.x: 0, or 1 for anything above */
	/* what the fields mean */
	struct slice host;    /* of the absolute-form, else of Host; empty for 1.0 without one */
	struct slice upgrade; /* the protocol of a forwarded Upgrade: "websocket"; else empty */
	struct body body;     /* NONE, LENGTH (of 0 too) or CHUNKED */
	int64_t max_forwards; /* of OPTIONS and TRACE; -1 without one. At 0 the request must be
			       * answered here (RFC 9110 7.6.2); else it goes on less one */
	bool keep_alive;      /* the client lets its connection persist */
	bool expect_continue; /* Expect: 100-continue, of a 1.1 client that sends a body */
	bool te_trailers;     /* TE: trailers */
	struct fields fields;
	size_t head_len; /* bytes of the head with its last CRLF and what stood before it */
	/* when refused */
	int status;      /* 400, 413, 414, 417, 431, 501 or 505 */
	const char *why; /* a phrase for the log and the reply */
};

/*
 * Reads the head at `data`. `seen` is how many of the bytes were there at the last call that
 * returned PARSE_PARTIAL (0 at first): a head that arrives in many pieces costs linear time. On
 * PARSE_PARTIAL only `line` may be used.
 */
enum parse_result request_parse(struct request *request, const char *data, size_t len, size_t seen,
	const struct head_limits *limits) __attribute__((warn_unused_result));

/* True for the methods that may be repeated (RFC 9110 9.2.2): GET HEAD OPTIONS TRACE PUT DELETE. */
bool method_is_idempotent(enum method method);

#endif
