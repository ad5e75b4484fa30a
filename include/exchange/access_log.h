/*
 * What is known of an exchange when it ends, and the access log that is written from it: one line a
 * request, in the form that tinylb(8) describes.
 */
#ifndef TINYLB_EXCHANGE_ACCESS_LOG_H
#define TINYLB_EXCHANGE_ACCESS_LOG_H

#include <event2/event_struct.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/slice.h"
#include "net/loop.h"

/* Why an exchange ended: a closed list, each with a word for the log. */
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
	REASON_NO_BACKEND,     /* no backend could be picked */
	REASON_QUEUE_FULL,     /* all backends were full, and so was the queue */
	REASON_QUEUE_TIMEOUT,  /* it waited in the queue for too long */
	REASON_CONNECT_FAILED, /* no connection to any backend that was tried */
	REASON_CONNECT_TIMEOUT,
	REASON_BACKEND_CLOSED,  /* the backend closed before it answered */
	REASON_BACKEND_TIMEOUT, /* the backend did not answer in time */
	REASON_BAD_RESPONSE,    /* what the backend answered is not HTTP */
	REASON_TRUNCATED,       /* the backend ended in the middle of its answer */
	REASON_TUNNEL_TIMEOUT,
	REASON_BUFFERS_FULL, /* it held up buffers that are needed by others */
	REASON_NO_MEMORY,
	REASON_STOPPED, /* the worker ended first */
	REASON_COUNT
};

const char *reason_name(enum reason reason);

struct record {
	struct slice client;  /* address and port */
	struct slice line;    /* the request line as received, as far as it was */
	int status;           /* that the client got; 0: none */
	uint64_t bytes;       /* of content, to the client */
	struct slice backend; /* its URL; empty: none */
	struct slice id;      /* X-Request-Id, of visible ASCII; empty: none */
	uint64_t start_us;    /* the first byte of the request; all times monotonic, 0: never */
	uint64_t queued_us;   /* when it began to wait for a backend that has room */
	uint64_t picked_us;
	uint64_t connected_us;
	uint64_t answered_us; /* the response's head */
	unsigned tries;       /* connections to backends, those too that could not be made */
	enum reason reason;
};

/* Lines are held back for a moment and written together. */
struct access_log {
	struct loop *loop;                 /* borrowed */
	int fd;                            /* owned; -1: off */
	char *lines;                       /* owned */
	uint8_t reason_lens[REASON_COUNT]; /* lengths of the reasons' names */
	size_t len;
	struct event flush;
	bool waiting; /* for the flush */
	bool failed;  /* the last write failed, and that was said */
	bool torn;    /* the last line in the file is not whole */
};

/* Takes over `fd` (-1: off). 0, or -1 when memory is short; then fd stays the caller's. */
int access_log_init(struct access_log *log, struct loop *loop, int fd)
	__attribute__((warn_unused_result));

/* Writes what is held back and closes the file. */
void access_log_fini(struct access_log *log);

void access_log_write(struct access_log *log, const struct record *record, uint64_t now_us);
void access_log_flush(struct access_log *log);

/* Goes on with another descriptor in place of the present one (after a rotation). */
void access_log_take(struct access_log *log, int fd);

#endif
