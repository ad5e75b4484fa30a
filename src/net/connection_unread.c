/* What is in a socket and has not been read yet: by a look, and as far as libevent knows. */
#include "config.h"

#include <assert.h>
#include <errno.h>
#include <sys/socket.h>

#include "net/connection.h"

static enum connection_next peek(const struct connection *c)
{
	char next;
	ssize_t n;

	assert(connection_is_open(c));
	n = recv(c->fd, &next, 1, MSG_PEEK);
	if (n == -1 && errno == EAGAIN)
		return CONNECTION_QUIET;
	return n > 0 ? CONNECTION_BYTES : CONNECTION_END;
}

bool connection_has_more(const struct connection *c)
{
	return c->full && peek(c) != CONNECTION_QUIET;
}

enum connection_next connection_peek(const struct connection *c)
{
	return connection_rest(c) > 0 ? CONNECTION_BYTES : peek(c);
}

bool connection_is_quiet(const struct connection *c)
{
	return connection_peek(c) == CONNECTION_QUIET;
}

bool connection_has_news(const struct connection *c)
{
	return (c->readable.ev_evcallback.evcb_flags & EVLIST_ACTIVE) != 0 ||
	       !batch_is_whole(&c->loop->batch, c->loop->base);
}
