/*
 * Content that goes from socket to socket without being looked at (net/connection_splice.h).
 */
#ifndef TINYLB_PROXY_SPLICE_H
#define TINYLB_PROXY_SPLICE_H

#include "relay.h"

enum splice_result {
	SPLICE_NOT,   /* nothing was done: it is to be read as usual */
	SPLICE_ENDED, /* `from` has failed, and its exchange has perhaps ended over it */
	SPLICE_MOVED,
	SPLICE_FAILED, /* memory is short: `to` is of no further use */
};

/* A run that is shorter is copied. */
#define SPLICE_RUN_LEAST ((uint64_t)64 * 1024)

/* A body begins. How long a run is that comes in chunks, or until the end, is seen only later. */
static inline void splice_expect(struct connection *from, const struct relay *relay)
{
	from->splices = relay->in.kind == BODY_LENGTH && relay->in.length >= SPLICE_RUN_LEAST;
}

/* As much was read as one may: there is more where that came from. */
static inline void splice_look(struct connection *from)
{
	from->splices |= from->full;
}

/* Moves what comes next of a body, and counts it; never more than the body has. */
enum splice_result splice_body(struct relay *relay, struct connection *from, struct connection *to)
	__attribute__((warn_unused_result));

/* Moves what comes next in a tunnel, and adds it to *content. */
enum splice_result splice_tunnel(struct connection *from, struct connection *to, uint64_t *content)
	__attribute__((warn_unused_result));

#endif
