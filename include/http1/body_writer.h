/*
 * Writes content in the framing of HTTP/1 (RFC 9112 6 and 7.1) to a connection. All content that is
 * written together becomes one chunk, whatever chunks it came in.
 */
#ifndef TINYLB_HTTP1_BODY_WRITER_H
#define TINYLB_HTTP1_BODY_WRITER_H

#include "http/content.h"
#include "net/connection.h"

/* Writes `head` (may be empty) and the content with one system call. With content->end a chunked
 * body gets its last chunk and the trailers that are not dropped. 0, or -1 when memory is short:
 * the connection is of no use then. */
int body_writer_write(struct connection *to, enum body_kind out, struct slice head,
	const struct content *content) __attribute__((warn_unused_result));

/* The same with `len` bytes of content that are in the pipe of the connection's loop: they are out
 * of it in any case. */
int body_writer_splice(struct connection *to, enum body_kind out, size_t len)
	__attribute__((warn_unused_result));

#endif
