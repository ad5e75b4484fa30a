/* What a head that goes on is to say besides what it said when it came: for forward.h. */
#ifndef TINYLB_HTTP_FORWARD_OPTIONS_H
#define TINYLB_HTTP_FORWARD_OPTIONS_H

#include <stdbool.h>

#include "base/slice.h"

#define FORWARD_TOKEN_LEN 23

/* For a request on its way to a backend. */
struct forward_request {
	struct slice host; /* the Host to send; empty: the client's, which a 1.0 client may lack */
	struct slice path; /* of the backend's URL: joined with the target by exactly one slash */
	struct slice peer; /* the address that sent the request; empty for a unix peer */
	struct slice scheme;     /* "http" */
	struct slice request_id; /* X-Request-Id; empty: none */
	struct slice cookie;     /* the name of the one that backends do not get; empty: none */
	struct slice upgrade;    /* the protocols that may be offered: upgrade_offer.h */
	/* FORWARD_TOKEN_LEN characters that stand for this program; NULL: "tinylb" does */
	const char *token;
	bool via;         /* write Via */
	bool cdn_loop;    /* write CDN-Loop (RFC 8586), if there is a token */
	bool x_forwarded; /* write X-Forwarded-For, -Host and -Proto */
	bool rfc7239;     /* write Forwarded (RFC 7239) */
	bool trusted;     /* keep what the peer says of the client: it is a trusted proxy */
};

/* For a response on its way to a client. */
struct forward_response {
	int client_minor;   /* the version of the request: 1.0 gets no chunked coding */
	bool close;         /* the connection to the client ends after this response */
	bool keep_alive_10; /* a 1.0 client asked to keep the connection and gets it, unless `close`
			     * or the framing forbids */
	struct slice date;  /* added where the response has none */
	struct slice cookie; /* the name of the one that backends do not set; empty: they may all */
	struct slice cookie_value; /* the value it is set to; empty: it is not set */
	bool cookie_secure;        /* only for TLS */
};

#endif
