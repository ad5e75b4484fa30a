/*
 * Bytes go from one connection to another by the loop's pipe. No more is read from the sender than
 * the receiver has room for, so that hardly anything has to be copied after all. When there is
 * little room, the bytes are read and written as usual: that way has the back-pressure for slow
 * peers.
 */
#include "config.h"

#include "net/connection_splice.h"

#include <assert.h>
#include <errno.h>

#include "connection_write.h"

/* At most so much in one callback: other connections wait for their turn. */
#define SPLICE_MOST ((size_t)256 * 1024)

/* To copy less than this costs less than to splice it. */
#define SPLICE_LEAST ((size_t)32 * 1024)

static size_t least(size_t a, size_t b)
{
	return a < b ? a : b;
}

static bool can_take_more(const struct connection *c)
{
	return !c->broken && !c->connecting && c->buffer == NULL;
}

size_t connection_splice_room(const struct connection *to)
{
	size_t room;

	if (!can_take_more(to))
		return 0;
	room = least(loop_share(to->loop, SPLICE_MOST), pipe_room(to->fd));
	return room >= SPLICE_LEAST ? room : 0;
}

ssize_t connection_splice_in(struct connection *from, size_t most)
{
	struct loop *loop = from->loop;
	ssize_t n;

	assert(!from->delivering && !from->connecting);
	if (from->rest != NULL || most < SPLICE_LEAST || !pipe_open(&loop->pipe))
		return -1;
	n = pipe_fill(&loop->pipe, from->fd, most);
	/* No bytes: the end, or urgent data comes next, or this kind of socket cannot splice.
	 * recv(2) passes over urgent data, and tells which it is. */
	if (n == 0 || (n == -1 && (errno == EAGAIN || errno == EINTR || errno == EINVAL)))
		return -1;
	/* More may have arrived behind these bytes. */
	from->full = true;
	if (n > 0)
		return n;
	/* The kernel tells an error only once: a recv(2) after this one would see an orderly end.
	 */
	connection_end(from, errno);
	return 0;
}

/* Copies the `len` bytes that the socket did not take. */
static int copy_rest(struct connection *c, size_t len)
{
	struct loop *loop = c->loop;
	int result = 0;

	while (len > 0 && !c->broken) {
		ssize_t n = pipe_read(&loop->pipe, loop->scratch, least(len, LOOP_SCRATCH_SIZE));
		struct iovec piece = { .iov_base = loop->scratch };

		if (n <= 0) { /* this cannot happen */
			result = -1;
			break;
		}
		len -= (size_t)n;
		piece.iov_len = (size_t)n;
		result = connection_write(c, &piece, 1);
	}
	/* The connection that uses the pipe next must not get what is left in it. */
	if (len > 0)
		pipe_close(&loop->pipe);
	assert(loop->pipe.held == 0);
	return result;
}

int connection_splice_out(struct connection *to, size_t len)
{
	while (len > 0 && can_take_more(to)) {
		ssize_t n = pipe_drain(&to->loop->pipe, to->fd, len);

		/* Whatever the error is, send(2) will meet it, too. */
		if (n <= 0)
			break;
		len -= (size_t)n;
	}
	return copy_rest(to, len);
}
