/*
 * A connection is one connected socket with its buffers. Bytes go straight from and to the socket
 * where they can; a libevent bufferevent stands in where not: while a connection is being made, and
 * while the other side does not take what was written. A connection at rest holds no buffer. The
 * owner embeds the struct, gives it callbacks, and never frees it inside one of them: it closes it
 * and lets the loop free_deferred it (loop_defer_free).
 */
#ifndef TINYLB_NET_CONNECTION_H
#define TINYLB_NET_CONNECTION_H

#include <event2/bufferevent.h>
#include <event2/event_struct.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

#include "net/address.h"
#include "net/loop.h"

/* Back-pressure: whoever writes into a connection stops reading its source when connection_is_full,
 * and reads on when `drained` is called and it is not full any more. */
#define CONNECTION_BACKLOG_HIGH ((size_t)32 * 1024)
#define CONNECTION_BACKLOG_LOW  ((size_t)16 * 1024)

struct connection;

struct connection_events {
	enum pulse_activity reading; /* what the process shows it does while it reads */
	/*
	 * Bytes are here: those that the last call left and what has come since. Returns how many
	 * are done with; the rest is kept and comes again with the next bytes, or after
	 * connection_again.
	 */
	size_t (*received)(struct connection *connection, const char *data, size_t len);
	/* The backlog fell, and is CONNECTION_BACKLOG_LOW or less now. */
	void (*drained)(struct connection *connection);
	/* The connection that connection_connect began is there. */
	void (*connected)(struct connection *connection);
	/* The peer ended its sending side (error 0), or the connection failed (an errno). Not after
	 * connection_close; a second time only where connection_again asks for a rest that is gone.
	 */
	void (*ended)(struct connection *connection, int error);
	/* Where `splices` is set, instead of `received`: flow.h. False: it is to be read as usual.
	 */
	bool (*splice)(struct connection *connection);
};

struct connection {
	struct event readable;
	struct bufferevent *buffer; /* owned; NULL while nothing waits to be written */
	struct evbuffer *rest;      /* owned; what `received` left; NULL mostly */
	struct loop *loop;          /* borrowed */
	const struct connection_events *events;
	int fd; /* owned; -1: closed */
	bool connecting : 1;
	bool again : 1;        /* connection_again was called while it runs */
	bool delivering : 1;   /* `received` is running */
	bool paused : 1;       /* not reading: by connection_pause */
	bool resting : 1;      /* not watched yet: connection_watch */
	bool full : 1;         /* the last read took all that one may: there can be more */
	bool low_priority : 1; /* the owner's: its message comes in small pieces; others go first */
	bool splices : 1;      /* the owner's: what comes may go on unseen */
	bool cork : 1;         /* the owner's: what is written goes with the end, which is near */
	bool ended : 1;        /* `ended` was called, or nothing is to be read any more */
	bool broken : 1;       /* writing failed: what is written is dropped, reading may go on */
	bool finishing : 1;    /* the sending side is to be ended when the backlog is empty */
	bool finished : 1;     /* it was */
};

/* Takes over the connected, non-blocking `fd`. Nothing is read of it but by connection_look, now
 * and once, until connection_watch: where nothing more is expected the kernel is spared the
 * watching. */
void connection_open(struct connection *connection, struct loop *loop,
	const struct connection_events *events, int fd);
void connection_look(struct connection *connection);
void connection_watch(struct connection *connection);

/* Begins to connect to `to`. What is written before `connected` is sent then. Returns 0, or -1 with
 * errno where it failed at once (no callback follows). */
int connection_connect(struct connection *connection, struct loop *loop,
	const struct connection_events *events, const struct address *to)
	__attribute__((warn_unused_result));

/* Closes it, or resets it where a message must not look complete. Harmless when closed. */
void connection_close(struct connection *connection);
void connection_reset(struct connection *connection);

/* Sends the bytes: what the socket does not take now is copied and sent later. A peer that no
 * longer takes anything is not an error here: `ended` tells of it in its time. Returns 0, or -1
 * when memory is short: a part may be missing then, nothing more is sent, and the connection is of
 * no use. */
int connection_write(struct connection *connection, const struct iovec *pieces, int count)
	__attribute__((warn_unused_result));

/* Ends the sending side when everything written is out. */
void connection_finish(struct connection *connection);

/* Bytes written that the socket has not taken yet; whether that is more than
 * CONNECTION_BACKLOG_HIGH, or than its share (loop_share). */
size_t connection_backlog(const struct connection *connection);
bool connection_is_full(const struct connection *connection);

/* The backlog and what the kernel still holds, where there is a backlog; else 0. It falls with each
 * byte that the peer takes; the socket takes more only when much is free. Costs a system call. */
size_t connection_unsent(const struct connection *connection);

/* Bytes that `received` left; whether more is in the socket, or its end, behind what it has been
 * given; whether there is neither. */
size_t connection_rest(const struct connection *connection);
bool connection_has_more(const struct connection *connection);
bool connection_is_quiet(const struct connection *connection);

/* Stops and resumes reading; has `received` called soon, with what it left if anything. */
void connection_pause(struct connection *connection);
void connection_resume(struct connection *connection);
void connection_again(struct connection *connection);

static inline bool connection_is_open(const struct connection *connection)
{
	return connection->fd != -1;
}

#endif
