/*
 * The writing half of a connection: straight to the socket, and what that does not take into a
 * bufferevent that lives only as long as it holds something, or as a connection is being made.
 */
#include "config.h"

#include "connection_write.h"

#include <errno.h>
#include <event2/buffer.h>
#include <linux/sockios.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

/* More than libevent's 16 KiB: a backlog goes out in as few writes as the socket allows. */
#define WRITE_MAX ((size_t)1024 * 1024)

static void end_sending(struct connection *s)
{
	s->finishing = false;
	s->finished = true;
	/* A peer that is gone already needs no end. */
	(void)shutdown(s->fd, SHUT_WR);
}

void connection_drop_buffer(struct connection *s)
{
	if (s->buffer != NULL) {
		/* Its events go at once: a deferred callback would hold them beyond the life of the
		 * descriptor, whose number the next connection takes. */
		(void)bufferevent_setfd(s->buffer, -1);
		loop_uncount(s->loop, bufferevent_get_output(s->buffer));
		bufferevent_free(s->buffer);
	}
	s->buffer = NULL;
}

static void written_cb(struct bufferevent *buffer, void *arg)
{
	struct connection *s = arg;

	(void)buffer;
	/* A unix socket can connect so fast that this comes before the connection is announced. */
	if (s->connecting)
		return;
	loop_begin(s->loop, PULSE_WRITING, s->fd);
	if (connection_backlog(s) == 0) {
		connection_drop_buffer(s);
		if (s->finishing)
			end_sending(s);
	}
	s->events->drained(s);
}

/* The peer takes nothing any more. What it still sends, an early answer perhaps, is read first: the
 * reading side tells of the end, and must not be paused for that. */
static void break_writing(struct connection *s)
{
	s->broken = true;
	connection_resume(s);
}

static void event_cb(struct bufferevent *buffer, short what, void *arg)
{
	struct connection *s = arg;
	int error = errno;

	(void)buffer;
	loop_begin(s->loop, PULSE_WRITING, s->fd);
	if (what & BEV_EVENT_CONNECTED) {
		connection_connected(s);
		return;
	}
	if (s->connecting) {
		connection_end(s, error != 0 ? error : ECONNREFUSED);
		return;
	}
	connection_drop_buffer(s);
	break_writing(s);
	s->events->drained(s);
}

int connection_make_buffer(struct connection *s)
{
	s->buffer = bufferevent_socket_new(s->loop->base, s->fd, 0);
	if (s->buffer == NULL)
		return -1;
	bufferevent_setcb(s->buffer, NULL, written_cb, event_cb, s);
	bufferevent_setwatermark(s->buffer, EV_WRITE, CONNECTION_BACKLOG_LOW, 0);
	if (loop_count(s->loop, bufferevent_get_output(s->buffer)) == -1)
		return -1;
	return bufferevent_set_max_single_write(s->buffer, WRITE_MAX);
}

/* Copies what follows the first `skip` bytes of the pieces into the backlog. */
static int queue(struct connection *s, const struct iovec *pieces, int count, size_t skip)
{
	struct evbuffer *out;

	if (s->buffer == NULL && connection_make_buffer(s) == -1)
		return -1;
	out = bufferevent_get_output(s->buffer);
	for (int i = 0; i < count; i++) {
		size_t len = pieces[i].iov_len;
		size_t from = skip < len ? skip : len;

		skip -= from;
		if (len > from && evbuffer_add(out, (const char *)pieces[i].iov_base + from,
					  len - from) == -1)
			return -1;
	}
	/* libevent does so by itself, but does not tell where memory was too short for that, or for
	 * the callback by which it would: what was queued would wait for ever. */
	return bufferevent_enable(s->buffer, EV_WRITE);
}

static size_t total_of(const struct iovec *pieces, int count)
{
	size_t total = 0;

	for (int i = 0; i < count; i++)
		total += pieces[i].iov_len;
	return total;
}

/* How much of the pieces the socket took at once. */
static size_t write_now(struct connection *s, const struct iovec *pieces, int count)
{
	/* The kernel holds the last packet back for the end that comes at once. */
	int flags = s->cork ? MSG_NOSIGNAL | MSG_MORE : MSG_NOSIGNAL;
	ssize_t n;

	if (count == 1)
		n = send(s->fd, pieces[0].iov_base, pieces[0].iov_len, flags);
	else
		n = sendmsg(s->fd,
			&(struct msghdr){
				.msg_iov = (struct iovec *)pieces, .msg_iovlen = (size_t)count },
			flags);
	if (n >= 0)
		return (size_t)n;
	if (errno != EAGAIN && errno != EINTR)
		break_writing(s);
	return 0;
}

int connection_write(struct connection *s, const struct iovec *pieces, int count)
{
	size_t sent = 0;

	if (s->broken)
		return 0;
	if (s->buffer == NULL) {
		sent = write_now(s, pieces, count);
		if (s->broken || sent == total_of(pieces, count))
			return 0;
	}
	if (queue(s, pieces, count, sent) == 0)
		return 0;
	/* What would come now would come behind a gap. */
	break_writing(s);
	return -1;
}

void connection_finish(struct connection *s)
{
	if (!connection_is_open(s) || s->finished)
		return;
	if (s->connecting || connection_backlog(s) > 0)
		s->finishing = true;
	else
		end_sending(s);
}

size_t connection_backlog(const struct connection *s)
{
	return s->buffer != NULL ? evbuffer_get_length(bufferevent_get_output(s->buffer)) : 0;
}

bool connection_is_full(const struct connection *s)
{
	size_t backlog = connection_backlog(s);

	return backlog > 0 && backlog > loop_share(s->loop, CONNECTION_BACKLOG_HIGH);
}

size_t connection_unsent(const struct connection *s)
{
	size_t backlog = connection_backlog(s);
	int held = 0;

	if (backlog > 0 && ioctl(s->fd, SIOCOUTQ, &held) == -1)
		held = 0;
	return backlog + (size_t)held;
}
