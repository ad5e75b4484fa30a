/* What HTTP/1 knows of one exchange: the exchange keeps it (exchange_room) as long as it lives. */
#ifndef TINYLB_DOWNSTREAM_HTTP1_EXCHANGE_H
#define TINYLB_DOWNSTREAM_HTTP1_EXCHANGE_H

#include "client.h"
#include "exchange/exchange.h"
#include "http1/body_reader.h"

struct http1_exchange {
	struct body_reader reader; /* of the request's content */
	enum body_kind out;        /* framing of the response */
	size_t head_waits;         /* bytes in head_out that go out with the first content */
	int minor;                 /* of the request's version */
	bool head;                 /* the request is a HEAD */
	bool keeps;                /* the client lets the connection persist */
	bool closing;              /* the client was told that its connection ends */
	bool replied;              /* with a response that was made here */
	bool tunnel;               /* a 101 was sent */
};

_Static_assert(sizeof(struct http1_exchange) <= EXCHANGE_ROOM, "an exchange has room for it");

/* That of a client with an exchange. */
static inline struct http1_exchange *http1_exchange_of(const struct client *client)
{
	return exchange_room(client->exchange);
}

/* What the client sends now belongs to a tunnel: the content of its request has come before. */
static inline bool http1_exchange_is_raw(const struct http1_exchange *h)
{
	return h->tunnel && h->reader.done;
}

#endif
