/*
 * Takes content out of the framing of HTTP/1 (RFC 9112 6 and 7.1). It holds no bytes: what is not
 * whole yet, such as a trailer section, comes again with the next bytes.
 */
#ifndef TINYLB_HTTP1_BODY_READER_H
#define TINYLB_HTTP1_BODY_READER_H

#include "http/chunk.h"
#include "http/content.h"

struct body_reader {
	struct body in; /* `length` is what is still to come */
	bool done;
	struct chunk_decoder chunks; /* of a chunked body only */
	char *named; /* owned; fields that the head's Connection named: no trailers of such names
		      * go on; NULL: none */
	const char *why; /* when bad */
};

/* Begins a body of this kind. */
void body_reader_init(struct body_reader *reader, struct body in);

/* Frees what belongs to it; may be called again. */
void body_reader_free_named(struct body_reader *reader);
static inline void body_reader_fini(struct body_reader *reader)
{
	if (reader->named != NULL)
		body_reader_free_named(reader);
}

/* Remembers what the Connection fields of the head name, if trailers may follow. 0, or -1 when
 * memory is short. */
int body_reader_keep_named(struct body_reader *reader, const struct fields *head)
	__attribute__((warn_unused_result));
static inline int body_reader_note_named(struct body_reader *reader, const struct fields *head)
{
	return reader->in.kind == BODY_CHUNKED ? body_reader_keep_named(reader, head) : 0;
}

enum body_read { BODY_READ_BAD = -1, BODY_READ_MORE = 0, BODY_READ_DONE = 1 };

/*
 * Adds the content of `data` to `out`, which is empty. *used is how many bytes of `data` are done
 * with. They are fewer than all if the body ended, if a trailer section is not whole yet, or if
 * `out` is full: then it is to be called again with the rest. With BODY_READ_DONE out->end is set;
 * out->trailers then points to `trailers`, which is scratch space of the caller.
 */
enum body_read body_reader_feed(struct body_reader *reader, const char *data, size_t len,
	size_t *used, struct content *out, struct fields *trailers)
	__attribute__((warn_unused_result));

/* How many bytes of content come next with nothing in between; UINT64_MAX: all until the end. */
uint64_t body_reader_run(const struct body_reader *reader);

/* `len` bytes of such a run went on by another way. */
void body_reader_skip(struct body_reader *reader, size_t len);

/* The sender closed. BODY_READ_DONE if that is how this body ends, else BODY_READ_BAD. */
enum body_read body_reader_end(struct body_reader *reader) __attribute__((warn_unused_result));

#endif
