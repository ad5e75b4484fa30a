/*
 * A stream is one connected socket with its buffers. Bytes go straight from and to the socket where
 * they can; a libevent bufferevent stands in where not: while a connection is being made, and while
 * the other side does not take what was written. A stream at rest holds no buffer.
 * The owner embeds the struct, gives it callbacks, and never frees it inside one of them: it closes
 * it and lets the loop bury it (loop_mourn).
 */
#ifndef TINYLB_NET_STREAM_H
#define TINYLB_NET_STREAM_H

#include <event2/bufferevent.h>
#include <event2/event_struct.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

#include "net/address.h"
#include "net/loop.h"

/* Back-pressure: whoever writes into a stream stops reading its source when stream_is_full, and
 * reads on when `drained` is called and it is not full any more. */
#define STREAM_BACKLOG_HIGH ((size_t)32 * 1024)
#define STREAM_BACKLOG_LOW  ((size_t)16 * 1024)

struct stream;

struct stream_events {
	enum pulse_activity reading; /* what the process shows it does while it reads */
	/*
	 * Bytes are here: those that the last call left and what has come since. Returns how many
	 * are done with; the rest is kept and comes again with the next bytes, or after
	 * stream_again.
	 */
	size_t (*received)(struct stream *stream, const char *data, size_t len);
	/* The backlog fell, and is STREAM_BACKLOG_LOW or less now. */
	void (*drained)(struct stream *stream);
	/* The connection that stream_connect began is there. */
	void (*connected)(struct stream *stream);
	/* The peer ended its sending side (error 0), or the connection failed (an errno). Not after
	 * stream_close; a second time only where stream_again asks for a rest that is gone. */
	void (*ended)(struct stream *stream, int error);
	/* Where `flows` is set, instead of `received`: flow.h. False: it is to be read as usual. */
	bool (*flow)(struct stream *stream);
};

struct stream {
	struct event readable;
	struct bufferevent *buffer; /* owned; NULL while nothing waits to be written */
	struct evbuffer *rest;      /* owned; what `received` left; NULL mostly */
	struct loop *loop;          /* borrowed */
	const struct stream_events *events;
	int fd; /* owned; -1: closed */
	bool connecting : 1;
	bool again : 1;      /* stream_again was called while it runs */
	bool delivering : 1; /* `received` is running */
	bool paused : 1;     /* not reading: by stream_pause */
	bool resting : 1;    /* not watched yet: stream_watch */
	bool full : 1;       /* the last read took all that one may: there can be more */
	bool trickles : 1;   /* the owner's: its message comes in small pieces; others go first */
	bool flows : 1;      /* the owner's: what comes may go on unseen */
	bool parting : 1;    /* the owner's: what is written goes with the end, which is near */
	bool ended : 1;      /* `ended` was called, or nothing is to be read any more */
	bool broken : 1;     /* writing failed: what is written is dropped, reading may go on */
	bool finishing : 1;  /* the sending side is to be ended when the backlog is empty */
	bool finished : 1;   /* it was */
};

/* Takes over the connected, non-blocking `fd`. Nothing is read of it but by stream_look, now and
 * once, until stream_watch: where nothing more is expected the kernel is spared the watching. */
void stream_open(
	struct stream *stream, struct loop *loop, const struct stream_events *events, int fd);
void stream_look(struct stream *stream);
void stream_watch(struct stream *stream);

/* Begins to connect to `to`. What is written before `connected` is sent then. Returns 0, or -1 with
 * errno where it failed at once (no callback follows). */
int stream_connect(struct stream *stream, struct loop *loop, const struct stream_events *events,
	const struct address *to) __attribute__((warn_unused_result));

/* Closes it, or resets it where a message must not look complete. Harmless when closed. */
void stream_close(struct stream *stream);
void stream_reset(struct stream *stream);

/* Sends the bytes: what the socket does not take now is copied and sent later. A peer that no
 * longer takes anything is not an error here: `ended` tells of it in its time. Returns 0, or -1
 * when memory is short: a part may be missing then, nothing more is sent, and the stream is of no
 * use. */
int stream_write(struct stream *stream, const struct iovec *pieces, int count)
	__attribute__((warn_unused_result));

/* Ends the sending side when everything written is out. */
void stream_finish(struct stream *stream);

/* Bytes written that the socket has not taken yet; whether that is more than STREAM_BACKLOG_HIGH,
 * or than its share (loop_share). */
size_t stream_backlog(const struct stream *stream);
bool stream_is_full(const struct stream *stream);

/* The backlog and what the kernel still holds, where there is a backlog; else 0. It falls with each
 * byte that the peer takes; the socket takes more only when much is free. Costs a system call. */
size_t stream_unsent(const struct stream *stream);

/* Bytes that `received` left; whether more is in the socket, or its end, behind what it has been
 * given; whether there is neither. */
size_t stream_rest(const struct stream *stream);
bool stream_has_more(const struct stream *stream);
bool stream_is_quiet(const struct stream *stream);

/* Stops and resumes reading; has `received` called soon, with what it left if anything. */
void stream_pause(struct stream *stream);
void stream_resume(struct stream *stream);
void stream_again(struct stream *stream);

static inline bool stream_is_open(const struct stream *stream)
{
	return stream->fd != -1;
}

#endif
