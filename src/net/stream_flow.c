/*
 * Bytes that nobody looks at go from one stream to another by the loop's pipe. No more is taken
 * from the one than the other has room for, so that hardly anything has to be copied after all;
 * where there is little room, they go the usual way, with all that it has for peers that are slow.
 */
#include "config.h"

#include "net/flow.h"

#include <errno.h>

#include "stream_buffer.h"

/* In one callback: others wait for their turn. */
#define FLOW_MOST ((size_t)256 * 1024)

/* Less costs more than to copy it. */
#define FLOW_LEAST ((size_t)32 * 1024)

static size_t least(size_t a, size_t b)
{
	return a < b ? a : b;
}

static bool can_take_more(const struct stream *s)
{
	return !s->broken && !s->connecting && s->buffer == NULL;
}

ssize_t stream_draw(struct stream *from, const struct stream *to, uint64_t most)
{
	struct loop *loop = from->loop;
	size_t share = loop_share(loop, FLOW_MOST);
	ssize_t n;

	if (from->rest != NULL || !can_take_more(to))
		return -1;
	if (most < share)
		share = (size_t)most;
	share = least(share, pipe_room(to->fd));
	if (share < FLOW_LEAST || !pipe_open(&loop->pipe))
		return -1;
	n = pipe_fill(&loop->pipe, from->fd, share);
	/* Nothing may also mean that urgent data is next, or that this kind of socket has no such
	 * way: recv(2) passes over that, and tells whether it is the end. */
	if (n == 0 || (n == -1 && (errno == EAGAIN || errno == EINTR || errno == EINVAL)))
		return -1;
	/* What comes behind may be here already. */
	from->full = true;
	if (n > 0)
		return n;
	/* An error is told once only: recv(2) would take it for the end. */
	stream_end(from, errno);
	return 0;
}

/* What the socket did not take, `len` bytes, is copied. */
static int copy_rest(struct stream *s, size_t len)
{
	struct loop *loop = s->loop;
	int result = 0;

	while (len > 0 && !s->broken) {
		ssize_t n = pipe_read(&loop->pipe, loop->scratch, least(len, LOOP_SCRATCH_SIZE));
		struct iovec piece = { .iov_base = loop->scratch };

		if (n <= 0) { /* which cannot be */
			result = -1;
			break;
		}
		len -= (size_t)n;
		piece.iov_len = (size_t)n;
		result = stream_write(s, &piece, 1);
	}
	/* Nobody takes it any more; least of all the next who use the pipe. */
	if (len > 0)
		pipe_close(&loop->pipe);
	return result;
}

int stream_pour(struct stream *to, size_t len)
{
	while (len > 0 && can_take_more(to)) {
		ssize_t n = pipe_drain(&to->loop->pipe, to->fd, len);

		/* Whatever it is, send(2) will find it too. */
		if (n <= 0)
			break;
		len -= (size_t)n;
	}
	return copy_rest(to, len);
}
