/* Between the two halves of a stream: stream.c reads, connects and closes, stream_buffer.c writes.
 */
#ifndef TINYLB_NET_STREAM_BUFFER_H
#define TINYLB_NET_STREAM_BUFFER_H

#include "net/stream.h"

/* Gives the stream its bufferevent. 0, or -1 when memory is short. */
int stream_make_buffer(struct stream *stream) __attribute__((warn_unused_result));

/* Takes it away, with what it holds. */
void stream_drop_buffer(struct stream *stream);

/* The bufferevent's connection is there. */
void stream_connected(struct stream *stream);

/* Stops reading and tells the owner of the end. */
void stream_end(struct stream *stream, int error);

#endif
