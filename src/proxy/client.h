/*
 * A client is a connection from a user. It reads one request head at a time and hands the rest to
 * the exchange. It knows bytes and heads; backends are none of its business.
 */
#ifndef TINYLB_PROXY_CLIENT_H
#define TINYLB_PROXY_CLIENT_H

#include "context.h"
#include "net/connection.h"
#include "net/deadline.h"

struct exchange;
struct reply;

enum client_state {
	CLIENT_IDLE,   /* between requests */
	CLIENT_HEAD,   /* a part of a head is here */
	CLIENT_BUSY,   /* an exchange has it */
	CLIENT_FLUSH,  /* all was said and is on its way: it takes it slowly */
	CLIENT_LINGER, /* all was said; what still comes is thrown away until the client closes */
};

/* Long enough for "[v6 address]:port"; of the path of a unix socket so much is kept. */
#define CLIENT_NAME_SIZE 48

/* An idle client costs one of these and nothing else, so it is kept small. */
struct client {
	struct connection connection;
	struct proxy *proxy;       /* borrowed */
	struct exchange *exchange; /* NULL: none */
	struct source *source;     /* where it is counted; NULL: nowhere */
	union {
		/* It is always in one list: of its deadline, or of proxy->busy where none runs. */
		struct deadline deadline;
		struct deferred_free deferred; /* once it is closed */
	};
	uint64_t since_us; /* the first byte of a head; when it became idle, or began to linger */
	uint32_t seen;   /* bytes of a head that was not whole yet; of what lingering threw away */
	uint32_t unsent; /* of what is being flushed, when that was looked at last */
	uint32_t listener;
	enum client_state state : 8;
	bool last : 1;    /* the connection ends behind what is being flushed */
	bool heard : 1;   /* something came since the deadline of lingering began */
	bool trusted : 1; /* it is a proxy that is believed what it says of its clients */
	uint8_t ip_len;   /* of the address inside `name`; 0: a unix socket's peer has none */
	uint8_t name_len;
	char name[CLIENT_NAME_SIZE]; /* address and port; an IPv6 address stands in brackets */
};

/* Takes over the accepted `fd`. 0, or -1 when memory is short; then fd stays the caller's. */
int client_open(struct proxy *proxy, int fd, const struct address *peer, uint32_t listener)
	__attribute__((warn_unused_result));

/* Closes it, though its request has begun to arrive: others need the room. */
void client_give_way(struct client *client);

/* Its address, and its address with port. */
struct slice client_ip(const struct client *client);
struct slice client_name(const struct client *client);

void client_set_state(struct client *client, enum client_state state);

/* The one that has lingered for the longest, or nearly; NULL: none does. */
struct client *client_first_lingering(const struct proxy *proxy);

/* The exchange is over, the client's `exchange` already NULL: reads the next request. */
void client_next(struct client *client);

/* Lets everything written go out, ends the sending side, and waits for the client to close: closing
 * with bytes unread would make the kernel destroy what is on its way (RFC 9112 9.6). */
void client_linger(struct client *client);

/* Nothing more is to be said on either side: closes where nothing is unread, else as above. */
void client_end(struct client *client);

/* Ends the connection of a client that is between two requests. False where its next request has
 * arrived already: then nothing is done. */
bool client_dismiss(struct client *client);

/* The backlog has become less: goes on where it is gone. */
void client_flushed(struct client *client);

/* Bytes that come when all was said. Returns how many are done with. */
size_t client_hear_out(struct client *client, size_t len);

/* Closes it at once and frees it in time. An exchange must have let go of it. */
void client_close(struct client *client);
void client_reset(struct client *client);

/* Writes an answer of our own. 0, or -1 when memory is short. */
int client_reply(struct client *client, const struct reply *reply)
	__attribute__((warn_unused_result));

/* For the queues of deadlines. */
void client_head_expired(struct deadline *deadline);
void client_watch_expired(struct deadline *deadline);
void client_idle_expired(struct deadline *deadline);
void client_flush_expired(struct deadline *deadline);
void client_linger_expired(struct deadline *deadline);

#endif
