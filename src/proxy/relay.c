/*
 * Takes bodies out of one framing and puts them into another. All chunks that arrived together go
 * on as one: the sizes that a peer chose are never passed through.
 */
#include "config.h"

#include "relay.h"

#include "base/memory.h"

void gather_init(struct gather *g, struct connection *to)
{
	g->to = to;
	g->copy = NULL;
	g->uncopied = 0;
	g->count = 0;
	g->failed = false;
}

static void copy_pieces(struct gather *g)
{
	for (int i = g->uncopied; g->copy != NULL && i < g->count; i++)
		if (evbuffer_add(g->copy, g->pieces[i].iov_base, g->pieces[i].iov_len) == -1)
			g->failed = true;
}

static void write_pieces(struct gather *g)
{
	/* After a failure a part is missing: what follows it must not look as if it were not. */
	if (g->count > 0 && !g->failed)
		copy_pieces(g);
	if (g->count > 0 && !g->failed && connection_write(g->to, g->pieces, g->count) == -1)
		g->failed = true;
	g->count = 0;
	g->uncopied = 0;
}

void gather_add(struct gather *g, const char *data, size_t len)
{
	if (len == 0)
		return;
	if (g->count == GATHER_PIECES)
		write_pieces(g);
	g->pieces[g->count++] =
		(struct iovec){ .iov_base = (void *)(uintptr_t)data, .iov_len = len };
}

int gather_flush(struct gather *g)
{
	write_pieces(g);
	return g->failed ? -1 : 0;
}

void relay_init(struct relay *relay, struct body in, enum body_kind out)
{
	*relay = (struct relay){ .in = in, .out = out };
	relay->done = in.kind == BODY_NONE || (in.kind == BODY_LENGTH && in.length == 0);
}

void relay_fini(struct relay *relay)
{
	mem_free(relay->named);
	relay->named = NULL;
}

/* Longer lists are not remembered: no trailer goes on then. */
#define NAMED_MAX 512

int relay_note_named(struct relay *relay, const struct fields *head)
{
	char room[NAMED_MAX];
	struct text list = text_over(room, sizeof room);

	if (relay->in.kind != BODY_CHUNKED || relay->out != BODY_CHUNKED)
		return 0;
	fields_write_named(head, &list);
	if (list.len == 0 && !list.overflow)
		return 0;
	relay->named = mem_strdup(list.overflow ? "" : text_string(&list));
	return relay->named != NULL ? 0 : -1;
}

/* Marks the trailers that the head named as hop-by-hop. */
static void drop_named(const struct relay *relay, struct fields *trailers)
{
	if (relay->named == NULL)
		return;
	fields_drop_listed(trailers, slice_of_string(relay->named));
	for (unsigned i = 0; *relay->named == '\0' && i < trailers->count; i++)
		trailers->list[i].dropped = true;
}

/*
 * A run of pieces that becomes one chunk: a place is kept for the line with its size, which is
 * known at the end of the run.
 */
struct run {
	struct gather *out;
	int line; /* index of the piece */
	uint64_t size;
};

static void run_begin(struct run *run)
{
	run->size = 0;
	/* Room for the line, one piece at least, and the end of the chunk. */
	if (run->out->count > GATHER_PIECES - 3)
		write_pieces(run->out);
	run->line = run->out->count++;
}

static void run_end(struct run *run)
{
	struct gather *g = run->out;

	if (run->size == 0) {
		g->count = run->line;
		return;
	}
	g->pieces[run->line].iov_base = g->line;
	g->pieces[run->line].iov_len = chunk_write_line(g->line, run->size);
	g->pieces[g->count++] =
		(struct iovec){ .iov_base = (void *)(uintptr_t) "\r\n", .iov_len = 2 };
}

/* The line is one buffer, so a full run goes out before the next one begins. */
static void run_add(struct run *run, struct slice content)
{
	struct gather *g = run->out;

	if (g->count == GATHER_PIECES - 1) {
		run_end(run);
		write_pieces(g);
		run_begin(run);
	}
	gather_add(g, content.data, content.len);
	run->size += content.len;
}

static void add_content(struct relay *relay, struct run *run, struct slice content)
{
	relay->content += content.len;
	if (relay->out == BODY_CHUNKED)
		run_add(run, content);
	else
		gather_add(run->out, content.data, content.len);
}

static void add_last_chunk(struct relay *relay, struct gather *out, const struct fields *trailers)
{
	struct text end = text_over(out->end, sizeof out->end);

	relay->done = true;
	if (relay->out != BODY_CHUNKED)
		return;
	chunk_write_end(&end, trailers);
	gather_add(out, end.data, end.len);
}

static enum relay_result feed_trailers(struct relay *relay, const char *data, size_t len,
	size_t *used, struct gather *out, struct fields *trailers)
{
	enum parse_result result;
	size_t section = 0;

	trailers->count = 0;
	result = trailers_parse(trailers, data, len, &section, &relay->why);
	if (result == PARSE_BAD)
		return RELAY_BAD;
	if (result == PARSE_PARTIAL)
		return RELAY_MORE;
	*used += section;
	drop_named(relay, trailers);
	add_last_chunk(relay, out, trailers);
	return RELAY_DONE;
}

static enum relay_result feed_chunked(struct relay *relay, const char *data, size_t len,
	size_t *used, struct gather *out, struct fields *trailers)
{
	enum chunk_result result = CHUNK_MORE;
	struct run run = { .out = out };

	*used = 0;
	if (relay->out == BODY_CHUNKED)
		run_begin(&run);
	do {
		struct slice content = { 0 };
		size_t step = 0;

		result = chunk_decode(&relay->chunks, data + *used, len - *used, &step, &content);
		*used += step;
		if (result == CHUNK_DATA)
			add_content(relay, &run, content);
	} while (result == CHUNK_DATA);
	if (relay->out == BODY_CHUNKED)
		run_end(&run);
	if (result == CHUNK_TRAILER)
		return feed_trailers(relay, data + *used, len - *used, used, out, trailers);
	relay->why = relay->chunks.why;
	return result == CHUNK_BAD ? RELAY_BAD : RELAY_MORE;
}

static void feed_plain(struct relay *relay, const char *data, size_t len, struct gather *out)
{
	struct run run = { .out = out };

	if (relay->out == BODY_CHUNKED)
		run_begin(&run);
	add_content(relay, &run, slice_of(data, len));
	if (relay->out == BODY_CHUNKED)
		run_end(&run);
}

enum relay_result relay_feed(struct relay *relay, const char *data, size_t len, size_t *used,
	struct gather *out, struct fields *trailers)
{
	*used = 0;
	if (relay->done)
		return RELAY_DONE;
	if (relay->in.kind == BODY_CHUNKED)
		return feed_chunked(relay, data, len, used, out, trailers);
	if (relay->in.kind == BODY_LENGTH && len > relay->in.length)
		len = (size_t)relay->in.length;
	if (len > 0)
		feed_plain(relay, data, len, out);
	*used = len;
	if (relay->in.kind == BODY_LENGTH) {
		relay->in.length -= len;
		relay->done = relay->in.length == 0;
	}
	return relay->done ? RELAY_DONE : RELAY_MORE;
}

uint64_t relay_plain(const struct relay *relay)
{
	if (relay->done)
		return 0;
	switch (relay->in.kind) {
	case BODY_LENGTH:
		return relay->in.length;
	case BODY_CHUNKED:
		return chunk_content_left(&relay->chunks);
	case BODY_UNTIL_CLOSE:
		return UINT64_MAX;
	case BODY_NONE:
		break;
	}
	return 0;
}

void relay_skip(struct relay *relay, size_t len)
{
	relay->content += len;
	if (relay->in.kind == BODY_CHUNKED)
		chunk_skip_content(&relay->chunks, len);
	if (relay->in.kind != BODY_LENGTH)
		return;
	relay->in.length -= len;
	relay->done = relay->in.length == 0;
}

enum relay_result relay_end(struct relay *relay, struct gather *out)
{
	if (relay->done)
		return RELAY_DONE;
	if (relay->in.kind != BODY_UNTIL_CLOSE)
		return RELAY_BAD;
	add_last_chunk(relay, out, NULL);
	return RELAY_DONE;
}
