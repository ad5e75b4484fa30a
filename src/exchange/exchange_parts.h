/* The struct of an exchange, for the files of this folder. */
#ifndef TINYLB_EXCHANGE_EXCHANGE_PARTS_H
#define TINYLB_EXCHANGE_EXCHANGE_PARTS_H

#include <event2/buffer.h>

#include "exchange/exchange.h"
#include "exchange/record.h"
#include "request_id.h"
#include "upstream/backend_stream.h"
#include "upstream/selection.h"

/* What to answer if nothing else can be done. */
struct failure {
	int status; /* 0: there was none yet */
	enum reason reason;
	const char *detail; /* for the body of the reply */
};

/* What was sent of a request's content, as long as it may have to be sent again: replay.h. */
struct replay {
	struct evbuffer *sent;   /* owned; NULL: nothing yet */
	struct fields *trailers; /* owned; NULL: none */
	bool end;                /* the end of the content was sent, too */
	bool holding;            /* all that was sent is here: it can be sent again */
};

struct request_state {
	struct request *head;   /* in exchange->head_room */
	const char *loop_token; /* of its listener and route: loop_token.h */
	uint64_t content;       /* bytes of content so far */
	uint64_t rate_since_us; /* since when the rate of the content is measured; 0: not yet */
	uint64_t rate_content;  /* bytes of content before that */
	struct replay replay;
	bool done;               /* it is here whole */
	bool more;               /* content follows in the call that began the exchange */
	bool login;              /* it tries a login that holds for the connection */
	char id[REQUEST_ID_LEN]; /* if it was made here */
};

/* One attempt to get a response from a backend; each follows the former. */
enum attempt_state {
	ATTEMPT_NONE,       /* there is no stream */
	ATTEMPT_CONNECTING, /* the request goes out when the connection is there */
	ATTEMPT_SENT,       /* nothing has come yet */
	ATTEMPT_HEARD,      /* bytes of a response came */
};

struct attempt {
	struct backend_stream *stream; /* NULL: none at present */
	enum attempt_state state;
	int first_address;      /* of the present backend: the index at which its round begins */
	int addresses_tried;    /* of the present backend */
	uint64_t sought_us;     /* when a backend began to be looked for, monotonic */
	bool own_fault;         /* the last address failed for want of something here */
	bool cut_counted;       /* a backend that closed unanswered was counted: blame.h */
	bool gathering;         /* the head waits for the content: gather.h */
	bool length_asked;      /* a backend answered 411: the length is to be told */
	bool own;               /* the stream was the client's own before this request */
	bool fresh_only;        /* a kept connection proved stale: take no more of those */
	struct failure failure; /* of the last one */
};

enum response_phase {
	RESPONSE_HEAD, /* no final response yet */
	RESPONSE_BODY,
	RESPONSE_WHOLE,  /* the client has it, and the request goes on: early_response.h */
	RESPONSE_TUNNEL, /* after a 101: content goes both ways as it comes */
};

struct response_state {
	enum response_phase phase;
	uint64_t content;          /* bytes of content to the client */
	bool interim;              /* an interim response has come */
	bool closes;               /* the backend takes nothing behind it */
	uint64_t held_up_since_us; /* since when the client holds the backend up; 0: not now */
	uint64_t held_up_us;       /* for how long it did before */
	uint64_t interim_paid_us;  /* when all that came are paid for: interim_rate.h */
	size_t unsent;             /* bytes that waited for either peer at the last look */
	bool client_ended;         /* in a tunnel: this side sends no more */
	bool backend_ended;        /* the same of the other side */
};

struct exchange {
	struct exchange_context *context; /* borrowed */
	struct downstream downstream;
	struct private_streams *private_streams; /* of the client's connection; borrowed */
	struct list link;                        /* among the free ones */
	struct deadline deadline;
	char *head_room; /* owned: the head as it came, and behind it request.head */
	size_t head_size;
	struct request_state request;
	struct selection selection;
	struct attempt attempt;
	struct response_state response;
	struct record record;
	/* in front of it: exchange_room */
};

/* The client waits for a 100 before it sends its content (RFC 9110 10.1.1). */
static inline bool exchange_awaits_continue(const struct exchange *x)
{
	return x->request.head->expect_continue && !x->response.interim &&
	       x->request.content == 0 && !x->request.done;
}

static inline struct exchange *exchange_of_deadline(struct deadline *deadline)
{
	return LIST_ITEM(deadline, struct exchange, deadline);
}

#endif
