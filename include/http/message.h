/*
 * Requests and responses as they were understood: the structs that request.h and response.h read
 * from bytes, and that forward.h writes. Every slice points into the bytes that were read.
 */
#ifndef TINYLB_HTTP_MESSAGE_H
#define TINYLB_HTTP_MESSAGE_H

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
	struct body body;     /* NONE, LENGTH (of 0 too) or CHUNKED */
	int64_t max_forwards; /* of OPTIONS and TRACE; -1 without one. At 0 the request must be
			       * answered here (RFC 9110 7.6.2); else it goes on less one */
	bool keep_alive;      /* the client lets its connection persist */
	bool expect_continue; /* Expect: 100-continue, of a 1.1 client that sends a body */
	bool te_trailers;     /* TE: trailers */
	bool upgrade;         /* a 1.1 client offers another protocol: upgrade_offer.h */
	size_t head_len;      /* bytes of the head with its last CRLF and what stood before it */
	/* when refused */
	int status;      /* 400, 413, 414, 417, 431, 501 or 505 */
	const char *why; /* a phrase for the log and the reply */
	/* the last member: a copy ends behind the last field that there is */
	struct fields fields;
};

struct response {
	int minor;
	int status; /* 100 to 999; those from 600 on count as 5xx */
	struct slice reason;
	struct body body;     /* with regard to the request's method and the status */
	bool keep_alive;      /* the backend lets its connection persist */
	struct slice upgrade; /* the protocol of a 101, which may be one that was not offered */
	bool via;             /* whether forward_response adds a Via; the caller's, after parsing */
	struct fields fields;
	size_t head_len;
	const char *why; /* when refused: always a 502 */
};

/* How many bytes a copy of `request` takes: its list has no room for more fields than there are. */
size_t message_request_size(const struct request *request);

/*
 * Copies `request`, whose head stands at `from`, to the message_request_size bytes at `room`,
 * aligned for any object. In the copy every slice of the head points to the same place at `to`,
 * where the caller has a copy of it. It may be read and written as a forwarded request, never
 * parsed into.
 */
struct request *message_copy_request(
	void *room, const struct request *request, const char *from, const char *to);

/* How many bytes a copy of `fields` takes, with the bytes of names and values. */
size_t message_fields_size(const struct fields *fields);

/* Copies `fields` and the bytes of their names and values to the message_fields_size bytes at
 * `room`, aligned for any object. The list of the copy has no room for more fields. */
struct fields *message_copy_fields(void *room, const struct fields *fields);

#endif
