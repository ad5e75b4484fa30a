/*
 * An exchange is one request and its response. It owns the choice of the backend, the deadlines,
 * the retries, and the record that goes to the access log. It knows the client's and the backend's
 * side by two tables only: exchange/downstream.h and upstream/backend_stream.h.
 *
 * These are the calls of the client's side. An exchange lives from exchange_begin until it calls
 * `end` of its downstream, which may happen inside any of them: the caller has to look afterwards.
 */
#ifndef TINYLB_EXCHANGE_EXCHANGE_H
#define TINYLB_EXCHANGE_EXCHANGE_H

#include "exchange/downstream.h"
#include "exchange/exchange_context.h"
#include "http/request.h"
#include "upstream/private_streams.h"

struct exchange;

/* An exchange that has not begun, or NULL when memory is short. */
struct exchange *exchange_new(struct exchange_context *context) __attribute__((warn_unused_result));

/* The client's side keeps what it knows of an exchange in front of it: EXCHANGE_ROOM bytes, not
 * zeroed, and valid until `end` returns. */
#define EXCHANGE_ROOM 192
static inline void *exchange_room(struct exchange *x)
{
	return (char *)x - EXCHANGE_ROOM;
}

/* A request. */
struct exchange_start {
	struct downstream downstream;
	/* Copied, with the request->head_len bytes at `head`. Every name and value of its fields
	 * lies in these; a field is `plain` if it stands there as HTTP/1 writes it. Host and
	 * framing are judged; content of unknown length is BODY_CHUNKED. As request_parse leaves
	 * it. */
	const struct request *request;
	const char *head;
	struct private_streams *private_streams; /* of the client's connection; borrowed, too */
	struct slice client_ip;     /* borrowed as long as the exchange lives; empty: a unix peer */
	struct escaped client_name; /* borrowed, too: address and port, for the log */
	uint64_t start_us;          /* when its first byte came, monotonic */
	uint32_t listener;          /* index in the settings */
	bool trusted;               /* the client is a trusted proxy */
	/* The first content follows at once, by exchange_request_content, even if there is none:
	 * the head waits for it, so that both go out together. */
	bool more;
};

/* Takes back one that has not begun. */
void exchange_forget(struct exchange *x);

/* Begins with the request: routes it, answers it or sends it to a backend. -1 if memory is too
 * short even for an answer: then it has not begun, and no call of the downstream was made. */
int exchange_begin(struct exchange *x, const struct exchange_start *start)
	__attribute__((warn_unused_result));

/* Whether it takes content of the request now: if not, the content has to wait for `resume`. */
bool exchange_takes_content(const struct exchange *x);

/* Content of the request, or of the client's side of a tunnel. */
void exchange_request_content(struct exchange *x, const struct content *content);

/* How many bytes of content the request's backend takes from the pipe of the loop now; 0: none. And
 * `len` of them are there; `end`: they end the request. */
size_t exchange_request_splice_room(const struct exchange *x);
void exchange_request_spliced(struct exchange *x, size_t len, bool end);

/* The request is malformed behind its head: it is answered with this status, or a response that has
 * begun is cut off. `why` is a phrase. */
void exchange_request_bad(struct exchange *x, int status, const char *why);

/* The client took some of what was sent. */
void exchange_client_drained(struct exchange *x);

/* The client left, or ended its sending side (error 0) and the request may not go on for that. The
 * orderly end of a request is content->end, not this. `error` counts in tunnels only. */
void exchange_client_ended(struct exchange *x, int error);

/* The worker ends. */
void exchange_stop(struct exchange *x);

/* `deadline` is that of a stalled exchange in wait_bytes or wait_tunnel: ends it because its
 * buffers are needed, unless nothing waits in them or some of it was taken since the last look.
 * True: it is over, and so may be others of the same connection. */
bool exchange_cut_stalled(struct deadline *deadline);

#endif
