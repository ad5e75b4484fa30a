/*
 * Content of a message on its way (RFC 9110 6.4): runs of bytes without the framing by which they
 * came. Its reader fills it, and its writer frames it anew.
 */
#ifndef TINYLB_HTTP_CONTENT_H
#define TINYLB_HTTP_CONTENT_H

#include <assert.h>
#include <sys/uio.h>

#include "http/field.h"

#define CONTENT_PIECES 60

/* So much of a request's content is held while it may have to be sent again. As long as a
 * connection is being made, no more is taken from the client. */
#define CONTENT_HELD_MAX ((size_t)16 * 1024)

struct content {
	uint64_t len;                        /* bytes of all pieces */
	int count;                           /* pieces */
	bool end;                            /* the message ends behind them */
	const struct fields *trailers;       /* borrowed; with `end`; NULL: none came */
	struct iovec pieces[CONTENT_PIECES]; /* borrowed bytes, none of them empty */
};

/* No content yet, and not the end. */
static inline void content_init(struct content *content)
{
	content->len = 0;
	content->count = 0;
	content->end = false;
	content->trailers = NULL;
}

static inline bool content_is_full(const struct content *content)
{
	return content->count == CONTENT_PIECES;
}

/* Adds bytes, which must stay where they are until the content was sent. It must not be full. */
static inline void content_add(struct content *content, const char *data, size_t len)
{
	if (len == 0)
		return;
	assert(content->count < CONTENT_PIECES);
	content->pieces[content->count++] =
		(struct iovec){ .iov_base = (void *)(uintptr_t)data, .iov_len = len };
	content->len += len;
}

#endif
