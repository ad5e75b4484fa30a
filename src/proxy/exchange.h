/*
 * An exchange is one request and its response. It owns the choice of the backend, the deadlines,
 * the repetitions, and the record that goes to the log. Clients and upstreams bring it bytes; it
 * assumes nothing of how many exchanges a client carries.
 *
 * It lives from exchange_begin to exchange_end, which may come inside any of the functions below:
 * whoever calls one looks at the client's or upstream's `exchange` before using it again.
 */
#ifndef TINYLB_PROXY_EXCHANGE_H
#define TINYLB_PROXY_EXCHANGE_H

#include <event2/buffer.h>

#include "access_log.h"
#include "client.h"
#include "context.h"
#include "http1_upstream.h"
#include "relay.h"
#include "upstream/pool.h"
#include "upstream/select.h"
#include "upstream/selection.h"

/* How much of a request's body is held so that it can be sent again. */
#define EXCHANGE_HELD_MAX ((size_t)16 * 1024)

/* What to answer when nothing else can be done. */
struct failure {
	int status;
	enum reason reason;
	const char *detail; /* for the body of the answer */
};

enum answer_state {
	ANSWER_HEAD, /* no final response yet */
	ANSWER_BODY,
	ANSWER_TUNNEL, /* after a 101: bytes go both ways as they come */
};

struct exchange {
	struct proxy *proxy;             /* borrowed */
	struct client *client;           /* borrowed */
	struct http1_upstream *upstream; /* NULL: none at present */
	struct list link;                /* among the spare ones, or in the queue of its pool */
	struct deadline deadline;
	/* the request */
	char *head; /* owned: a copy of the head as it came, for the log and for sending it again */
	size_t head_len;
	size_t head_size;
	char id[REQUEST_ID_LEN]; /* one that was made here; record.id has it, or the client's */
	enum method method;
	int minor;
	bool client_keeps;      /* the client lets its connection persist */
	bool upgrade;           /* it asks for a tunnel */
	bool expects;           /* it waits for a 100 before it sends its body */
	bool more;              /* some of its body came with it */
	size_t head_waits;      /* bytes in proxy->head_out that go with the first of the body */
	uint64_t rate_since_us; /* since when the rate of its body is measured; 0: not yet */
	uint64_t rate_content;  /* and how much of it was there then */
	struct relay request;   /* its body */
	struct evbuffer *held;  /* owned; what was sent after the head, NULL: nothing */
	bool holding;           /* all of it is in `held`: the request can be sent again */
	struct selection selection;
	bool own_fault;         /* the last attempt to connect failed for want of something here */
	int first_address;      /* of the present backend: where its round begins */
	int addresses_tried;    /* of the present backend */
	bool fresh_only;        /* an idle connection proved stale: no more of those */
	struct failure failure; /* the last one */
	/* the response */
	enum answer_state state;
	bool heard; /* a byte came from the present upstream */
	bool backend_keeps;
	size_t unsent; /* in the backlogs of both sides, when that was looked at last */
	bool closing;  /* the client was told Connection: close */
	unsigned interim;
	struct relay response; /* its body */
	struct record record;
};

/*
 * Starts an exchange for the request that was parsed into proxy->request from `head`. Sends the
 * request's head to a backend; what belongs to its body follows with exchange_request, and at once
 * where there is `more` than the head. The exchange may be over when this returns (client->exchange
 * is NULL then). Returns -1 where memory is too short even for an answer: the client is to be
 * closed.
 */
int exchange_begin(struct client *client, const char *head, uint64_t start_us, bool more)
	__attribute__((warn_unused_result));

/* Bytes from the client; returns how many are done with. */
size_t exchange_request(struct exchange *x, const char *data, size_t len);

/* Bytes from the backend; returns how many are done with. */
size_t exchange_response(struct exchange *x, const char *data, size_t len);

/* More has come that may go on unseen. False where it is to be read as usual. */
bool exchange_flow_request(struct exchange *x);
bool exchange_flow_response(struct exchange *x);

/* What else happens to the two connections. */
void exchange_connected(struct exchange *x);
void exchange_client_drained(struct exchange *x);
void exchange_upstream_drained(struct exchange *x);
void exchange_client_ended(struct exchange *x, int error);
void exchange_upstream_ended(struct exchange *x, int error);

/* An attempt to connect to the present backend has failed: counts it, and says so in the log. */
void exchange_cannot_connect(struct exchange *x, const char *why);

/* For the queues of deadlines. */
void exchange_connect_expired(struct deadline *deadline);
void exchange_bytes_expired(struct deadline *deadline);
void exchange_tunnel_expired(struct deadline *deadline);

/* Frees up to `most` of those that are spare and returns how many. */
size_t exchange_free_spare(struct proxy *proxy, size_t most);

/* --- for the files that make up the exchange --- */

/* A spare exchange or a new one, its members of no meaning but the room for the head; and back. */
struct exchange *exchange_take_spare(struct proxy *proxy);
void exchange_make_spare(struct exchange *x);

/* Copies a head into the exchange. 0, or -1 when memory is short. */
int exchange_copy_head(struct exchange *x, const char *head, size_t len)
	__attribute__((warn_unused_result));

/* How the client's connection goes on after an exchange. */
enum afterwards {
	AFTERWARDS_KEEP,
	AFTERWARDS_CLOSE,  /* all was said on both sides */
	AFTERWARDS_LINGER, /* the client may still be sending: it must get the answer nevertheless
			    */
	AFTERWARDS_RESET,  /* the client must not take what it got for whole */
};

/* The one way out: writes the record, lets go of the upstream (kept if `reuse`), tells the client,
 * and frees the exchange. */
void exchange_end(struct exchange *x, enum reason reason, bool reuse, enum afterwards afterwards);

/* Ends it with an answer of our own, or, where a response has begun, visibly in the middle. */
void exchange_answer(struct exchange *x, int status, enum reason reason, const char *detail);

/* The backend ended in the middle of its answer. */
void exchange_truncated(struct exchange *x);

/* An answer of our own for this exchange, ready to be written; and its end behind it, where the
 * write has returned `result`. Only before a response has begun. */
struct reply exchange_make_reply(const struct exchange *x, int status, const char *detail);
void exchange_end_reply(
	struct exchange *x, const struct reply *reply, int result, enum reason reason);

/* Looks for the route of a request that came to this listener. Returns false where the exchange has
 * ended: the request was answered here. */
bool exchange_route(struct exchange *x, const struct request *request, uint32_t listener)
	__attribute__((warn_unused_result));

/* Finds a backend for the request and sends it the head, and what is held of the body. On failure
 * the exchange has ended. `request` is scratch that may hold the parsed head. */
void exchange_dispatch(struct exchange *x, struct request *request);

/* Writes the request to its upstream: the head, and what is held of the body. 0, or -1 when memory
 * is short. */
int exchange_send(struct exchange *x, struct request *request) __attribute__((warn_unused_result));

/* For requests that wait in a queue. */
extern const struct selection_events exchange_selection_events;

/* The present upstream failed before it answered: sends the request again where that is allowed, or
 * ends the exchange with this failure. */
void exchange_retry(struct exchange *x, struct failure failure);

/* A final answer of this status has come, of which the client has got nothing. True where another
 * backend is asked in its place: the upstream is gone then, and the exchange may be too. */
bool exchange_ask_another(struct exchange *x, int status);

/* The present backend is gone, and has said nothing. True where another one is asked in its place,
 * as above; else nothing has changed. */
bool exchange_redispatch(struct exchange *x);

/* Whether the backend may get the request, or another one after it, though it had it already. */
bool exchange_may_repeat(const struct exchange *x);

/* The 101 was forwarded: from now on bytes go both ways. exchange_tunnel_bytes returns `len`: none
 * is left. */
void exchange_open_tunnel(struct exchange *x);
size_t exchange_tunnel_bytes(
	struct exchange *x, struct connection *to, const char *data, size_t len);
bool exchange_tunnel_flow(struct exchange *x, struct connection *from);
void exchange_tunnel_drained(struct exchange *x, struct connection *from);
void exchange_tunnel_ended(struct exchange *x, struct connection *other, int error);

/* The client went away: cancels the request. */
void exchange_end_without_answer(struct exchange *x);

/* Frees what is held of the request's body: it will not be sent again. */
void exchange_drop_held(struct exchange *x);

/* The client was kept waiting: the rate of its body is measured anew. */
void exchange_waited(struct exchange *x);

/* The connection that what comes from `from` goes to. */
static inline struct connection *exchange_other(
	const struct exchange *x, const struct connection *from)
{
	return from == &x->client->connection ? &x->upstream->connection : &x->client->connection;
}

/* Stops reading `from` where enough of what it sent waits to be taken. Others may end over it
 * (overload.h). */
void exchange_throttle(struct exchange *x, struct connection *from);

static inline bool exchange_is_connecting(const struct exchange *x)
{
	return x->upstream != NULL && x->upstream->connection.connecting;
}

/* Any bytes count as life. Where another deadline runs, that of connecting, it is stopped first. */
static inline void exchange_alive(struct exchange *x)
{
	struct proxy *proxy = x->proxy;

	deadline_put_off(&x->deadline,
		x->state == ANSWER_TUNNEL ? &proxy->wait_tunnel : &proxy->wait_bytes, proxy->loop);
}

/* Whether anything of the backlogs was taken since that was looked at last. */
bool exchange_is_taken(struct exchange *x);

#endif
