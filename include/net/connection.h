/*
 * A connection is one connected socket with its buffers. Bytes go straight from and to the socket
 * where they can. A libevent bufferevent stands in while the connection is being made, and while
 * the peer does not take what was written. A connection at rest holds no buffer.
 * The owner embeds the struct and gives it callbacks. It never frees the struct inside one of them:
 * it closes it and defers the free (loop_defer_free).
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

/* Back-pressure: code that writes into a connection stops reading the source of those bytes while
 * connection_is_full, and reads on when `drained` was called and it is not full any more. */
#define CONNECTION_BACKLOG_HIGH ((size_t)32 * 1024)
#define CONNECTION_BACKLOG_LOW  ((size_t)16 * 1024)

struct connection;

struct connection_events {
	enum pulse_activity reading; /* what the process shows it does while it reads */
	/* Bytes are here: those that the last call left, and newer ones. Returns how many are done
	 * with. The others come again with the next bytes, or after connection_again. */
	size_t (*received)(struct connection *c, const char *data, size_t len);
	/* The backlog fell, and is CONNECTION_BACKLOG_LOW or less now. */
	void (*drained)(struct connection *c);
	/* The connection that connection_connect began is there. */
	void (*connected)(struct connection *c);
	/* The peer ended its sending side (error 0), or the connection failed (an errno). Never
	 * after connection_close. A second time only if connection_again asks for bytes that are
	 * gone. */
	void (*ended)(struct connection *c, int error);
	/* Instead of `received` while `splices` is set: connection_splice.h. False: read as usual.
	 */
	bool (*splice)(struct connection *c);
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
	bool paused : 1;       /* not read: by connection_pause */
	bool resting : 1;      /* not watched yet: connection_watch */
	bool full : 1;         /* the last read filled its room: more may be there */
	bool low_priority : 1; /* the owner's: its message comes in small pieces */
	bool splices : 1;      /* the owner's: what comes may go on unseen */
	bool cork : 1;      /* the owner's: what is written goes out with the end, which is near */
	bool ended : 1;     /* `ended` was called, or nothing is to be read any more */
	bool broken : 1;    /* writing failed: what is written is dropped, reading may go on */
	bool finishing : 1; /* the sending side is to be ended when the backlog is empty */
	bool finished : 1;  /* it was ended */
};

/* Takes over the connected, non-blocking `fd`. connection_look reads it once, now. Otherwise it is
 * not read before connection_watch: an answer that comes at once spares the kernel the watching. */
void connection_open(
	struct connection *c, struct loop *loop, const struct connection_events *events, int fd);
void connection_look(struct connection *c);
void connection_watch(struct connection *c);

/* Begins to connect to `to`. What is written before `connected` is sent then. Returns 0, or -1 with
 * errno if it failed at once (no callback follows). */
int connection_connect(struct connection *c, struct loop *loop,
	const struct connection_events *events, const struct address *to)
	__attribute__((warn_unused_result));

/* Closes it; resets it, for messages that must not look complete. Harmless when closed. */
void connection_close(struct connection *c);
void connection_reset(struct connection *c);

/* Sends the bytes. What the socket does not take now is copied and sent later. A peer that is gone
 * is no error here: `ended` tells of it. Returns 0, or -1 when memory is short: then a part may be
 * missing, nothing more is sent, and the connection is of no use. */
int connection_write(struct connection *c, const struct iovec *pieces, int count)
	__attribute__((warn_unused_result));

/* Ends the sending side when everything written is out. */
void connection_finish(struct connection *c);

/* Bytes written that the socket has not taken yet; whether they are more than
 * CONNECTION_BACKLOG_HIGH, or than the share of one connection (loop_share). */
size_t connection_count_backlog(const struct connection *c);
static inline size_t connection_backlog(const struct connection *c)
{
	return c->buffer != NULL ? connection_count_backlog(c) : 0;
}
bool connection_is_full(const struct connection *c);

/* The backlog and what the kernel still holds; 0 without a backlog. It falls with each byte that
 * the peer takes; the socket takes more only when much is free. Costs a system call. */
size_t connection_unsent(const struct connection *c);

/* Bytes that `received` left; whether the socket has more, or its end, behind them; whether there
 * is neither. */
size_t connection_count_rest(const struct connection *c);
static inline size_t connection_rest(const struct connection *c)
{
	return c->rest != NULL ? connection_count_rest(c) : 0;
}
bool connection_has_more(const struct connection *c);
bool connection_is_quiet(const struct connection *c);

/* Whether bytes or an end may be in the socket that the owner was not told of in this turn of the
 * loop: an event is about to be called, or the batch of the kernel was not whole (batch.h). Costs
 * no system call. */
bool connection_has_news(const struct connection *c);

enum connection_next {
	CONNECTION_QUIET, /* neither bytes nor an end */
	CONNECTION_BYTES,
	CONNECTION_END, /* orderly, or an error */
};

/* Looks what the owner gets next: bytes that were left, or what is in the socket. A system call. */
enum connection_next connection_peek(const struct connection *c);

/* Stops and resumes reading; has `received` called soon, with what it left, if anything. */
void connection_pause(struct connection *c);
void connection_resume(struct connection *c);
void connection_again(struct connection *c);

static inline bool connection_is_open(const struct connection *c)
{
	return c->fd != -1;
}

#endif
