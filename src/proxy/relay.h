/*
 * Bodies on their way: content is taken out of the framing in which it comes and put into the one
 * in which it goes on. Nothing is collected.
 */
#ifndef TINYLB_PROXY_RELAY_H
#define TINYLB_PROXY_RELAY_H

#include <event2/buffer.h>
#include <sys/uio.h>

#include "http/chunk.h"
#include "net/connection.h"

/* Pieces that go out with one write. They must live until gather_flush; `line` and `end` hold what
 * the framing adds to the content. */
#define GATHER_PIECES 64
#define GATHER_END    9216 /* the last chunk and its trailers, which the parser holds to 8 KiB */

struct gather {
	struct connection *to; /* borrowed */
	struct evbuffer *copy; /* borrowed; NULL, or gets a copy of the pieces */
	int uncopied;          /* but not of so many at the front */
	int count;
	bool failed; /* memory was short: the connection is of no further use */
	struct iovec pieces[GATHER_PIECES];
	char line[CHUNK_LINE_MAX];
	char end[GATHER_END];
};

/* Begins a gathering for `to`. */
void gather_init(struct gather *g, struct connection *to);

/* Adds bytes; writes first what there is, where there is no room for two more. */
void gather_add(struct gather *g, const char *data, size_t len);

/* Writes what was gathered. 0, or -1 when memory was short at any time. */
int gather_flush(struct gather *g) __attribute__((warn_unused_result));

/* One direction of an exchange. */
struct relay {
	struct body in; /* `length` is what is still to come */
	enum body_kind out;
	bool done;
	struct chunk_decoder chunks;
	uint64_t content; /* bytes of content so far */
	char *named; /* owned; the fields that the head's Connection named: no trailers of that name
		      */
	const char *why; /* when bad */
};

/* Frees what belongs to it. */
void relay_fini(struct relay *relay);

/* Remembers what the Connection fields of the body's head name, where trailers may follow. 0, or -1
 * when memory is short. */
int relay_note_named(struct relay *relay, const struct fields *head)
	__attribute__((warn_unused_result));

enum relay_result { RELAY_BAD = -1, RELAY_MORE = 0, RELAY_DONE = 1 };

void relay_init(struct relay *relay, struct body in, enum body_kind out);

/*
 * Takes the content out of `data` and adds it to `out`. *used is how many bytes of `data` are done
 * with: less than all of them where the body ended, or where a trailer section is not whole yet.
 * `trailers` is scratch space.
 */
enum relay_result relay_feed(struct relay *relay, const char *data, size_t len, size_t *used,
	struct gather *out, struct fields *trailers) __attribute__((warn_unused_result));

/* How many bytes of content come next with nothing in between; UINT64_MAX: all until the end. */
uint64_t relay_plain(const struct relay *relay);

/* So many of them went on by another way, as one chunk where `out` is chunked. */
void relay_skip(struct relay *relay, size_t len);

/* The sender closed. RELAY_DONE where that is how this body ends, else RELAY_BAD. */
enum relay_result relay_end(struct relay *relay, struct gather *out)
	__attribute__((warn_unused_result));

#endif
