/*
 * A connection to a backend that speaks HTTP/1: in use for one request, or idle and kept for the
 * next one.
 */
#ifndef TINYLB_UPSTREAM_HTTP1_CONNECTION_H
#define TINYLB_UPSTREAM_HTTP1_CONNECTION_H

#include "http1/body_reader.h"
#include "net/connection.h"
#include "upstream/backend_stream.h"
#include "upstream/pool.h"

enum http1_read {
	HTTP1_HEAD,   /* a head comes next */
	HTTP1_BODY,   /* content of the final response */
	HTTP1_TUNNEL, /* after a 101: bytes as they come */
};

struct http1_connection {
	struct connection connection;
	struct backend_stream stream;
	struct upstream_context *upstream; /* borrowed */
	struct list link;                  /* of backend->idle, or of upstream->private_idle */
	union {
		struct deadline deadline; /* of being idle */
		struct deferred_free deferred;
	};
	/* of its life; times are monotonic */
	uint64_t opened_us;
	uint64_t idle_since_us;
	uint64_t idle_us;      /* how long it had been idle when it was taken last */
	uint64_t idle_most_us; /* it is not used when it was idle for so long; UINT64_MAX: any time
				*/
	uint32_t addresses_version; /* of the backend's, when its peer was last seen among them */
	uint8_t address;            /* index of the backend's address */
	bool pending;               /* it counts as one in the making */
	/* of the present request */
	bool asked;        /* its head was sent, or goes out with the first content */
	bool request_done; /* it was sent whole */
	bool keeps;        /* the backend lets the connection persist */
	bool surplus;      /* bytes came behind the response */
	bool early;        /* the final response began before the request was sent whole */
	enum http1_read state;
	enum method method;
	enum body_kind out; /* framing of the request */
	size_t head_waits;  /* bytes in upstream->head_out that go out with the first content */
	uint32_t seen;      /* bytes of a response's head that was not whole yet */
	struct body_reader reader;
};

static inline struct http1_connection *http1_connection_of(const struct backend_stream *stream)
{
	return LIST_ITEM(stream, struct http1_connection, stream);
}

/* As upstream_ops.take. */
struct backend_stream *http1_connection_take(struct backend *backend, void *owner, bool once);

/* As upstream_ops.take_private. */
bool http1_connection_take_private(struct http1_connection *c, void *owner);

/* Makes a connection that is not open yet, for `owner`. NULL with errno: ENOMEM, or EUSERS: the
 * backend has all that it may have. http1_connection_forget takes it back if it cannot be opened.
 */
struct http1_connection *http1_connection_new(struct backend *backend, void *owner);
void http1_connection_forget(struct http1_connection *c);

/* The connection is made, or given up: it does not count as one in the making any more. */
void http1_connection_settle(struct http1_connection *c);

/* The response is whole, and nothing is owed on the connection: keeps it for the next request, or
 * closes it if that would be one too many, or it is too old. A private one is always kept. */
void http1_connection_keep(struct http1_connection *c);

/* The backend said for how many seconds it keeps an idle connection. It is used for one second
 * less: a request that arrives as the backend closes would be lost. */
void http1_connection_keeps_for(struct http1_connection *c, uint64_t seconds);

/* The backend closed it when it had been idle for so long. */
void http1_connection_learn(const struct http1_connection *c, uint64_t idle_us);

/* Logs that bytes came that no request asked for. Some backends tell in this way why they close. */
void http1_connection_complain_unasked(const struct http1_connection *c);

/* The same of an idle connection, which is closed. */
void http1_connection_close_unasked(struct http1_connection *c);

/* For how long it has been idle. */
uint64_t http1_connection_idle_us(const struct http1_connection *c);

/* Closes it and frees it in time. */
void http1_connection_close(struct http1_connection *c);

/* Closes the connection to the backend that has been idle longest. A private one is closed only if
 * there is no other: its client has to log in again. False: none is idle. */
bool http1_connection_close_oldest(struct backend *backend);

/* As upstream_ops.make_room. */
bool http1_connection_make_room(struct upstream_context *upstream);

/* Closes all idle ones of a pool. */
void http1_connection_close_idle(struct pool *pool);

/* For the queue of idle deadlines. */
void http1_connection_expired(struct deadline *deadline);

#endif
