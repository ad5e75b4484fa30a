/*
 * The choice of a backend for one request: what it goes by, which backends were tried, and the
 * place at a backend that the request has or waits for. The exchange embeds it; nothing here knows
 * how the request came or how it is sent.
 */
#ifndef TINYLB_UPSTREAM_SELECTION_H
#define TINYLB_UPSTREAM_SELECTION_H

#include "http/request.h"
#include "upstream/pool.h"

struct selection {
	struct list link;        /* in a queue of its pool; unlinked: it does not wait */
	struct pool *pool;       /* borrowed; NULL: the request goes to none */
	struct request *request; /* borrowed: the head, for keys and sessions */
	struct slice client_ip;  /* borrowed; empty: the peer of a unix socket */
	uint64_t queued_us;      /* when it began to wait in a queue, monotonic; 0: never */
	uint64_t picked_us;      /* when the present backend was looked for; 0: never */
	uint64_t fed_us;         /* when content of the request was sent last; 0: none was */
	size_t backend;          /* index of the last one picked; PICKER_NONE: none yet */
	size_t session;          /* backend of the client's token; PICKER_NONE: it showed none */
	size_t own;              /* backend of its private stream; PICKER_NONE: it has none here */
	size_t tried[RETRY_ATTEMPTS_MAX];
	size_t tried_count;
	bool trusted; /* the client is a trusted proxy */
	bool counted; /* it counts as in flight at its backend */
	bool bound;   /* it waits for one backend only: `own`, or else `session` */
	bool unbound; /* it is not to be bound again */
	bool secure;  /* the client spoke TLS to a trusted proxy: its cookie is for TLS only */
};

/* What the queue tells of a selection that waits. */
struct selection_events {
	/* There may be room: leaves the queue and goes on. False: other requests were faster, and
	 * it still waits. */
	bool (*ready)(struct selection *selection);
	/* It waited for timeouts.queue: has to leave the queue. `why` is for the client. */
	void (*expired)(struct selection *selection, const char *why);
};

/* The backend that was picked last; there must be one. */
static inline struct backend *selection_backend(const struct selection *selection)
{
	return &selection->pool->backends[selection->backend];
}

#endif
