/*
 * Decides which content goes on unseen (net/connection_splice.h): long runs that come in large
 * pieces. Small pieces cost less to copy.
 */
#ifndef TINYLB_HTTP1_BODY_SPLICE_H
#define TINYLB_HTTP1_BODY_SPLICE_H

#include "http1/body_reader.h"
#include "net/connection.h"

/* Shorter runs are copied. */
#define BODY_SPLICE_RUN_LEAST ((uint64_t)64 * 1024)

/* A body begins on `from`. The length of runs that come in chunks, or until the end, shows later.
 */
static inline void body_splice_expect(struct connection *from, const struct body_reader *reader)
{
	from->splices =
		reader->in.kind == BODY_LENGTH && reader->in.length >= BODY_SPLICE_RUN_LEAST;
}

/* A read took all that it may: more is there, and may be a long run. */
static inline void body_splice_look(struct connection *from)
{
	from->splices |= from->full;
}

/* Whether to splice what comes next on `from`; `reader` is NULL in a tunnel. */
bool body_splice_is_of_use(const struct body_reader *reader, struct connection *from);

/* Moves up to `room` bytes of the run into the pipe of the loop. Returns as connection_splice_in.
 */
ssize_t body_splice_in(struct body_reader *reader, struct connection *from, size_t room)
	__attribute__((warn_unused_result));

#endif
