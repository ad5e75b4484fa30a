/*
 * Streams to backends that belong to one client connection alone, because it has tried or was
 * offered a login that holds for a connection (http/login.h). They serve no other client, and end
 * with that connection. A client connection may have one in each pool.
 */
#ifndef TINYLB_UPSTREAM_PRIVATE_STREAMS_H
#define TINYLB_UPSTREAM_PRIVATE_STREAMS_H

#include <stddef.h>

struct backend_stream;
struct pool;

/* The private streams of one client connection. All zero: it has none. */
struct private_streams {
	struct backend_stream *first; /* the one that was added last; borrowed */
};

/* Gives the stream, which must belong to no other client connection, to `owner`; takes it away from
 * the one it belongs to. Both do nothing where that is so already. */
void private_streams_add(struct private_streams *owner, struct backend_stream *stream);
void private_streams_remove(struct backend_stream *stream);

/* An idle one to a backend of `pool`, or NULL. */
struct backend_stream *private_streams_find(
	const struct private_streams *owner, const struct pool *pool);

/* The client connection ends: closes all of them, which must be idle. */
void private_streams_close_all(struct private_streams *owner);
static inline void private_streams_close(struct private_streams *owner)
{
	if (owner->first != NULL)
		private_streams_close_all(owner);
}

#endif
