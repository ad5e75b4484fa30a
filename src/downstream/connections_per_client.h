/*
 * How many connections each client address has with this worker. One user of IPv6 has a network of
 * 64 bits at least (RFC 6177), so that stands for an address there.
 */
#ifndef TINYLB_DOWNSTREAM_CONNECTIONS_PER_CLIENT_H
#define TINYLB_DOWNSTREAM_CONNECTIONS_PER_CLIENT_H

#include "downstream/downstream_context.h"
#include "net/network.h"

/* Connections of one address are counted here. */
struct source {
	struct network network;
	unsigned connections;
};

/* Counts one connection more. NULL when memory is short; then it is not counted. */
struct source *connections_per_client_enter(struct sources *sources, const struct address *peer)
	__attribute__((warn_unused_result));

/* Counts one less; the last one frees the source. NULL is fine. */
void connections_per_client_leave(struct sources *sources, struct source *source);

#endif
