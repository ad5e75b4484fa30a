/*
 * Streams that belong to one client connection alone, because its user has logged in, or may, by a
 * scheme that holds for a connection (http/login.h). They serve no other client, and end with that
 * connection. A client connection may have one in each pool.
 */
#ifndef TINYLB_UPSTREAM_PRIVATE_STREAMS_H
#define TINYLB_UPSTREAM_PRIVATE_STREAMS_H

#include <stddef.h>

struct backend_stream;
struct pool;

/* Those of one client connection. Zeroed, there are none. */
struct private_streams {
	struct backend_stream *first; /* the one that was added last; borrowed */
};

/* The stream belongs to that client connection from now on; removed, to none. Both are harmless if
 * it does already. */
void private_streams_add(struct private_streams *owner, struct backend_stream *stream);
void private_streams_remove(struct backend_stream *stream);

/* One at a backend of `pool` that serves no request now, or NULL. */
struct backend_stream *private_streams_find(
	const struct private_streams *owner, const struct pool *pool);

/* The client connection ended: closes all of them. None serves a request. */
void private_streams_close_all(struct private_streams *owner);
static inline void private_streams_close(struct private_streams *owner)
{
	if (owner->first != NULL)
		private_streams_close_all(owner);
}

#endif
