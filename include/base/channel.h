/*
 * What master and worker say to each other: fixed-size messages over a SOCK_SEQPACKET pair, each
 * with at most one descriptor. The end of the other process shows as CHANNEL_CLOSED.
 */
#ifndef TINYLB_BASE_CHANNEL_H
#define TINYLB_BASE_CHANNEL_H

#include <stdint.h>

/* After an upgrade in place the two ends may be of different versions: the numbers and struct
 * message stay as they are, and new types go behind the last one. A process drops a
 * message whose type it does not know. */
enum message_type {
	/* worker to master */
	MESSAGE_ESCROW = 1, /* with the bound socket of listener `number`, not listening yet */
	MESSAGE_READY,      /* listening on everything */
	MESSAGE_FAILED,     /* cannot start; `text` says why */
	/* master to worker */
	MESSAGE_ESCROWED, /* the master holds the socket of listener `number` */
	/* Stop accepting, finish what is in flight, exit 0; `number` is an enum drain_reason. */
	MESSAGE_DRAIN,
	MESSAGE_REOPEN_LOG,    /* with the log's new descriptor */
	MESSAGE_REOPEN_ACCESS, /* with the access log's new descriptor */
	/* STAND_IN: accept also from this socket of another worker, for listener `number`.
	 * RELEASE: accept from it no more. */
	MESSAGE_STAND_IN,
	MESSAGE_RELEASE,
	/* PAUSE: accept no more from your own sockets. RESUME: accept from them again. */
	MESSAGE_PAUSE,
	MESSAGE_RESUME,
	MESSAGE_NUDGE, /* makes the loop turn once */
	/* worker to master: it does not accept from that socket, or not any more */
	MESSAGE_RELEASED,
	/* worker to worker: a connection that was accepted from listener `number` */
	MESSAGE_CLIENT,
	/* No other worker will accept at listener `number`: accept there after MESSAGE_DRAIN, too,
	 * for worker_grace. */
	MESSAGE_GONE,
	MESSAGE_LAME_DUCK, /* answers end their connections from now on; nothing else changes */
	/* worker to master: it ends before all was done; `number` requests are cut off, and `id`
	 * connections on which nothing was asked. */
	MESSAGE_CUT,
	/* worker to master: it drains, and passes no more connections to others */
	MESSAGE_PASSED,
};

enum drain_reason {
	DRAIN_STOP,     /* no other worker accepts any more: accept what waits */
	DRAIN_REPLACED, /* other workers accept, except where MESSAGE_GONE said otherwise */
};

#define MESSAGE_MAGIC     0x626c7974u /* "tylb": guards against a stray writer */
#define MESSAGE_TEXT_SIZE 240

struct message {
	uint32_t magic;               /* filled in by channel_send */
	uint32_t type;                /* enum message_type */
	uint32_t number;              /* which listener, or as the type says */
	uint32_t id;                  /* of a STAND_IN, or as the type says */
	char text[MESSAGE_TEXT_SIZE]; /* NUL-terminated */
};

enum channel_result { CHANNEL_CLOSED = -1, CHANNEL_EMPTY = 0, CHANNEL_MESSAGE = 1 };

/* Makes a pair, both ends non-blocking and close-on-exec. 0, or -1 with errno. */
int channel_pair(int ends[2]) __attribute__((warn_unused_result));

/* Sends `m` and, unless fd is -1, a duplicate of `fd`, which stays the caller's. 0, or -1 with
 * errno (EAGAIN where the other side does not read). */
int channel_send(int channel, struct message *m, int fd) __attribute__((warn_unused_result));

/*
 * Takes one message. *fd is the descriptor that came with it (the caller's from now on), or -1:
 * none came, or this process has no room for one more. A malformed message counts as
 * CHANNEL_CLOSED.
 */
enum channel_result channel_receive(int channel, struct message *m, int *fd)
	__attribute__((warn_unused_result));

#endif
