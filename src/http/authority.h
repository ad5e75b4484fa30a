/* uri-host [ ":" port ] as it stands in Host and in an absolute-form. Private to this folder. */
#ifndef TINYLB_HTTP_AUTHORITY_H
#define TINYLB_HTTP_AUTHORITY_H

#include "base/slice.h"

/* As long as a domain name with a port can be. */
#define AUTHORITY_MAX 261

/* True for a host that is not empty and a port, where there is one, of at most 65535 (RFC 9110
 * 4.2.3, RFC 3986 3.2). No user information, no comma, no zone, no IPvFuture, no empty label, and
 * no percent-encoded octet that could not be a part of a name. */
bool authority_is_valid(struct slice s);

#endif
