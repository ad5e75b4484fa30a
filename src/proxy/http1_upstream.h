/*
 * An upstream is a connection to a backend: in use by one exchange, or idle and kept for the next.
 * It knows bytes; what they mean is the exchange's business.
 */
#ifndef TINYLB_PROXY_HTTP1_UPSTREAM_H
#define TINYLB_PROXY_HTTP1_UPSTREAM_H

#include "context.h"
#include "net/connection.h"
#include "net/deadline.h"
#include "upstream/pool.h"

struct exchange;

struct http1_upstream {
	struct connection connection;
	struct upstream_context *upstream; /* borrowed */
	struct backend *backend;           /* borrowed */
	struct exchange *exchange;         /* borrowed; NULL: idle */
	struct list link;                  /* among the backend's idle ones */
	union {
		struct deadline deadline;      /* of being idle */
		struct deferred_free deferred; /* once it is closed */
	};
	uint64_t opened_us;
	uint64_t idle_since_us;
	uint64_t idle_most_us;      /* it is not used again when it was idle for so long */
	uint32_t seen;              /* bytes of a head that was not whole yet */
	uint32_t addresses_version; /* of the backend's, when it was last seen to be one of them */
	uint8_t address;            /* index of the backend's address */
	bool pending;               /* it counts as one in the making */
	bool reused;                /* it has served a request before this one */
};

/* An idle connection that is in no danger to be closed just now, or NULL: `once` for a request that
 * must not be sent again, which is more careful. It belongs to `exchange` from now on. */
struct http1_upstream *http1_upstream_take(
	struct backend *backend, struct exchange *exchange, bool once);

/* An idle one was taken at this time and ended before a byte of the answer had come: so may others
 * that are idle for as long. */
void http1_upstream_was_stale(const struct http1_upstream *upstream, uint64_t taken_us);

/* Begins to connect to the backend's address with this index. NULL with errno where that failed at
 * once, EUSERS: the backend has all the connections that it may have; otherwise exchange_connected
 * or exchange_upstream_ended follows. */
struct http1_upstream *http1_upstream_connect(
	struct backend *backend, struct exchange *exchange, int address);

/* The backend said for how many seconds it keeps an idle connection. It is used for a second less:
 * a request that arrives as the backend closes would be lost. */
void http1_upstream_keeps_for(struct http1_upstream *upstream, uint64_t seconds);

/* The exchange is through with it and it can serve another: keeps it, within bounds. */
void http1_upstream_keep(struct http1_upstream *upstream);

/* Closes it and frees it in time. */
void http1_upstream_close(struct http1_upstream *upstream);

/* Closes the one that is idle longest, of whatever backend, where descriptors are short. Returns
 * false where none is idle. */
bool http1_upstream_make_room(struct upstream_context *upstream);

/* Closes all idle ones of a pool. */
void http1_upstream_close_idle(struct pool *pool);

/* For the queue of idle deadlines. */
void http1_upstream_expired(struct deadline *deadline);

#endif
