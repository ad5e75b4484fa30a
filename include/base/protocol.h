/* Names of protocols in an Upgrade field: name [ "/" version ] (RFC 9110 7.8). */
#ifndef TINYLB_BASE_PROTOCOL_H
#define TINYLB_BASE_PROTOCOL_H

#include "base/slice.h"

/* Whether requests could go unseen through a tunnel of this protocol: HTTP of another version (h2c,
 * HTTP/2.0), or TLS (RFC 2817). Routes and limits would not be applied to them. */
bool protocol_hides_requests(struct slice protocol);

/* Whether a list with commas has this protocol, or its name without the version. Case is ignored.
 */
bool protocol_is_in(struct slice list, struct slice protocol);

#endif
