/* A response head (RFC 9112 4), parsed once and strictly. Slices point into the caller's bytes. */
#ifndef TINYLB_HTTP_RESPONSE_H
#define TINYLB_HTTP_RESPONSE_H

#include "http/message.h"

/* As request_parse. `method` is that of the request that is being answered: it decides whether
 * there is a body (RFC 9112 6.3). */
enum parse_result response_parse(struct response *response, const char *data, size_t len,
	size_t seen, enum method method, const struct head_limits *limits)
	__attribute__((warn_unused_result));

/* True where the backend says for how many seconds it keeps an idle connection: "Keep-Alive:
 * timeout=5" (RFC 2068 19.7.1.1; up to a day). */
bool response_read_keep_alive(const struct response *response, uint64_t *seconds);
static inline bool response_keep_alive_timeout(const struct response *response, uint64_t *seconds)
{
	return (response->fields.present & FIELD_BIT(FIELD_KEEP_ALIVE)) != 0 &&
	       response_read_keep_alive(response, seconds);
}

#endif
