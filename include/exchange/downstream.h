/*
 * The client's side of an exchange, as the exchange knows it: a table of functions that each
 * protocol towards clients implements (http1_downstream.h is HTTP/1). How many exchanges share a
 * connection, how messages are framed, and what becomes of the connection when one ends, is known
 * behind this table only. What the client's side tells the exchange are the calls of exchange.h.
 */
#ifndef TINYLB_EXCHANGE_DOWNSTREAM_H
#define TINYLB_EXCHANGE_DOWNSTREAM_H

#include <stdbool.h>
#include <stddef.h>

#include "http/content.h"
#include "http/cookie.h"
#include "http/reply.h"
#include "http/response.h"

/* How an exchange ends for its client. */
enum downstream_end {
	DOWNSTREAM_DONE, /* the response is whole; if the request is not, what is left of it is to
			  * be thrown away */
	DOWNSTREAM_GONE, /* before a response had begun, the client left, or its connection has to
			  * end without one */
	DOWNSTREAM_TRUNCATED, /* a part of the response is missing, and its framing should show that
			       */
	DOWNSTREAM_ABORT,     /* nothing that the client got may look whole */
};

enum downstream_result {
	DOWNSTREAM_SENT,
	DOWNSTREAM_TOO_LONG, /* the head does not fit; nothing was sent */
	DOWNSTREAM_NO_MEMORY,
};

/* `d` is the context of struct downstream everywhere: that of one exchange. No function here calls
 * the exchange, or ends any, before it returns: what it finds out it tells in a later callback. */
struct downstream_ops {
	/* Sends an interim response (1xx), if the client understands them. Behind a 101 a tunnel
	 * begins: content goes both ways as it comes. `cookie` may be NULL. */
	enum downstream_result (*send_interim)(
		void *d, struct response *head, const struct set_cookie *cookie);
	/* Takes the final head; send_content follows at once, perhaps without content. */
	enum downstream_result (*send_head)(
		void *d, struct response *head, const struct set_cookie *cookie);
	/* Sends content; content->end ends the response. 0, or -1 when memory is short. */
	int (*send_content)(void *d, const struct content *content);
	/* How many bytes of content it takes from the pipe of the loop now; 0: none, send them as
	 * content. And sends `len` of them; `end`: they end the response. */
	size_t (*splice_room)(const void *d);
	int (*send_spliced)(void *d, size_t len, bool end);
	/* Sends a whole response that was made here. Of `reply` the members status, detail,
	 * retry_after, location, type and body are set; the implementation sets the others. 0, or
	 * -1 when memory is short. */
	int (*send_reply)(void *d, struct reply *reply);
	/* Nothing more is sent for the exchange, though it goes on: a tunnel, or a request whose
	 * response is whole. Where the client knows the end of what it got by the end of the
	 * sending side only, that is ended when all is out. */
	void (*finish)(void *d);
	/* The exchange is over and does not call any more. The client begins no other one before
	 * this returns. */
	void (*end)(void *d, enum downstream_end how);
	/* Stops taking content of the request from the client: content that is on its way already
	 * may still come. Goes on, with what has waited; also if nothing was paused, and more than
	 * once. */
	void (*pause)(void *d);
	void (*resume)(void *d);
	/* The request waits for long: it is to be seen if the client leaves. */
	void (*watch)(void *d);
	/* Whether so much waits to be taken by the client that no more is to be sent now; whether
	 * the client takes anything at all; how many bytes of this exchange wait, here and in
	 * the kernel (without those that cannot be told from other exchanges'). */
	bool (*is_full)(const void *d);
	bool (*is_open)(const void *d);
	size_t (*unsent)(const void *d);
};

struct downstream {
	const struct downstream_ops *ops;
	void *context; /* borrowed: one for each exchange that a connection carries */
};

#endif
