/*
 * A client is a connection from a user that carries one exchange at a time. It is in one state at a
 * time, with the deadline of that state. What is read from it is http1_downstream_read.c's
 * business, what is written http1_respond.c's.
 */
#ifndef TINYLB_DOWNSTREAM_CLIENT_H
#define TINYLB_DOWNSTREAM_CLIENT_H

#include "downstream/downstream_context.h"
#include "net/connection.h"
#include "upstream/private_streams.h"

struct exchange;
struct source;

enum client_state {
	CLIENT_IDLE,   /* between requests */
	CLIENT_HEAD,   /* a part of a head is here */
	CLIENT_BUSY,   /* an exchange has it */
	CLIENT_FLUSH,  /* a response is whole, and the client takes it slowly */
	CLIENT_LINGER, /* all was said; what still comes is thrown away until the client closes */
};

/* Long enough for "[v6 address]:port"; of the path of a unix socket so much is kept. */
#define CLIENT_NAME_SIZE 48

/* An idle client costs one of these and nothing else, so it is kept small. */
struct client {
	struct connection connection;
	struct downstream_context *downstream;  /* borrowed */
	struct exchange *exchange;              /* borrowed; NULL: none */
	struct private_streams private_streams; /* its own connections to backends, by a login */
	struct source *source;                  /* where it is counted; NULL: nowhere */
	union {
		/* It is always in one list: of its deadline, or `busy` if none runs. */
		struct deadline deadline;
		struct deferred_free deferred; /* once it is closed */
	};
	uint64_t
		since_us; /* the first byte of a head came, or it became idle, or began to linger */
	uint32_t seen;    /* bytes of a head that was not whole yet; that lingering threw away since
			   * its deadline began */
	uint32_t unsent;  /* of what is being flushed, at the last look */
	uint32_t listener;
	enum client_state state : 8;
	bool last : 1;    /* the connection ends behind what is being flushed */
	bool trusted : 1; /* a proxy whose X-Forwarded-* fields are kept */
	uint8_t ip_len;   /* of the address inside `name`; 0: the peer of a unix socket */
	uint8_t name_len;
	char name[CLIENT_NAME_SIZE]; /* address and port, an IPv6 address in brackets; escaped */
};

/* A client of the accepted `fd`, idle and counted, that is not read yet: `events` are called with
 * its connection. NULL when memory is short; then fd stays the caller's. */
struct client *client_open(struct downstream_context *downstream,
	const struct connection_events *events, int fd, const struct address *peer,
	uint32_t listener) __attribute__((warn_unused_result));

/* Its address, and its address with port. */
static inline struct slice client_ip(const struct client *client)
{
	return slice_of(client->name + (client->name[0] == '['), client->ip_len);
}
static inline struct escaped client_name(const struct client *client)
{
	return escape_known(slice_of(client->name, client->name_len));
}

/* The only place that changes the state; starts the deadline of the new one. */
void client_set_state(struct client *client, enum client_state state);

/* The client that has lingered for the longest, or nearly; NULL: none does. */
struct client *client_first_lingering(const struct downstream_context *downstream);

/* The exchange is over: reads the next request. */
void client_next(struct client *client);

/* Lets everything written go out, ends the sending side, and waits for the client to close: to
 * close with bytes unread would make the kernel destroy what is on its way (RFC 9112 9.6). */
void client_linger(struct client *client);

/* Nothing more is to be said on either side: closes if nothing is unread, else as above. */
void client_end(struct client *client);

/* Ends the connection of a client between two requests. False: its next request has arrived, so
 * nothing is done. */
bool client_dismiss(struct client *client);

/* The backlog has become less: goes on if it is gone. */
void client_flushed(struct client *client);

/* Bytes that come when all was said. Returns how many are done with. There may be any number of
 * them, but they must not come too slowly: client_linger_expired. */
size_t client_hear_out(struct client *client, size_t len);

/* Closes or resets it at once and frees it in time. It must have no exchange. */
void client_close(struct client *client);
void client_reset(struct client *client);

/* For the queues of deadlines. A lingering client is closed that has sent nothing since its
 * deadline began, or too little once it lingers for half a minute, or that lingers for ten minutes.
 */
void client_watch_expired(struct deadline *deadline);
void client_idle_expired(struct deadline *deadline);
void client_flush_expired(struct deadline *deadline);
void client_linger_expired(struct deadline *deadline);

#endif
