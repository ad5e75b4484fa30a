/*
 * Bytes that no code has to look at go from one connection to another without passing through the
 * memory of the process: by the loop's pipe and splice(2). The callback `splice` of the sender's
 * connection asks for the room of the receiver, fills the pipe, and empties it at once, with
 * nothing but connection_write in between.
 */
#ifndef TINYLB_NET_CONNECTION_SPLICE_H
#define TINYLB_NET_CONNECTION_SPLICE_H

#include <stdint.h>
#include <sys/types.h>

#include "net/connection.h"

/* How many bytes `to` takes from the pipe now; 0: too few to be worth it, so the bytes must be
 * copied. Costs a system call. */
size_t connection_splice_room(const struct connection *to);

/*
 * Moves up to `most` bytes from `from` into the pipe of its loop. Returns how many were moved; 0
 * where the connection has failed (`ended` was called); -1 where it must be read as usual: no bytes
 * came this way, or there is no pipe.
 */
ssize_t connection_splice_in(struct connection *from, size_t most)
	__attribute__((warn_unused_result));

/* Sends the `len` bytes that are in the pipe, with all that connection_write promises. */
int connection_splice_out(struct connection *to, size_t len) __attribute__((warn_unused_result));

#endif
