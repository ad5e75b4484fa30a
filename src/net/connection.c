/*
 * Moves bytes between a socket and its owner. The common path is recv(2) into the loop's scratch
 * buffer and writev(2) from wherever the bytes lie: no copy, no allocation, and no change of what
 * epoll watches. It knows nothing of HTTP.
 */
#include "config.h"

#include "net/connection.h"

#include <errno.h>
#include <event2/buffer.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/fd.h"
#include "connection_write.h"
#include "pace.h"

static void stop_reading(struct connection *s)
{
	event_del(&s->readable);
	s->ended = true;
}

void connection_end(struct connection *s, int error)
{
	stop_reading(s);
	s->events->ended(s, error);
}

/* An owner that asks for the rest again while it is being given some gets it from where it lies, so
 * many times in a turn of the loop. */
#define ROUNDS_MAX 16

/* Keeps what the owner left of `len` bytes in the scratch buffer. */
static int keep_rest(struct connection *s, const char *data, size_t len)
{
	if (len == 0)
		return 0;
	if (s->rest == NULL)
		s->rest = evbuffer_new();
	if (s->rest == NULL || evbuffer_add(s->rest, data, len) == -1)
		return -1;
	s->loop->buffered += len;
	return 0;
}

static void drop_rest(struct connection *s)
{
	if (s->rest == NULL)
		return;
	loop_uncount(s->loop, s->rest);
	evbuffer_free(s->rest);
	s->rest = NULL;
}

/* Moves the rest, which there must be, to the front of the scratch buffer and returns its length.
 */
static size_t fetch_rest(struct connection *s)
{
	size_t len = evbuffer_get_length(s->rest);

	evbuffer_copyout(s->rest, s->loop->scratch, len);
	drop_rest(s);
	return len;
}

/* Hands the owner the first `len` bytes of the scratch buffer. */
static void deliver(struct connection *s, size_t len)
{
	const char *data = s->loop->scratch;
	size_t used;

	for (int round = 0; round < ROUNDS_MAX; round++) {
		s->again = false;
		s->delivering = true;
		used = s->events->received(s, data, len);
		s->delivering = false;
		if (!connection_is_open(s))
			return;
		data += used;
		len -= used;
		if (len == 0 || used == 0 || !s->again || s->paused)
			break;
	}
	if (keep_rest(s, data, len) == -1)
		connection_end(s, ENOMEM);
	else if (s->again)
		connection_again(s);
}

/* Even where all buffers are full, reading goes on by this much: what is read may be taken at once.
 */
#define READ_LEAST ((size_t)4 * 1024)

static size_t read_size(const struct connection *s)
{
	size_t share = loop_share(s->loop, LOOP_READ_SIZE);

	return share > READ_LEAST ? share : READ_LEAST;
}

static void receive(struct connection *s)
{
	size_t kept = s->rest != NULL ? fetch_rest(s) : 0;
	size_t room = LOOP_SCRATCH_SIZE - kept;
	size_t most = read_size(s);
	ssize_t n = -1;
	int error = EAGAIN;

	if (room > most)
		room = most;
	if (room > 0) {
		n = recv(s->fd, s->loop->scratch + kept, room, 0);
		error = n == -1 ? errno : 0;
		s->full = n == (ssize_t)room;
	} else {
		/* The owner lets it pile up: no more until it resumes. */
		connection_pause(s);
	}
	if (n > 0) {
		deliver(s, kept + (size_t)n);
		return;
	}
	if (keep_rest(s, s->loop->scratch, kept) == -1)
		error = ENOMEM;
	if (error != EAGAIN && error != EINTR)
		connection_end(s, error);
}

/* What comes goes the way that the owner chose for it. */
static void take_in(struct connection *s)
{
	if (!s->splices || !s->events->splice(s))
		receive(s);
}

static void deliver_rest(struct connection *s)
{
	if (s->rest != NULL)
		deliver(s, fetch_rest(s));
	else if (s->ended)
		s->events->ended(s, 0);
}

static void readable_cb(evutil_socket_t fd, short what, void *arg)
{
	struct connection *s = arg;

	loop_begin(s->loop, s->events->reading, fd);
	/* EV_TIMEOUT is how connection_again asks: there is a rest, but nothing new. EV_SIGNAL is
	 * how connection_resume tells that it failed. */
	if (what & EV_SIGNAL)
		connection_end(s, ENOMEM);
	else if (what & EV_TIMEOUT) /* first: behind what is new there may be the end */
		deliver_rest(s);
	else if (!s->low_priority ||
		 loop_grants_low_priority(s->loop)) /* else epoll tells of it again */
		take_in(s);
}

void connection_connected(struct connection *s)
{
	s->connecting = false;
	if (!s->paused && event_add(&s->readable, NULL) == -1) {
		connection_end(s, ENOMEM);
		return;
	}
	s->events->connected(s);
}

static int init(
	struct connection *s, struct loop *loop, const struct connection_events *events, int fd)
{
	s->buffer = NULL;
	s->rest = NULL;
	s->loop = loop;
	s->events = events;
	s->fd = fd;
	s->connecting = false;
	s->delivering = false;
	s->again = false;
	s->paused = false;
	s->resting = false;
	s->full = false;
	s->low_priority = false;
	s->splices = false;
	s->cork = false;
	s->ended = false;
	s->broken = false;
	s->finishing = false;
	s->finished = false;
	return event_assign(&s->readable, loop->base, fd, EV_READ | EV_PERSIST, readable_cb, s);
}

void connection_open(
	struct connection *s, struct loop *loop, const struct connection_events *events, int fd)
{
	/* It fails only for a descriptor or a kind of event that there is not. */
	(void)init(s, loop, events, fd);
	s->resting = true;
}

void connection_look(struct connection *s)
{
	readable_cb(s->fd, EV_READ, s);
}

/* Where memory is short the connection ends soon. */
static void begin_reading(struct connection *s)
{
	if (!s->ended && !s->connecting && event_add(&s->readable, NULL) == -1)
		event_active(&s->readable, EV_SIGNAL, 1);
}

void connection_watch(struct connection *s)
{
	if (!s->resting || !connection_is_open(s))
		return;
	s->resting = false;
	begin_reading(s);
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

int connection_connect(struct connection *s, struct loop *loop,
	const struct connection_events *events, const struct address *to)
{
	int fd = connect_socket(to);
	int error;

	if (fd == -1) {
		s->fd = -1;
		return -1;
	}
	errno = ENOMEM;
	if (init(s, loop, events, fd) == -1 || connection_make_buffer(s) == -1)
		goto fail;
	s->connecting = true;
	if (bufferevent_socket_connect(s->buffer, &to->u.sa, (int)to->len) == 0)
		return 0;
fail:
	error = errno;
	connection_close(s);
	errno = error;
	return -1;
}

void connection_close(struct connection *s)
{
	if (!connection_is_open(s))
		return;
	/* Events go before the descriptor: epoll forgets a socket only when its last duplicate is
	 * closed. */
	event_del(&s->readable);
	connection_drop_buffer(s);
	drop_rest(s);
	fd_close(&s->fd);
}

void connection_reset(struct connection *s)
{
	struct linger none = { .l_onoff = 1 };

	if (!connection_is_open(s))
		return;
	(void)setsockopt(s->fd, SOL_SOCKET, SO_LINGER, &none, sizeof none);
	connection_close(s);
}

size_t connection_rest(const struct connection *s)
{
	return s->rest != NULL ? evbuffer_get_length(s->rest) : 0;
}

static bool has_unread(const struct connection *s)
{
	char next;

	return recv(s->fd, &next, 1, MSG_PEEK) != -1 || errno != EAGAIN;
}

bool connection_has_more(const struct connection *s)
{
	return s->full && has_unread(s);
}

bool connection_is_quiet(const struct connection *s)
{
	return connection_rest(s) == 0 && !has_unread(s);
}

void connection_pause(struct connection *s)
{
	if (s->paused || !connection_is_open(s))
		return;
	s->paused = true;
	s->resting = false;
	event_del(&s->readable);
}

void connection_resume(struct connection *s)
{
	if (!s->paused || !connection_is_open(s))
		return;
	s->paused = false;
	begin_reading(s);
	if (s->rest != NULL || s->ended)
		connection_again(s);
}

void connection_again(struct connection *s)
{
	s->again = true;
	if (connection_is_open(s) && !s->delivering)
		event_active(&s->readable, EV_TIMEOUT, 1);
}
