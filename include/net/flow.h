/*
 * Bytes that nobody has to look at can go to another stream without passing through memory: from
 * the callback `flow`, stream_draw takes some of them out of the one, and stream_pour must follow
 * at once (with nothing but stream_write before it) and put them into the other.
 */
#ifndef TINYLB_NET_FLOW_H
#define TINYLB_NET_FLOW_H

#include <stdint.h>
#include <sys/types.h>

#include "net/stream.h"

/*
 * Takes up to `most` bytes out of `from`. Returns how many there are; 0 where the stream has failed
 * (`ended` was called); -1 where it must be read as usual: nothing came this way, the other stream
 * takes little at present, or there is no pipe.
 */
ssize_t stream_draw(struct stream *from, const struct stream *to, uint64_t most)
	__attribute__((warn_unused_result));

/* Sends the `len` bytes that were drawn, with all that stream_write promises. */
int stream_pour(struct stream *to, size_t len) __attribute__((warn_unused_result));

#endif
