/*
 * Moves bytes between a socket and its owner. The common path is recv(2) into the loop's scratch
 * buffer and writev(2) from wherever the bytes lie: no copy, no allocation, and no change of what
 * epoll watches. It knows nothing of HTTP.
 */
#include "config.h"

#include "net/connection.h"

#include <assert.h>
#include <errno.h>
#include <event2/buffer.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/fd.h"
#include "connection_write.h"
#include "pace.h"

static void stop_reading(struct connection *c)
{
	event_del(&c->readable);
	c->ended = true;
}

void connection_end(struct connection *c, int error)
{
	assert(connection_is_open(c));
	stop_reading(c);
	c->events->ended(c, error);
}

/* When the owner calls connection_again within `received`, it gets the rest from where it lies, at
 * most so many times in a turn of the loop. */
#define ROUNDS_MAX 16

/* Keeps the `len` bytes at `data`, which the owner left in the scratch buffer. */
static int keep_rest(struct connection *c, const char *data, size_t len)
{
	if (len == 0)
		return 0;
	/* What there was of it lies in front of these bytes. */
	assert(c->rest == NULL);
	c->rest = evbuffer_new();
	if (c->rest == NULL || evbuffer_add(c->rest, data, len) == -1)
		return -1;
	c->loop->buffered += len;
	return 0;
}

static void drop_rest(struct connection *c)
{
	if (c->rest == NULL)
		return;
	loop_uncount(c->loop, c->rest);
	evbuffer_free(c->rest);
	c->rest = NULL;
}

/* Moves the rest, which there must be, to the front of the scratch buffer and returns its length.
 */
static size_t fetch_rest(struct connection *c)
{
	size_t len = evbuffer_get_length(c->rest);

	assert(len <= LOOP_SCRATCH_SIZE);
	evbuffer_copyout(c->rest, c->loop->scratch, len);
	drop_rest(c);
	return len;
}

/* Hands the owner the first `len` bytes of the scratch buffer. */
static void deliver(struct connection *c, size_t len)
{
	const char *data = c->loop->scratch;
	size_t used;

	for (int round = 0; round < ROUNDS_MAX; round++) {
		c->again = false;
		c->delivering = true;
		used = c->events->received(c, data, len);
		c->delivering = false;
		if (!connection_is_open(c))
			return;
		assert(used <= len);
		data += used;
		len -= used;
		if (len == 0 || used == 0 || !c->again || c->paused)
			break;
	}
	if (keep_rest(c, data, len) == -1)
		connection_end(c, ENOMEM);
	else if (c->again)
		connection_again(c);
}

/* Reading goes on by this much even when all buffers are full: the owner may take the bytes at
 * once. */
#define READ_LEAST ((size_t)4 * 1024)

static size_t read_size(const struct connection *c)
{
	size_t share = loop_share(c->loop, LOOP_READ_SIZE);

	return share > READ_LEAST ? share : READ_LEAST;
}

static void receive(struct connection *c)
{
	size_t kept = c->rest != NULL ? fetch_rest(c) : 0;
	size_t room = LOOP_SCRATCH_SIZE - kept;
	size_t most = read_size(c);
	ssize_t n = -1;
	int error = EAGAIN;

	if (room > most)
		room = most;
	if (room > 0) {
		n = recv(c->fd, c->loop->scratch + kept, room, 0);
		error = n == -1 ? errno : 0;
		c->full = n == (ssize_t)room;
	} else {
		/* The owner left so much that nothing more fits: read no more until it resumes. */
		connection_pause(c);
	}
	if (n > 0) {
		deliver(c, kept + (size_t)n);
		return;
	}
	if (keep_rest(c, c->loop->scratch, kept) == -1)
		error = ENOMEM;
	if (error != EAGAIN && error != EINTR)
		connection_end(c, error);
}

/* Reads in the way that the owner chose: splices or copies. */
static void take_in(struct connection *c)
{
	if (!c->splices || !c->events->splice(c))
		receive(c);
}

static void deliver_rest(struct connection *c)
{
	if (c->rest != NULL)
		deliver(c, fetch_rest(c));
	else if (c->ended)
		c->events->ended(c, 0);
}

static void readable_cb(evutil_socket_t fd, short what, void *arg)
{
	struct connection *c = arg;

	c->loop->batch.told += what == EV_READ;
	loop_begin(c->loop, c->events->reading, fd);
	/* EV_TIMEOUT comes from connection_again: there is a rest, but nothing new. EV_SIGNAL comes
	 * from begin_reading, which failed. */
	if (what & EV_SIGNAL)
		connection_end(c, ENOMEM);
	else if (what & EV_TIMEOUT) /* first: the end may follow the new bytes */
		deliver_rest(c);
	else if (!c->low_priority ||
		 loop_grants_low_priority(c->loop)) /* else epoll tells of it again */
		take_in(c);
}

void connection_connected(struct connection *c)
{
	assert(c->connecting && connection_is_open(c));
	c->connecting = false;
	if (!c->paused && event_add(&c->readable, NULL) == -1) {
		connection_end(c, ENOMEM);
		return;
	}
	c->events->connected(c);
}

static int init(
	struct connection *c, struct loop *loop, const struct connection_events *events, int fd)
{
	c->buffer = NULL;
	c->rest = NULL;
	c->loop = loop;
	c->events = events;
	c->fd = fd;
	c->connecting = false;
	c->delivering = false;
	c->again = false;
	c->paused = false;
	c->resting = false;
	c->full = false;
	c->low_priority = false;
	c->splices = false;
	c->cork = false;
	c->ended = false;
	c->broken = false;
	c->finishing = false;
	c->finished = false;
	return event_assign(&c->readable, loop->base, fd, EV_READ | EV_PERSIST, readable_cb, c);
}

void connection_open(
	struct connection *c, struct loop *loop, const struct connection_events *events, int fd)
{
	assert(fd >= 0);
	/* It fails only for a bad descriptor or a bad kind of event. */
	(void)init(c, loop, events, fd);
	c->resting = true;
}

void connection_look(struct connection *c)
{
	assert(c->resting && connection_is_open(c));
	readable_cb(c->fd, 0, c); /* 0: the kernel has not told of it */
}

/* When memory is short, readable_cb ends the connection soon. */
static void begin_reading(struct connection *c)
{
	assert(!c->paused && !c->resting);
	if (!c->ended && !c->connecting && event_add(&c->readable, NULL) == -1)
		event_active(&c->readable, EV_SIGNAL, 1);
}

void connection_watch(struct connection *c)
{
	if (!c->resting || !connection_is_open(c))
		return;
	c->resting = false;
	begin_reading(c);
}

static int connect_socket(const struct address *to)
{
	int on = 1;
	int fd = socket(to->u.sa.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd != -1 && !address_is_unix(to) &&
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) == -1)
		fd_close(&fd);
	if (fd != -1)
		pace_spare(fd, to);
	return fd;
}

int connection_connect(struct connection *c, struct loop *loop,
	const struct connection_events *events, const struct address *to)
{
	int fd = connect_socket(to);
	int error;

	if (fd == -1) {
		c->fd = -1;
		return -1;
	}
	errno = ENOMEM;
	if (init(c, loop, events, fd) == -1 || connection_make_buffer(c) == -1)
		goto fail;
	c->connecting = true;
	if (bufferevent_socket_connect(c->buffer, &to->u.sa, (int)to->len) == 0)
		return 0;
fail:
	error = errno;
	connection_close(c);
	errno = error;
	return -1;
}

void connection_close(struct connection *c)
{
	if (!connection_is_open(c))
		return;
	/* Events go before the descriptor: epoll forgets a socket only when its last duplicate is
	 * closed. */
	event_del(&c->readable);
	connection_drop_buffer(c);
	drop_rest(c);
	fd_close(&c->fd);
}

void connection_reset(struct connection *c)
{
	struct linger none = { .l_onoff = 1 };

	if (!connection_is_open(c))
		return;
	(void)setsockopt(c->fd, SOL_SOCKET, SO_LINGER, &none, sizeof none);
	connection_close(c);
}

size_t connection_count_rest(const struct connection *c)
{
	return evbuffer_get_length(c->rest);
}

void connection_pause(struct connection *c)
{
	if (c->paused || !connection_is_open(c))
		return;
	c->paused = true;
	c->resting = false;
	event_del(&c->readable);
}

void connection_resume(struct connection *c)
{
	if (!c->paused || !connection_is_open(c))
		return;
	c->paused = false;
	begin_reading(c);
	if (c->rest != NULL || c->ended)
		connection_again(c);
}

void connection_again(struct connection *c)
{
	c->again = true;
	if (connection_is_open(c) && !c->delivering)
		event_active(&c->readable, EV_TIMEOUT, 1);
}
