/*
 * Writes the heads that go on: anew, from what was understood (RFC 9110 7.6). No head is copied
 * through.
 */
#ifndef TINYLB_HTTP_FORWARD_H
#define TINYLB_HTTP_FORWARD_H

#include "base/text.h"
#include "http/forward_options.h"
#include "http/message.h"

/* A written head is longer than the one that was read by at most this and the lengths of what `how`
 * holds. */
#define FORWARD_EXTRA 1408

/*
 * Writes the head of `request` as HTTP/1.1 for a backend: hop-by-hop fields gone, Host, framing,
 * Connection and Upgrade written anew, Via and CDN-Loop added as `how` says. What is said of the
 * client (X-Forwarded-*, X-Real-IP, Forwarded) is written anew, too; with a trusted peer, behind
 * what it said itself. Marks dropped fields in the request. The same request may be written again
 * for another backend.
 */
void forward_request(struct text *out, struct request *request, const struct forward_request *how);

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
