/*
 * The backend's side of an exchange: one request's way to a backend, and the way of its response
 * back. What the exchange asks of it is struct upstream_ops; what it tells the exchange is struct
 * upstream_events. Neither names a protocol: of HTTP/1 a stream is a connection that serves one
 * request at a time (http1_upstream.h).
 */
#ifndef TINYLB_UPSTREAM_BACKEND_STREAM_H
#define TINYLB_UPSTREAM_BACKEND_STREAM_H

#include <stdbool.h>
#include <stddef.h>

#include "http/content.h"
#include "http/request.h"
#include "http/response.h"

struct backend;
struct private_streams;
struct upstream_context;

/* Part of what implements it. An exchange has it from `take`, `connect` or the like to `end`. */
struct backend_stream {
	const struct upstream_ops *ops;
	struct backend *backend;             /* borrowed */
	void *owner;                         /* the exchange; NULL: none, it is idle */
	struct private_streams *private;     /* of the client that it belongs to; NULL: to none */
	struct backend_stream *next_private; /* in the list of these */
	bool connecting; /* no connection is there yet; what is sent goes out then */
	bool reused;     /* its connection has served a request before */
};

/* A request for a backend. */
struct upstream_request {
	struct request *head;    /* borrowed; its fields are marked as they are forwarded */
	struct slice client_ip;  /* empty: the peer of a unix socket */
	struct slice request_id; /* X-Request-Id; empty: none */
	const char *loop_token;  /* FORWARD_TOKEN_LEN characters; NULL: none */
	bool trusted;            /* what the client says of its own client is kept */
	bool more; /* content follows before anything else happens: it may go out with the head */
};

/* How an exchange lets go of a stream. */
enum upstream_end {
	UPSTREAM_DONE,  /* the response is whole: kept if nothing is owed on it */
	UPSTREAM_CLOSE, /* it cannot be used again */
	UPSTREAM_STALE, /* closed: it was kept, and ended before a byte of the response came */
	UPSTREAM_RESET, /* closed so that the backend does not take what it got for whole */
};

/* None of these calls the owner or ends an exchange. What it finds out, a later callback tells. */
struct upstream_ops {
	/* A kept connection that is in no danger to be closed just now, or NULL. `once`: the
	 * request must not be sent twice, so be more careful. */
	struct backend_stream *(*take)(struct backend *backend, void *owner, bool once);
	/* Takes an idle private stream. False: it had ended, and is closed now. */
	bool (*take_private)(struct backend_stream *stream, void *owner);
	/* Closes an idle private stream. */
	void (*discard)(struct backend_stream *stream);
	/* Begins to connect to the backend's address of this index. NULL with errno if that failed
	 * at once (EUSERS: the backend has all the connections that it may have); else `connected`
	 * or `ended` follows. */
	struct backend_stream *(*connect)(struct backend *backend, void *owner, int address);
	/* Sends a request's head, and its content, which may be empty and not the end: behind a
	 * head with `more` it makes the head go out. 0, or -1 when memory is short, or the head
	 * does not fit (then nothing was sent). content->end ends the request. */
	int (*send_head)(struct backend_stream *stream, const struct upstream_request *request);
	int (*send_content)(struct backend_stream *stream, const struct content *content);
	/* How many bytes of content it takes from the pipe of the loop now; 0: none, send them as
	 * content. And sends `len` of them; `end`: they end the request. */
	size_t (*splice_room)(const struct backend_stream *stream);
	int (*send_spliced)(struct backend_stream *stream, size_t len, bool end);
	/* Nothing more is sent, in a tunnel or of a request whose response is whole: ends the
	 * sending side when all is out. Harmless when called again. */
	void (*finish)(struct backend_stream *stream);
	/* Lets go of it; no event follows. */
	void (*end)(struct backend_stream *stream, enum upstream_end how);
	/* Stops and resumes reading. */
	void (*pause)(struct backend_stream *stream);
	void (*resume)(struct backend_stream *stream);
	/* Whether so much waits to be taken by the backend that no more is to be sent now; whether
	 * the backend takes anything at all; how many bytes of this request wait, here and in the
	 * kernel. While it connects it is full with CONTENT_HELD_MAX bytes. */
	bool (*is_full)(const struct backend_stream *stream);
	bool (*is_open)(const struct backend_stream *stream);
	size_t (*unsent)(const struct backend_stream *stream);
	/* Closes the connection that is idle longest, of any backend, because descriptors are
	 * short. False: none is idle. */
	bool (*make_room)(struct upstream_context *upstream);
};

/*
 * What a stream tells its owner. `heard` comes before `head` and `content`. Of head, content and
 * spliced: true, the owner goes on with the stream; false, it has let go of it inside the call.
 * `bad` always lets go, so does `ended` but in a tunnel; `drained` may in a tunnel, and once the
 * response is whole. Behind a whole response only `drained` and `ended` follow. `ended` also comes
 * if bytes come that no request asked for: behind a whole response, or on a kept connection before
 * the request was sent.
 */
struct upstream_events {
	/* The connection is there. */
	void (*connected)(void *owner);
	/* Bytes of the response came, perhaps not a whole head. */
	void (*heard)(void *owner);
	/* A head: interim ones (1xx), 101, and the final one. It may be changed. Behind a final one
	 * `content` follows at once, perhaps without any. */
	bool (*head)(void *owner, struct response *head);
	bool (*content)(void *owner, const struct content *content);
	/* Content is in the pipe of the loop: as in upstream_ops. `end`: it ends the response. */
	size_t (*splice_room)(void *owner);
	bool (*spliced)(void *owner, size_t len, bool end);
	/* The backend has taken some of what was sent. */
	void (*drained)(void *owner);
	/* The response is malformed; `why` is for the log. NULL: memory is short. */
	void (*bad)(void *owner, const char *why);
	/* The connection ended before the response did: orderly (0), or with an errno. In a tunnel:
	 * the backend ended its sending side (0), or it failed. */
	void (*ended)(void *owner, int error);
};

#endif
