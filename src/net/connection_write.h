/* Between the two halves of a connection: connection.c reads, connects and closes,
 * connection_write.c writes.
 */
#ifndef TINYLB_NET_CONNECTION_WRITE_H
#define TINYLB_NET_CONNECTION_WRITE_H

#include "net/connection.h"

/* Gives the connection its bufferevent. 0, or -1 when memory is short. */
int connection_make_buffer(struct connection *c) __attribute__((warn_unused_result));

/* Takes it away, with what it holds. */
void connection_drop_buffer(struct connection *c);

/* The bufferevent's connection is there. */
void connection_connected(struct connection *c);

/* Stops reading and tells the owner of the end. */
void connection_end(struct connection *c, int error);

#endif
