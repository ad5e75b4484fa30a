/*
 * The writing half of a connection. Bytes go straight to the socket. What the socket does not take
 * goes into a bufferevent, which lives only while it holds something, or while the connection is
 * being made.
 */
#include "config.h"

#include "connection_write.h"

#include <assert.h>
#include <errno.h>
#include <event2/buffer.h>
#include <linux/sockios.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

/* More than libevent's 16 KiB: a backlog goes out in as few writes as the socket allows. */
#define WRITE_MAX ((size_t)1024 * 1024)

static void end_sending(struct connection *c)
{
	assert(!c->finished && !c->connecting && connection_backlog(c) == 0);
	c->finishing = false;
	c->finished = true;
	/* A peer that is gone already needs no end. */
	(void)shutdown(c->fd, SHUT_WR);
}

void connection_drop_buffer(struct connection *c)
{
	if (c->buffer != NULL) {
		/* This deletes its events at once: a deferred callback would keep them after the
		 * descriptor is closed, when the next connection gets its number. */
		(void)bufferevent_setfd(c->buffer, -1);
		loop_uncount(c->loop, bufferevent_get_output(c->buffer));
		bufferevent_free(c->buffer);
	}
	c->buffer = NULL;
}

static void written_cb(struct bufferevent *buffer, void *arg)
{
	struct connection *c = arg;

	(void)buffer;
	/* A unix socket can connect so fast that this comes before the connection is announced. */
	if (c->connecting)
		return;
	loop_begin(c->loop, PULSE_WRITING, c->fd);
	if (connection_backlog(c) == 0) {
		connection_drop_buffer(c);
		if (c->finishing)
			end_sending(c);
	}
	c->events->drained(c);
}

/* The peer takes nothing any more. It may have sent something still, such as an early response:
 * that is read first. The reading side tells of the end, so it must not stay paused. */
static void break_writing(struct connection *c)
{
	c->broken = true;
	connection_resume(c);
}

static void event_cb(struct bufferevent *buffer, short what, void *arg)
{
	struct connection *c = arg;
	int error = errno;

	assert(buffer == c->buffer);
	loop_begin(c->loop, PULSE_WRITING, c->fd);
	if (what & BEV_EVENT_CONNECTED) {
		connection_connected(c);
		return;
	}
	if (c->connecting) {
		connection_end(c, error != 0 ? error : ECONNREFUSED);
		return;
	}
	connection_drop_buffer(c);
	break_writing(c);
	c->events->drained(c);
}

int connection_make_buffer(struct connection *c)
{
	assert(c->buffer == NULL);
	c->buffer = bufferevent_socket_new(c->loop->base, c->fd, 0);
	if (c->buffer == NULL)
		return -1;
	bufferevent_setcb(c->buffer, NULL, written_cb, event_cb, c);
	bufferevent_setwatermark(c->buffer, EV_WRITE, CONNECTION_BACKLOG_LOW, 0);
	if (loop_count(c->loop, bufferevent_get_output(c->buffer)) == -1)
		return -1;
	return bufferevent_set_max_single_write(c->buffer, WRITE_MAX);
}

/* Copies what follows the first `skip` bytes of the pieces into the backlog. */
static int queue(struct connection *c, const struct iovec *pieces, int count, size_t skip)
{
	struct evbuffer *out;

	/* Nothing goes out behind the end. */
	assert(!c->finished);
	if (c->buffer == NULL && connection_make_buffer(c) == -1)
		return -1;
	out = bufferevent_get_output(c->buffer);
	for (int i = 0; i < count; i++) {
		size_t len = pieces[i].iov_len;
		size_t from = skip < len ? skip : len;

		skip -= from;
		if (len > from && evbuffer_add(out, (const char *)pieces[i].iov_base + from,
					  len - from) == -1)
			return -1;
	}
	assert(skip == 0);
	/* libevent enables writing by itself, but does not tell when memory was too short for that,
	 * or for the callback that would do it: the queued bytes would wait for ever. */
	return bufferevent_enable(c->buffer, EV_WRITE);
}

static size_t total_of(const struct iovec *pieces, int count)
{
	size_t total = 0;

	for (int i = 0; i < count; i++)
		total += pieces[i].iov_len;
	return total;
}

/* How much of the pieces the socket took at once. */
static size_t write_now(struct connection *c, const struct iovec *pieces, int count)
{
	/* MSG_MORE: the kernel holds the last packet back, to send it with the end of the
	 * connection, which comes at once. */
	int flags = c->cork ? MSG_NOSIGNAL | MSG_MORE : MSG_NOSIGNAL;
	ssize_t n;

	/* While it connects it has a buffer. */
	assert(!c->connecting);
	if (count == 1)
		n = send(c->fd, pieces[0].iov_base, pieces[0].iov_len, flags);
	else
		n = sendmsg(c->fd,
			&(struct msghdr){
				.msg_iov = (struct iovec *)pieces, .msg_iovlen = (size_t)count },
			flags);
	if (n >= 0)
		return (size_t)n;
	if (errno != EAGAIN && errno != EINTR)
		break_writing(c);
	return 0;
}

int connection_write(struct connection *c, const struct iovec *pieces, int count)
{
	size_t sent = 0;

	if (c->broken)
		return 0;
	if (c->buffer == NULL) {
		sent = write_now(c, pieces, count);
		if (c->broken || sent == total_of(pieces, count))
			return 0;
	}
	if (queue(c, pieces, count, sent) == 0)
		return 0;
	/* A part is missing: bytes that were sent now would follow a gap. */
	break_writing(c);
	return -1;
}

void connection_finish(struct connection *c)
{
	if (!connection_is_open(c) || c->finished)
		return;
	if (c->connecting || connection_backlog(c) > 0)
		c->finishing = true;
	else
		end_sending(c);
}

size_t connection_count_backlog(const struct connection *c)
{
	return evbuffer_get_length(bufferevent_get_output(c->buffer));
}

bool connection_is_full(const struct connection *c)
{
	size_t backlog = connection_backlog(c);

	return backlog > 0 && backlog > loop_share(c->loop, CONNECTION_BACKLOG_HIGH);
}

size_t connection_unsent(const struct connection *c)
{
	size_t backlog = connection_backlog(c);
	int held = 0;

	if (backlog > 0 && ioctl(c->fd, SIOCOUTQ, &held) == -1)
		held = 0;
	return backlog + (size_t)held;
}
