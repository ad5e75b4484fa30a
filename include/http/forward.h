/*
 * What goes on: heads written anew from what was understood (RFC 9110 7.6), never copied through.
 */
#ifndef TINYLB_HTTP_FORWARD_H
#define TINYLB_HTTP_FORWARD_H

#include "base/text.h"
#include "http/request.h"
#include "http/response.h"

/* A written head is longer than the one that was read by at most this and the lengths of what `how`
 * holds. */
#define FORWARD_EXTRA 1408

struct forward_request {
	struct slice host; /* the Host to send; empty: the client's, which a 1.0 client may lack */
	struct slice path; /* of the backend's URL: joined with the target by exactly one slash */
	struct slice peer; /* the address of who sent the request; empty for a unix peer */
	struct slice scheme;     /* "http" */
	struct slice request_id; /* X-Request-Id; empty: none */
	struct slice cookie;     /* the name of the one that is not for backends; empty: none is */
	bool x_forwarded;        /* tell of the client in X-Forwarded-For, -Host and -Proto */
	bool rfc7239;            /* and in Forwarded */
	bool trusted;            /* the peer is believed what it says of the client */
};

/*
 * Writes the head of `request` as HTTP/1.1 for a backend: hop-by-hop fields gone, Host, framing,
 * Connection and Upgrade written anew, Via added. What is said of the client (X-Forwarded-*,
 * X-Real-IP, Forwarded) is written anew, too; with a trusted peer, behind what it said itself.
 * Marks dropped fields in the request. The same request may be written again for another backend.
 */
void forward_request(struct text *out, struct request *request, const struct forward_request *how);

struct forward_response {
	int client_minor;   /* the version of the request: 1.0 gets no chunked coding */
	bool close;         /* the connection to the client ends after this response */
	bool keep_alive_10; /* a 1.0 client asked to keep the connection and gets it, unless `close`
			     * or the framing forbids */
	struct slice date;  /* added where the response has none */
	struct slice cookie; /* the name of the one that backends do not set; empty: they may all */
	struct slice cookie_value; /* what that is set to; empty: it is not */
	bool cookie_secure;        /* only for TLS */
};

/*
 * The framing in which a response of this kind goes to such a client: chunked stays chunked
 * for 1.1; what a 1.0 client cannot get chunked, or what ended with the connection, becomes
 * BODY_UNTIL_CLOSE (1.0) or BODY_CHUNKED (1.1).
 */
struct body forward_response_body(const struct response *response, int client_minor);

/* Writes the head of `response` with that framing. Interim responses (1xx) and 101 too. */
void forward_response(
	struct text *out, struct response *response, const struct forward_response *how);

#endif
