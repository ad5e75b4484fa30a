/*
 * Bodies from one framing into another: whole, byte by byte, and in pieces the same content comes
 * out, in the framing that was asked for. The linker puts a journal in place of the socket.
 */
#include "config.h"

#include "fuzz.h"

#include <stdlib.h>

#include "../unit/relay.h"

int __wrap_connection_write(struct connection *connection, const struct iovec *pieces, int count);

/* The framings there are, from and to. */
static const struct {
	enum body_kind in;
	enum body_kind out;
} kinds[] = {
	{ BODY_LENGTH, BODY_LENGTH },
	{ BODY_CHUNKED, BODY_CHUNKED },
	{ BODY_CHUNKED, BODY_UNTIL_CLOSE },
	{ BODY_UNTIL_CLOSE, BODY_CHUNKED },
	{ BODY_UNTIL_CLOSE, BODY_UNTIL_CLOSE },
};

#define ROOM (4 * WINDOW_MAX)

/* What a run of a relay came to. */
struct outcome {
	enum body_read result;
	size_t used;
	uint64_t content;
	size_t len;
	char out[ROOM];
};

/* What was asked for. */
struct task {
	struct body in;
	enum body_kind out;
	bool named;  /* the head's Connection names fields */
	bool closed; /* the sender closes behind its bytes */
};

static struct outcome whole, pieces;
static struct outcome *sink;
static struct fields trailers, named;

int __wrap_connection_write(struct connection *connection, const struct iovec *written, int count)
{
	(void)connection;
	FUZZ_CLAIM(count > 0 && count <= CONTENT_PIECES + 4);
	for (int i = 0; i < count; i++) {
		FUZZ_CLAIM(written[i].iov_len > 0 && written[i].iov_len <= ROOM - sink->len);
		memcpy(sink->out + sink->len, written[i].iov_base, written[i].iov_len);
		sink->len += written[i].iov_len;
	}
	return 0;
}

/* Feeds what the window shows of what is left. */
static void feed(struct relay *relay, struct window *w)
{
	size_t used = 0;
	bool failed;

	sink->result = relay_feed(
		relay, w->data + sink->used, w->shown - sink->used, &used, &trailers, &failed);
	FUZZ_CLAIM(used <= w->shown - sink->used);
	FUZZ_CLAIM(!failed);
	FUZZ_CLAIM((sink->result == BODY_READ_DONE) == relay->reader.done);
	FUZZ_CLAIM(sink->result != BODY_READ_BAD || relay->reader.why != NULL);
	sink->used += used;
}

static void end(struct relay *relay)
{
	bool failed;

	sink->result = relay_end(relay, &failed);
	FUZZ_CLAIM(!failed);
}

static void run(struct outcome *out, const struct task *task, struct window *w, struct cut cut)
{
	struct relay relay;

	sink = out;
	out->result = BODY_READ_MORE;
	out->used = out->len = 0;
	relay_init(&relay, task->in, task->out, NULL);
	if (task->named)
		FUZZ_CLAIM(body_reader_note_named(&relay.reader, &named) == 0);
	window_show(w, 0);
	while (out->result == BODY_READ_MORE && w->shown < w->len) {
		window_show(w, w->shown + cut_next(&cut, w->len - w->shown));
		feed(&relay, w);
	}
	/* Bad trailers are refused at their end at the latest. */
	if (out->result == BODY_READ_MORE && relay.reader.chunks.state == CHUNK_STATE_TRAILER) {
		size_t used = 0;
		const char *why;

		window_show(w, w->len + WINDOW_END);
		if (trailers_parse(&trailers, w->data + out->used, w->shown - out->used, &used,
			    &why) == PARSE_BAD)
			out->result = BODY_READ_BAD;
	}
	if (out->result == BODY_READ_MORE && task->closed)
		end(&relay);
	out->content = relay.content;
	body_reader_fini(&relay.reader);
}

/* The content of what came out, at the front of `out`. */
static size_t unframe(struct outcome *o, bool *is_whole)
{
	struct chunk_decoder decoder = { 0 };
	size_t at = 0, len = 0;

	for (;;) {
		struct slice content;
		size_t used = 0;
		enum chunk_result result =
			chunk_decode(&decoder, o->out + at, o->len - at, &used, &content);

		FUZZ_CLAIM(result != CHUNK_BAD);
		if (result == CHUNK_DATA) {
			memmove(o->out + len, content.data, content.len);
			len += content.len;
		}
		at += used;
		*is_whole = result == CHUNK_TRAILER;
		if (result != CHUNK_DATA)
			break;
	}
	if (*is_whole) {
		const char *why;
		size_t used = 0;

		FUZZ_CLAIM(trailers_parse(&trailers, o->out + at, o->len - at, &used, &why) ==
			   PARSE_DONE);
		FUZZ_CLAIM(used == o->len - at);
	}
	return len;
}

/* Fields that the head's Connection named must not be among the trailers. */
static void claim_trailers(const struct task *task)
{
	for (unsigned i = 0; i < trailers.count; i++) {
		const struct field *f = &trailers.list[i];

		FUZZ_CLAIM(!f->dropped);
		FUZZ_CLAIM(!task->named || !slice_equals_nocase(f->name, slice_of_string("A")));
	}
}

static void claim_framing(struct outcome *o, const struct task *task)
{
	bool is_whole = false;

	if (task->out == BODY_CHUNKED) {
		o->len = unframe(o, &is_whole);
		FUZZ_CLAIM(is_whole == (o->result == BODY_READ_DONE));
		if (is_whole)
			claim_trailers(task);
	}
	FUZZ_CLAIM(o->len == o->content);
}

static void claim_same(void)
{
	FUZZ_CLAIM(whole.result == pieces.result);
	FUZZ_CLAIM(whole.content == pieces.content);
	FUZZ_CLAIM(whole.len == pieces.len);
	FUZZ_CLAIM(memcmp(whole.out, pieces.out, whole.len) == 0);
	FUZZ_CLAIM(whole.result != BODY_READ_DONE || whole.used == pieces.used);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	static const char head[] = "Connection: close, a\r\n\r\n";
	const char *why;
	bool too_many;

	(void)argc;
	(void)argv;
	fields_init(&named);
	FUZZ_CLAIM(fields_parse(&named, head, sizeof head - 1, 8, &why, &too_many) > 0);
	return 0;
}

/* Two bytes say what comes and what goes, and how long a body of a known length is. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = { data, size };
	unsigned which = input_byte(&in);
	unsigned length = input_byte(&in);
	struct task task = {
		.in = { .kind = kinds[which % 5].in },
		.out = kinds[which % 5].out,
		.closed = which / 5 % 2 == 0,
		.named = which / 10 % 2 == 1,
	};
	struct window w = window_open(in.at, in.left);

	if (task.in.kind == BODY_LENGTH)
		task.in.length = length;
	run(&whole, &task, &w, (struct cut){ CUT_WHOLE, 0 });
	claim_framing(&whole, &task);
	run(&pieces, &task, &w, (struct cut){ CUT_BYTES, 0 });
	claim_framing(&pieces, &task);
	claim_same();
	run(&pieces, &task, &w, (struct cut){ CUT_RANDOM, fuzz_hash(data, size) });
	claim_framing(&pieces, &task);
	claim_same();
	return 0;
}
