/*
 * A body out of one framing and into another, as it passes through an exchange: its reader and its
 * writer, one behind the other.
 */
#ifndef TINYLB_TESTS_RELAY_H
#define TINYLB_TESTS_RELAY_H

#include "http1/body_reader.h"
#include "http1/body_writer.h"

struct relay {
	struct body_reader reader;
	struct connection *to;
	enum body_kind out;
	uint64_t content; /* bytes of content so far */
	bool ended;       /* its end was written */
};

static inline void relay_init(
	struct relay *relay, struct body in, enum body_kind out, struct connection *to)
{
	*relay = (struct relay){ .to = to, .out = out };
	body_reader_init(&relay->reader, in);
}

/* *failed: the writer had no memory. */
static inline enum body_read relay_feed(struct relay *relay, const char *data, size_t len,
	size_t *used, struct fields *trailers, bool *failed)
{
	struct content content;
	enum body_read result;

	*used = 0;
	*failed = false;
	if (relay->ended)
		return BODY_READ_DONE;
	do {
		size_t step;

		content_init(&content);
		result = body_reader_feed(
			&relay->reader, data + *used, len - *used, &step, &content, trailers);
		*used += step;
		relay->content += content.len;
		relay->ended = content.end;
		*failed |=
			body_writer_write(relay->to, relay->out, slice_of(NULL, 0), &content) == -1;
	} while (content_is_full(&content) && result == BODY_READ_MORE);
	return result;
}

static inline enum body_read relay_end(struct relay *relay, bool *failed)
{
	bool was_done = relay->reader.done;
	enum body_read result = body_reader_end(&relay->reader);
	struct content content;

	content_init(&content);
	content.end = true;
	*failed = result == BODY_READ_DONE && !was_done &&
		  body_writer_write(relay->to, relay->out, slice_of(NULL, 0), &content) == -1;
	return result;
}

#endif
