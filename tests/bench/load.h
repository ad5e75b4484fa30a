#ifndef BENCH_LOAD_H
#define BENCH_LOAD_H

#include "common.h"
#include "histogram.h"
#include "http.h"

enum mode { MODE_GET, MODE_CONNECT, MODE_POST, MODE_UPLOAD, MODE_SOCKET };

enum failure {
	FAILED_REFUSED,
	FAILED_RESET,
	FAILED_EARLY, /* closed before the answer was whole */
	FAILED_STATUS,
	FAILED_FRAMING,
	FAILED_LENGTH,
	FAILED_BYTES,
	FAILED_LATE, /* no answer by the end, nor in the time of grace after it */
	FAILED_OTHER,
	FAILURES
};

struct options {
	enum mode mode;
	struct sockaddr_in target;
	uint64_t connections;
	uint64_t size;
	uint64_t requests; /* 0: by time */
	double seconds;
	double warmup;
	double rate; /* 0: closed loop */
	bool hold;
};

enum connection_state { CLOSED, UPGRADING, OPEN, ENDING };

struct connection {
	int fd;
	enum connection_state state;
	uint32_t events;
	bool busy;    /* a request is on it */
	bool in_body; /* of its answer */
	bool last;    /* the answer says that the connection closes */
	uint64_t due; /* when the request was to be sent, ns */
	uint64_t sent;
	uint64_t answers; /* on this connection */
	struct carry carry;
	struct body body;
};

struct load {
	/* settings */
	struct options options;
	int epoll;
	struct message request;
	struct message handshake;
	uint64_t want;    /* length of the body of an answer */
	const char *text; /* the body, NULL: the pattern */

	/* runtime: load_schedule.c */
	uint64_t now;      /* as read last, ns */
	uint64_t begin;    /* of what is counted */
	uint64_t end;      /* of new requests */
	uint64_t next_due; /* open loop: of the first request that was not sent yet */
	uint64_t random;
	uint64_t issued;
	uint64_t in_flight;
	struct connection *connections;
	struct connection **idle; /* a ring: who waits longest is first */
	uint64_t idle_first;
	uint64_t idle_count;

	/* results */
	uint64_t answers; /* that are counted in latency */
	uint64_t total;   /* with those of the warm-up and of the end */
	uint64_t closed;
	uint64_t failed[FAILURES];
	uint64_t failures;
	uint64_t finished; /* when the last answer came, ns */
	struct histogram latency;
};

uint64_t clock_ns(void);

/* --- load_connection.c --- */

/* Opens it, ahead of the first request. */
void connection_prepare(struct load *load, struct connection *connection);

/* Sends a request, whose waiting began at due, or begins to. */
void connection_start(struct load *load, struct connection *connection, uint64_t due);
void connection_ready(struct load *load, struct connection *connection, uint32_t events);

/* --- load_schedule.c --- */

/* Sends and receives until all is done. */
void schedule_run(struct load *load);

/* What a connection tells: an answer is whole; the next request may come; or it never will. */
void schedule_answered(struct load *load, const struct connection *connection);
void schedule_idle(struct load *load, struct connection *connection);
void schedule_failed(struct load *load, struct connection *connection, enum failure kind);

#endif
