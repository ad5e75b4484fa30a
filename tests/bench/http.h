#ifndef BENCH_HTTP_H
#define BENCH_HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* The one key that load sends and origin knows the answer to (the sample of RFC 6455). */
#define WEBSOCKET_KEY    "dGhlIHNhbXBsZSBub25jZQ=="
#define WEBSOCKET_ACCEPT "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="

/* What matters of the head of a request or answer; the texts are in the bytes it was read from. */
struct head {
	const char *line; /* the first one, without its end */
	size_t line_length;
	uint64_t length;
	bool has_length;
	bool chunked;
	bool close;     /* Connection: close */
	bool websocket; /* Upgrade: websocket */
	bool known_key; /* the key above, or the answer to it */
};

/* Reads a head strictly: every line ends with CR LF, a name is a token, one Content-Length of
   digits or one Transfer-Encoding: chunked. Returns its length, 0 when it is not complete, -1 when
   wrong. */
ssize_t head_parse(const char *data, size_t length, struct head *head);

enum body_result { BODY_MORE, BODY_DONE, BODY_FRAMING, BODY_LENGTH, BODY_BYTES };

enum body_state {
	BODY_COUNTED,
	CHUNK_FIRST,
	CHUNK_SIZE,
	CHUNK_SIZE_LF,
	CHUNK_DATA,
	CHUNK_CR,
	CHUNK_LF,
	LAST_CR,
	LAST_LF,
	BODY_END
};

/* A body being received, held against what it should be. */
struct body {
	enum body_state state;
	uint64_t left;    /* of a chunk, or of all with Content-Length */
	uint64_t got;     /* bytes of content */
	uint64_t want;    /* that many there should be; BODY_ANY: that is not known */
	const char *text; /* borrowed: they should be these; NULL: the pattern */
};

#define BODY_ANY UINT64_MAX

void body_start(struct body *body, const struct head *head, uint64_t want, const char *text);

/* Takes bytes of the body, *used is how many. BODY_MORE: all were taken. */
enum body_result body_feed(struct body *body, const char *data, size_t length, size_t *used);

#endif
