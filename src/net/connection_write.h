/*
 * Between the two halves of a connection: connection.c reads, connects and closes,
 * connection_write.c writes. The two files call each other, and that is meant. They are one socket
 * with one state, in two files for their size. Reading, connecting and closing make and drop the
 * buffer of what waits to be written, and what happens to that buffer ends the connection or
 * resumes its reading.
 */
#ifndef TINYLB_NET_CONNECTION_WRITE_H
#define TINYLB_NET_CONNECTION_WRITE_H

#include "net/connection.h"

/* Gives the connection its bufferevent. 0, or -1 when memory is short. */
int connection_make_buffer(struct connection *c) __attribute__((warn_unused_result));

/* Frees the bufferevent with what it holds. Harmless when there is none. */
void connection_drop_buffer(struct connection *c);

/* To be called when the bufferevent has connected: tells the owner and begins to read. */
void connection_connected(struct connection *c);

/* Stops reading and tells the owner of the end. */
void connection_end(struct connection *c, int error);

#endif
