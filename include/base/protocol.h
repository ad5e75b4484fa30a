/* Protocols as an Upgrade field names them: a name, and perhaps "/" and a version (RFC 9110 7.8).
 */
#ifndef TINYLB_BASE_PROTOCOL_H
#define TINYLB_BASE_PROTOCOL_H

#include "base/slice.h"

/* Whether requests could go through it unseen: HTTP of another version (h2c, HTTP/2.0), or TLS (RFC
 * 2817). No rule of the settings would be applied to these. */
bool protocol_hides_requests(struct slice protocol);

/* Whether `list`, with commas between its elements, has this protocol: as it is, or its name
 * without a version. The case of letters plays no part. */
bool protocol_is_in(struct slice list, struct slice protocol);

#endif
