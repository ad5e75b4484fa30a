/* Reads bodies. The sizes of chunks that a peer chose are of no interest to anybody behind it. */
#include "config.h"

#include "http1/body_reader.h"

#include <assert.h>

#include "base/memory.h"

void body_reader_init(struct body_reader *r, struct body in)
{
	r->in = in;
	r->named = NULL;
	r->why = NULL;
	if (in.kind == BODY_CHUNKED)
		r->chunks = (struct chunk_decoder){ .state = CHUNK_STATE_SIZE_FIRST };
	r->done = body_is_empty(in);
}

void body_reader_free_named(struct body_reader *r)
{
	mem_free(r->named);
	r->named = NULL;
}

/* Longer lists are not remembered: no trailer goes on then. */
#define NAMED_MAX 512

int body_reader_keep_named(struct body_reader *r, const struct fields *head)
{
	char room[NAMED_MAX];
	struct text list = text_over(room, sizeof room);

	assert(r->in.kind == BODY_CHUNKED && r->named == NULL);
	fields_write_named(head, &list);
	if (list.len == 0 && !list.overflow)
		return 0;
	r->named = mem_strdup(list.overflow ? "" : text_string(&list));
	return r->named != NULL ? 0 : -1;
}

/* Marks as dropped the trailers that the head named as hop-by-hop. */
static void drop_named(const struct body_reader *r, struct fields *trailers)
{
	if (r->named == NULL)
		return;
	fields_drop_listed(trailers, slice_of_string(r->named));
	for (unsigned i = 0; *r->named == '\0' && i < trailers->count; i++)
		trailers->list[i].dropped = true;
}

static enum body_read end_body(struct body_reader *r, struct content *out)
{
	r->done = true;
	out->end = true;
	return BODY_READ_DONE;
}

static enum body_read feed_trailers(struct body_reader *r, const char *data, size_t len,
	size_t *used, struct content *out, struct fields *trailers)
{
	enum parse_result result;
	size_t section = 0;

	trailers->count = 0;
	result = trailers_parse(trailers, data, len, &section, &r->why);
	if (result == PARSE_BAD)
		return BODY_READ_BAD;
	if (result == PARSE_PARTIAL)
		return BODY_READ_MORE;
	*used += section;
	drop_named(r, trailers);
	if (trailers->count > 0)
		out->trailers = trailers;
	return end_body(r, out);
}

static enum body_read feed_chunked(struct body_reader *r, const char *data, size_t len,
	size_t *used, struct content *out, struct fields *trailers)
{
	enum chunk_result result = CHUNK_DATA;

	while (result == CHUNK_DATA && !content_is_full(out)) {
		struct slice piece = { 0 };
		size_t step = 0;

		result = chunk_decode(&r->chunks, data + *used, len - *used, &step, &piece);
		*used += step;
		if (result == CHUNK_DATA)
			content_add(out, piece.data, piece.len);
	}
	if (result == CHUNK_TRAILER)
		return feed_trailers(r, data + *used, len - *used, used, out, trailers);
	r->why = r->chunks.why;
	return result == CHUNK_BAD ? BODY_READ_BAD : BODY_READ_MORE;
}

enum body_read body_reader_feed(struct body_reader *r, const char *data, size_t len, size_t *used,
	struct content *out, struct fields *trailers)
{
	assert(out->count == 0);
	*used = 0;
	if (r->done) {
		out->end = true;
		return BODY_READ_DONE;
	}
	if (r->in.kind == BODY_CHUNKED)
		return feed_chunked(r, data, len, used, out, trailers);
	if (r->in.kind == BODY_LENGTH && len > r->in.length)
		len = (size_t)r->in.length;
	content_add(out, data, len);
	*used = len;
	if (r->in.kind != BODY_LENGTH)
		return BODY_READ_MORE;
	r->in.length -= len;
	return r->in.length == 0 ? end_body(r, out) : BODY_READ_MORE;
}

uint64_t body_reader_run(const struct body_reader *r)
{
	if (r->done)
		return 0;
	switch (r->in.kind) {
	case BODY_LENGTH:
		return r->in.length;
	case BODY_CHUNKED:
		return chunk_content_left(&r->chunks);
	case BODY_UNTIL_CLOSE:
		return UINT64_MAX;
	case BODY_NONE:
		break;
	}
	return 0;
}

void body_reader_skip(struct body_reader *r, size_t len)
{
	assert(len <= body_reader_run(r));
	if (r->in.kind == BODY_CHUNKED)
		chunk_skip_content(&r->chunks, len);
	if (r->in.kind != BODY_LENGTH)
		return;
	r->in.length -= len;
	r->done = r->in.length == 0;
}

enum body_read body_reader_end(struct body_reader *r)
{
	if (r->done || r->in.kind == BODY_UNTIL_CLOSE) {
		r->done = true;
		return BODY_READ_DONE;
	}
	return BODY_READ_BAD;
}
