/*
 * Moves bytes between a socket and its owner. The common path is recv(2) into the loop's scratch
 * buffer and writev(2) from wherever the bytes lie: no copy, no allocation, and no change of what
 * epoll watches. It knows nothing of HTTP.
 */
#include "config.h"

#include "net/stream.h"

#include <errno.h>
#include <event2/buffer.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/fd.h"

/* More than libevent's 16 KiB: a backlog goes out in as few writes as the socket allows. */
#define WRITE_MAX ((size_t)1024 * 1024)

static void stop_reading(struct stream *s)
{
	event_del(&s->readable);
	s->ended = true;
}

static void end(struct stream *s, int error)
{
	stop_reading(s);
	s->events->ended(s, error);
}

/* Keeps what the owner left of `len` bytes in the scratch buffer. */
static int keep_rest(struct stream *s, const char *data, size_t len)
{
	if (len == 0)
		return 0;
	if (s->rest == NULL)
		s->rest = evbuffer_new();
	if (s->rest == NULL)
		return -1;
	return evbuffer_add(s->rest, data, len);
}

static void drop_rest(struct stream *s)
{
	if (s->rest != NULL)
		evbuffer_free(s->rest);
	s->rest = NULL;
}

/* Moves the rest to the front of the scratch buffer and returns its length. */
static size_t fetch_rest(struct stream *s)
{
	size_t len;

	if (s->rest == NULL)
		return 0;
	len = evbuffer_get_length(s->rest);
	evbuffer_remove(s->rest, s->loop->scratch, len);
	drop_rest(s);
	return len;
}

/* Hands the owner the first `len` bytes of the scratch buffer. */
static void deliver(struct stream *s, size_t len)
{
	const char *data = s->loop->scratch;
	size_t used;

	s->delivering = true;
	used = s->events->received(s, data, len);
	s->delivering = false;
	if (!stream_is_open(s))
		return;
	if (keep_rest(s, data + used, len - used) == -1)
		end(s, ENOMEM);
}

static void receive(struct stream *s)
{
	size_t kept = fetch_rest(s);
	size_t room = LOOP_SCRATCH_SIZE - kept;
	ssize_t n = -1;
	int error = EAGAIN;

	if (room > LOOP_READ_SIZE)
		room = LOOP_READ_SIZE;
	if (room > 0) {
		n = recv(s->fd, s->loop->scratch + kept, room, 0);
		error = n == -1 ? errno : 0;
	} else {
		/* The owner lets it pile up: no more until it resumes. */
		stream_pause(s);
	}
	if (n > 0) {
		deliver(s, kept + (size_t)n);
		return;
	}
	if (keep_rest(s, s->loop->scratch, kept) == -1)
		error = ENOMEM;
	if (error != EAGAIN && error != EINTR)
		end(s, error);
}

static void readable_cb(evutil_socket_t fd, short what, void *arg)
{
	struct stream *s = arg;

	(void)fd;
	loop_wake(s->loop);
	/* EV_TIMEOUT is how stream_again asks: there is a rest, but nothing new. EV_SIGNAL is how
	 * stream_resume tells that it failed. */
	if (what & EV_SIGNAL)
		end(s, ENOMEM);
	else if (what & EV_READ)
		receive(s);
	else if (s->rest != NULL)
		deliver(s, fetch_rest(s));
}

static void end_sending(struct stream *s)
{
	s->finishing = false;
	s->finished = true;
	/* A peer that is gone already needs no end. */
	(void)shutdown(s->fd, SHUT_WR);
}

static void drop_buffer(struct stream *s)
{
	if (s->buffer != NULL)
		bufferevent_free(s->buffer);
	s->buffer = NULL;
}

static void written_cb(struct bufferevent *buffer, void *arg)
{
	struct stream *s = arg;

	(void)buffer;
	/* A unix socket can connect so fast that this comes before the connection is announced. */
	if (s->connecting)
		return;
	loop_wake(s->loop);
	if (stream_backlog(s) == 0) {
		drop_buffer(s);
		if (s->finishing)
			end_sending(s);
	}
	s->events->drained(s);
}

static void connected(struct stream *s)
{
	s->connecting = false;
	if (!s->paused && event_add(&s->readable, NULL) == -1) {
		end(s, ENOMEM);
		return;
	}
	s->events->connected(s);
}

static void event_cb(struct bufferevent *buffer, short what, void *arg)
{
	struct stream *s = arg;
	int error = errno;

	(void)buffer;
	loop_wake(s->loop);
	if (what & BEV_EVENT_CONNECTED) {
		connected(s);
		return;
	}
	if (s->connecting) {
		end(s, error != 0 ? error : ECONNREFUSED);
		return;
	}
	/* The peer takes nothing any more. What it still sends, an early answer perhaps, is read
	 * first: the reading side tells of the end. */
	s->broken = true;
	drop_buffer(s);
	s->events->drained(s);
}

static int make_buffer(struct stream *s)
{
	s->buffer = bufferevent_socket_new(s->loop->base, s->fd, 0);
	if (s->buffer == NULL)
		return -1;
	bufferevent_setcb(s->buffer, NULL, written_cb, event_cb, s);
	bufferevent_setwatermark(s->buffer, EV_WRITE, STREAM_BACKLOG_LOW, 0);
	return bufferevent_set_max_single_write(s->buffer, WRITE_MAX);
}

static int init(struct stream *s, struct loop *loop, const struct stream_events *events, int fd)
{
	s->buffer = NULL;
	s->rest = NULL;
	s->loop = loop;
	s->events = events;
	s->fd = fd;
	s->connecting = false;
	s->delivering = false;
	s->paused = false;
	s->ended = false;
	s->broken = false;
	s->finishing = false;
	s->finished = false;
	return event_assign(&s->readable, loop->base, fd, EV_READ | EV_PERSIST, readable_cb, s);
}

int stream_open(struct stream *s, struct loop *loop, const struct stream_events *events, int fd)
{
	if (init(s, loop, events, fd) == 0 && event_add(&s->readable, NULL) == 0)
		return 0;
	s->fd = -1;
	return -1;
}

static int connect_socket(const struct address *to)
{
	int on = 1;
	int fd = socket(to->u.sa.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd != -1 && to->u.sa.sa_family != AF_UNIX &&
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) == -1)
		fd_close(&fd);
	return fd;
}

int stream_connect(struct stream *s, struct loop *loop, const struct stream_events *events,
	const struct address *to)
{
	int fd = connect_socket(to);
	int error;

	if (fd == -1) {
		s->fd = -1;
		return -1;
	}
	errno = ENOMEM;
	if (init(s, loop, events, fd) == -1 || make_buffer(s) == -1)
		goto fail;
	s->connecting = true;
	if (bufferevent_socket_connect(s->buffer, &to->u.sa, (int)to->len) == 0)
		return 0;
fail:
	error = errno;
	stream_close(s);
	errno = error;
	return -1;
}

void stream_close(struct stream *s)
{
	if (!stream_is_open(s))
		return;
	/* Events go before the descriptor: epoll forgets a socket only when its last duplicate is
	 * closed. */
	event_del(&s->readable);
	drop_buffer(s);
	drop_rest(s);
	fd_close(&s->fd);
}

void stream_reset(struct stream *s)
{
	struct linger none = { .l_onoff = 1 };

	if (!stream_is_open(s))
		return;
	(void)setsockopt(s->fd, SOL_SOCKET, SO_LINGER, &none, sizeof none);
	stream_close(s);
}

/* Copies what follows the first `skip` bytes of the pieces into the backlog. */
static int queue(struct stream *s, const struct iovec *pieces, int count, size_t skip)
{
	struct evbuffer *out;

	if (s->buffer == NULL && make_buffer(s) == -1)
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
	return 0;
}

static size_t total_of(const struct iovec *pieces, int count)
{
	size_t total = 0;

	for (int i = 0; i < count; i++)
		total += pieces[i].iov_len;
	return total;
}

/* How much of the pieces the socket took at once. */
static size_t write_now(struct stream *s, const struct iovec *pieces, int count)
{
	ssize_t n;

	if (count == 1)
		n = send(s->fd, pieces[0].iov_base, pieces[0].iov_len, MSG_NOSIGNAL);
	else
		n = sendmsg(s->fd,
			&(struct msghdr){
				.msg_iov = (struct iovec *)pieces, .msg_iovlen = (size_t)count },
			MSG_NOSIGNAL);
	if (n >= 0)
		return (size_t)n;
	if (errno != EAGAIN && errno != EINTR)
		s->broken = true;
	return 0;
}

int stream_write(struct stream *s, const struct iovec *pieces, int count)
{
	size_t sent;

	if (s->broken)
		return 0;
	if (s->buffer != NULL)
		return queue(s, pieces, count, 0);
	sent = write_now(s, pieces, count);
	if (s->broken || sent == total_of(pieces, count))
		return 0;
	return queue(s, pieces, count, sent);
}

void stream_finish(struct stream *s)
{
	if (!stream_is_open(s) || s->finished)
		return;
	if (s->connecting || stream_backlog(s) > 0)
		s->finishing = true;
	else
		end_sending(s);
}

size_t stream_backlog(const struct stream *s)
{
	return s->buffer != NULL ? evbuffer_get_length(bufferevent_get_output(s->buffer)) : 0;
}

size_t stream_rest(const struct stream *s)
{
	return s->rest != NULL ? evbuffer_get_length(s->rest) : 0;
}

void stream_pause(struct stream *s)
{
	if (s->paused || !stream_is_open(s))
		return;
	s->paused = true;
	event_del(&s->readable);
}

void stream_resume(struct stream *s)
{
	if (!s->paused || !stream_is_open(s))
		return;
	s->paused = false;
	if (!s->ended && !s->connecting && event_add(&s->readable, NULL) == -1)
		event_active(&s->readable, EV_SIGNAL, 1);
	if (s->rest != NULL)
		stream_again(s);
}

void stream_again(struct stream *s)
{
	if (stream_is_open(s))
		event_active(&s->readable, EV_TIMEOUT, 1);
}
