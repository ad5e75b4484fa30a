/*
 * The chunked coding (RFC 9112 7.1). The decoder holds no bytes: it is told what arrived and says
 * which part of it is content. Extensions are skipped, with a bound; a line ends at CRLF only.
 */
#ifndef TINYLB_HTTP_CHUNK_H
#define TINYLB_HTTP_CHUNK_H

#include "base/text.h"
#include "http/field.h"

enum chunk_state {
	CHUNK_STATE_SIZE_FIRST, /* before the first digit of a size */
	CHUNK_STATE_SIZE,
	CHUNK_STATE_SIZE_SPACE,     /* bad white space before an extension */
	CHUNK_STATE_EXTENSION_NAME, /* after its semicolon: a name must come */
	CHUNK_STATE_EXTENSION,
	CHUNK_STATE_SIZE_LF,
	CHUNK_STATE_DATA,
	CHUNK_STATE_DATA_CR,
	CHUNK_STATE_DATA_LF,
	CHUNK_STATE_TRAILER,
	CHUNK_STATE_BAD
};

/* Zeroed before the first use. */
struct chunk_decoder {
	enum chunk_state state;
	unsigned digits;
	uint64_t left;      /* of the present chunk */
	uint64_t content;   /* bytes of content so far */
	uint64_t overhead;  /* bytes that were not content: bounded against the content */
	unsigned extension; /* bytes of extensions in this message */
	const char *why;    /* when bad */
};

enum chunk_result {
	CHUNK_BAD = -1,
	CHUNK_MORE = 0, /* all bytes were used, more are needed */
	CHUNK_DATA,     /* *content is the next run of content */
	CHUNK_TRAILER,  /* the last chunk was read: the trailer section begins at *used */
};

/* Looks at `data` and says in *used how many bytes of it are done with (with CHUNK_DATA those of
 * *content among them). To be called again on the rest. */
enum chunk_result chunk_decode(struct chunk_decoder *decoder, const char *data, size_t len,
	size_t *used, struct slice *content) __attribute__((warn_unused_result));

/* How many bytes of the present chunk come next; 0 where none do. So many of them, and no more,
 * may be taken without being shown to chunk_decode. */
uint64_t chunk_content_left(const struct chunk_decoder *decoder);
void chunk_skip_content(struct chunk_decoder *decoder, uint64_t len);

/*
 * Reads a trailer section, at most 8 kB of it (RFC 9110 6.5). PARSE_DONE gives in *used its length
 * with the empty line; the fields that must not come as trailers (framing, routing, authentication,
 * hop-by-hop: RFC 9110 6.5.1) are marked as dropped.
 */
enum parse_result trailers_parse(struct fields *fields, const char *data, size_t len, size_t *used,
	const char **why) __attribute__((warn_unused_result));

/* The line before a chunk of `size` bytes: at most CHUNK_LINE_MAX bytes. */
#define CHUNK_LINE_MAX 18
size_t chunk_write_line(char out[CHUNK_LINE_MAX], uint64_t size);

/* The last chunk, the trailers that are not dropped (`trailers` may be NULL) and the empty line. */
void chunk_write_end(struct text *out, const struct fields *trailers);

#endif
