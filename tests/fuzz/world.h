/*
 * One proxy with everything around it in the hands of a fuzz target: the clients, the backends, the
 * clock, and what the kernel says to a call.
 */
#ifndef TINYLB_TESTS_WORLD_H
#define TINYLB_TESTS_WORLD_H

#include "judge.h"
#include "proxy/proxy.h"

#define SLOTS        4
#define CLIENTS_MAX  16
#define BACKENDS_MAX 48
#define LISTENERS    2
#define VARIANTS     4

/* A client, or a backend's side of a connection. */
struct peer {
	int fd;        /* owned; -1: closed by us */
	int queued;    /* owned; the program's end, not accepted yet; -1: it was */
	bool deaf;     /* it takes nothing */
	bool ended;    /* the program closed, or broke off */
	size_t peeked; /* bytes in its socket that were judged while it was deaf */
	struct talk talk;
};

/* How a run is to be. */
struct choice {
	unsigned settings; /* which of several */
	bool tight;        /* sockets take little at a time */
	bool shorts;       /* calls move less than they could */
	bool splits;       /* splice does */
	long fail;         /* which allocation fails; -1: none */
	uint64_t secret;   /* of tokens */
	uint64_t picks;    /* of backends */
};

struct world {
	struct loop loop;
	struct settings *settings[VARIANTS];
	struct proxy *proxy;
	bool slow;      /* something can only end by a deadline */
	bool held;      /* the loop does not turn: what happens now happens at once */
	bool raced;     /* a backend said more than it was asked, and a short read hid it */
	int lowest;     /* the descriptor that the next open gives, before and after a run */
	int access_log; /* in memory */
	struct address addresses[LISTENERS];
	int listeners[LISTENERS]; /* -1: connecting is refused */
	struct head_limits limits;
	struct peer *slots[SLOTS];
	struct peer clients[CLIENTS_MAX];
	unsigned client_count;
	struct peer backends[BACKENDS_MAX];
	unsigned backend_count;
};

extern struct world world;

/* Once a process. */
void world_init(void);

/* 0, or -1: there was no memory for a proxy. */
int world_begin(const struct choice *choice) __attribute__((warn_unused_result));

/* All peers close; without waiting, the program has to let go of everything. */
void world_end(void);

/* Turns the loop, with all peers listening, until nothing moves; not while it is held. */
void world_settle(void);

/* Time passes. */
void world_wait(uint64_t ms);

/* Time passes until every client is gone: nobody says anything any more. */
void world_wait_for_silence(void);

/* Makes connecting to a backend impossible, or possible again. */
void world_refuse(unsigned backend);

/* The present client in this place, connected if it is not: from SLOTS on such places are of
 * clients that are accepted when they have said something. NULL: there were too many. */
struct peer *peer_client(unsigned slot);

/* The connection to a backend that was made as number `n` or the last one; NULL: none yet. */
struct peer *peer_backend(unsigned n);

/* Takes in new connections and what was said. True where there was anything. */
bool peers_hear(void);

/* To be called when nothing moves. */
void peers_judge(void);

/* Says all that the socket takes, in pieces of this size, the world settling after each. */
void peer_say(struct peer *peer, const char *data, size_t len, size_t piece);
void peer_shut(struct peer *peer);
void peer_deafen(struct peer *peer, bool deaf);
void peer_close(struct peer *peer);
void peers_close(void);
int peer_number(const struct peer *peer); /* of a client; -1: a backend */

#endif
