/*
 * What a backend is told of the client: X-Forwarded-* and Forwarded (RFC 7239). Private to this
 * folder.
 */
#ifndef TINYLB_HTTP_FORWARDED_H
#define TINYLB_HTTP_FORWARDED_H

#include "base/text.h"
#include "http/forward_options.h"
#include "http/message.h"

/* The fields of the request that must not be copied: those of a peer that is not trusted, and those
 * that forwarded_write writes in their place. A set of FIELD_BIT. Fields of a trusted peer behind
 * which no element may be written are dropped (append.h). */
uint32_t forwarded_without(struct fields *fields, const struct forward_request *how);

/* Writes what is seen of the client, behind what a trusted peer said. */
void forwarded_write(
	struct text *out, const struct request *request, const struct forward_request *how);

#endif
