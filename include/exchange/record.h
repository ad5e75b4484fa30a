/* What is known of a request when it ends: the access log, the counters and all who look later are
 * its readers. */
#ifndef TINYLB_EXCHANGE_RECORD_H
#define TINYLB_EXCHANGE_RECORD_H

#include <stdint.h>

#include "base/escape.h"

/* Why a request ended, also one that never became an exchange: a closed list, each with a word for
 * the log. */
enum reason {
	REASON_DONE,
	REASON_ANSWERED_HERE,  /* by rule: the request was not to go further */
	REASON_UPGRADED,       /* a tunnel, which has ended */
	REASON_BAD_REQUEST,    /* refused as malformed or not supported */
	REASON_CLIENT_LIMIT,   /* the client's address had too many connections */
	REASON_NO_ROOM,        /* other clients needed the room of one that was slow */
	REASON_HEAD_TIMEOUT,   /* the request's head did not arrive in time */
	REASON_CLIENT_CLOSED,  /* the client went away */
	REASON_CLIENT_TIMEOUT, /* the client neither sent nor took anything for too long */
	REASON_NO_ROUTE,       /* the listener has no pool for such a request */
	REASON_LOOP,           /* it came back to the listener and route it had left by */
	REASON_NO_BACKEND,     /* no backend could be picked */
	REASON_QUEUE_FULL,     /* all backends were full, and so was the queue */
	REASON_QUEUE_TIMEOUT,  /* it waited in the queue for too long */
	REASON_CONNECT_FAILED, /* no connection to any backend that was tried */
	REASON_CONNECT_TIMEOUT,
	REASON_BACKEND_CLOSED,  /* the backend closed before it answered */
	REASON_BACKEND_TIMEOUT, /* the backend did not answer in time */
	REASON_BAD_RESPONSE,    /* what the backend answered is not HTTP */
	REASON_TRUNCATED,       /* the backend ended in the middle of its answer */
	REASON_REQUEST_CUT, /* the response is whole, the request did not reach the backend whole */
	REASON_TUNNEL_TIMEOUT,
	REASON_BUFFERS_FULL, /* it held up buffers that are needed by others */
	REASON_NO_MEMORY,
	REASON_STOPPED, /* the worker ended first */
	REASON_COUNT
};

/*
 * What an exchange leaves for the log and the counters. `backend` is the one that was picked last.
 * sought_us, connected_us and answered_us are those of the last attempt to send it the request; a
 * search that finds no backend leaves them as they are. connected_us is set whenever that attempt
 * had a connection, a kept or a fresh one, whatever became of it.
 */
struct record {
	struct escaped client;  /* address and port, or the path of a unix peer */
	struct slice line;      /* the request line as received, as far as it was */
	int status;             /* that the client got, or should have got; 0: none */
	uint64_t bytes;         /* of content, to the client */
	struct escaped backend; /* its URL; empty: none */
	struct escaped id;      /* X-Request-Id; empty: none */
	uint64_t start_us;      /* the first byte of the request; all times monotonic, 0: never */
	uint64_t sought_us;     /* when this backend began to be looked for, or waited for */
	uint64_t connected_us;
	uint64_t answered_us; /* the response's head */
	unsigned tries;       /* connections to backends, those too that could not be made */
	enum reason reason;
};

#endif
