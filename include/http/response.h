/* A response head (RFC 9112 4), parsed once and strictly. Slices point into the caller's bytes. */
#ifndef TINYLB_HTTP_RESPONSE_H
#define TINYLB_HTTP_RESPONSE_H

#include "http/field.h"
#include "http/request.h"

struct response {
	int minor;
	int status; /* 100 to 599 */
	struct slice reason;
	struct body body; /* with regard to the request's method and the status */
	bool keep_alive;  /* the backend lets its connection persist */
	bool upgraded;    /* a 101, to websocket; whether it was asked for the caller knows */
	struct fields fields;
	size_t head_len;
	const char *why; /* when refused: always a 502 */
};

/* As request_parse. `method` is that of the request that is being answered: it decides whether
 * there is a body (RFC 9112 6.3). */
enum parse_result response_parse(struct response *response, const char *data, size_t len,
	size_t seen, enum method method, const struct head_limits *limits)
	__attribute__((warn_unused_result));

/* True where the backend says for how many seconds it keeps an idle connection: "Keep-Alive:
 * timeout=5" (RFC 2068 19.7.1.1; up to a day). */
bool response_keep_alive_timeout(const struct response *response, uint64_t *seconds);

#endif
