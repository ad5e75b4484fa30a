/*
 * The way from one socket to another that does not lead through the memory of the process: bytes
 * go into a pipe and out of it by splice(2), which moves references to pages. A loop has one pipe,
 * and the callback that puts bytes into it takes them out as well: between two callbacks the pipe
 * is empty or closed.
 */
#ifndef TINYLB_NET_PIPE_H
#define TINYLB_NET_PIPE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct pipe {
	int ends[2]; /* owned: to read from, to write to; -1: there is none at present */
	size_t held; /* bytes in it */
};

void pipe_init(struct pipe *pipe);

/* Makes the pipe unless there is one. False without descriptors: bytes have to be copied then. */
bool pipe_open(struct pipe *pipe) __attribute__((warn_unused_result));

/* Closes it, with what is in it. */
void pipe_close(struct pipe *pipe);

/* How many bytes the socket would take at once, as its send buffer is now. 0 where the kernel does
 * not say. */
size_t pipe_room(int fd);

/* Moves up to `most` bytes from the non-blocking socket into the pipe. As recv(2). */
ssize_t pipe_fill(struct pipe *pipe, int fd, size_t most) __attribute__((warn_unused_result));

/* Moves up to `len` bytes, which must be there, from the pipe into the non-blocking socket. As
 * send(2). */
ssize_t pipe_drain(struct pipe *pipe, int fd, size_t len) __attribute__((warn_unused_result));

/* Copies up to `size` bytes, some of which must be there, out of it. As read(2). */
ssize_t pipe_read(struct pipe *pipe, char *to, size_t size) __attribute__((warn_unused_result));

#endif
