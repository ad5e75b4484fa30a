/*
 * The chunked coding: whole, byte by byte, and in pieces, the decoder finds the same content, the
 * same trailers and the same end; and what is written from them decodes to the same again.
 */
#include "config.h"

#include "fuzz.h"
#include "http/chunk.h"

enum verdict { VERDICT_MORE, VERDICT_DONE, VERDICT_BAD };

/* What a decoding came to. */
struct outcome {
	enum verdict verdict;
	size_t content_len;
	size_t used; /* of VERDICT_DONE: with the trailers */
	struct fields trailers;
	char content[WINDOW_MAX];
};

static struct outcome whole;
static struct outcome pieces;
static struct outcome again;
static char written[WINDOW_MAX];

struct decoding {
	struct chunk_decoder decoder;
	struct window *window;
	size_t at;
	struct outcome *out;
};

static void take_content(struct decoding *d, struct slice content)
{
	struct outcome *out = d->out;

	FUZZ_CLAIM(content.len > 0);
	fuzz_inside(content, d->window->data + d->at, d->window->shown - d->at);
	FUZZ_CLAIM(content.len <= sizeof out->content - out->content_len);
	memcpy(out->content + out->content_len, content.data, content.len);
	out->content_len += content.len;
}

static enum verdict read_trailers(struct decoding *d)
{
	const char *why = NULL;
	size_t used = 0;
	size_t left = d->window->shown - d->at;

	switch (trailers_parse(&d->out->trailers, d->window->data + d->at, left, &used, &why)) {
	case PARSE_BAD:
		FUZZ_CLAIM(why != NULL);
		return VERDICT_BAD;
	case PARSE_PARTIAL:
		return VERDICT_MORE;
	case PARSE_DONE:
		break;
	}
	fuzz_sound_fields(&d->out->trailers, d->window->data + d->at, used);
	FUZZ_CLAIM(used <= left);
	d->at += used;
	return VERDICT_DONE;
}

/* Goes on with what the window shows. */
static enum verdict go_on(struct decoding *d)
{
	for (;;) {
		struct slice content = { 0 };
		size_t used = 0;
		size_t left = d->window->shown - d->at;
		enum chunk_result result =
			chunk_decode(&d->decoder, d->window->data + d->at, left, &used, &content);

		FUZZ_CLAIM(used <= left);
		if (result == CHUNK_DATA)
			take_content(d, content);
		d->at += used;
		switch (result) {
		case CHUNK_BAD:
			FUZZ_CLAIM(d->decoder.why != NULL);
			return VERDICT_BAD;
		case CHUNK_MORE:
			FUZZ_CLAIM(used == left);
			return VERDICT_MORE;
		case CHUNK_TRAILER:
			return read_trailers(d);
		case CHUNK_DATA:
			break;
		}
	}
}

/* Trailers need not be refused before they end: how the bytes came decides when they are. */
static enum verdict end_trailers(struct decoding *d)
{
	size_t at = d->at;
	enum verdict verdict;

	window_show(d->window, d->window->len + WINDOW_END);
	verdict = read_trailers(d);
	d->at = at;
	return verdict == VERDICT_BAD ? VERDICT_BAD : VERDICT_MORE;
}

static void decode(struct outcome *out, struct window *w, struct cut cut)
{
	struct decoding d = { .window = w, .out = out };

	out->verdict = VERDICT_MORE;
	out->content_len = 0;
	out->trailers.count = 0;
	window_show(w, 0);
	while (out->verdict == VERDICT_MORE && w->shown < w->len) {
		window_show(w, w->shown + cut_next(&cut, w->len - w->shown));
		out->verdict = go_on(&d);
	}
	if (out->verdict == VERDICT_MORE && d.decoder.state == CHUNK_STATE_TRAILER)
		out->verdict = end_trailers(&d);
	FUZZ_CLAIM(d.decoder.content == out->content_len);
	out->used = d.at;
}

static void claim_same(const struct outcome *a, const struct outcome *b)
{
	FUZZ_CLAIM(a->verdict == b->verdict);
	FUZZ_CLAIM(a->content_len == b->content_len);
	FUZZ_CLAIM(memcmp(a->content, b->content, a->content_len) == 0);
	if (a->verdict != VERDICT_DONE)
		return;
	FUZZ_CLAIM(a->used == b->used);
	fuzz_same_fields(&a->trailers, &b->trailers);
}

/* What was decoded, in one chunk and its end. */
static size_t encode(const struct outcome *o)
{
	struct text out = text_over(written, sizeof written);
	char line[CHUNK_LINE_MAX];

	if (o->content_len > 0) {
		text_add(&out, line, chunk_write_line(line, o->content_len));
		text_add(&out, o->content, o->content_len);
		text_add_string(&out, "\r\n");
	}
	chunk_write_end(&out, &o->trailers);
	return out.overflow ? 0 : out.len;
}

static bool may_be_trailer(const struct field *f)
{
	return f->id == FIELD_OTHER && !slice_equals_nocase(f->name, slice_of_string("cookie")) &&
	       !slice_equals_nocase(f->name, slice_of_string("authorization"));
}

static void claim_trailers_again(void)
{
	unsigned i = 0;

	for (unsigned k = 0; k < whole.trailers.count; k++) {
		const struct field *f = &whole.trailers.list[k];

		if (f->dropped)
			continue;
		FUZZ_CLAIM(may_be_trailer(f));
		FUZZ_CLAIM(i < again.trailers.count);
		FUZZ_CLAIM(slice_equals(f->name, again.trailers.list[i].name));
		FUZZ_CLAIM(slice_equals(f->value, again.trailers.list[i].value));
		i++;
	}
	FUZZ_CLAIM(i == again.trailers.count);
}

/* The trailers point into their window: that of what is written must be another place. */
static char kept[WINDOW_MAX];

static void point_elsewhere(struct fields *fields, const char *from, size_t len)
{
	memcpy(kept, from, len);
	for (unsigned i = 0; i < fields->count; i++) {
		struct field *f = &fields->list[i];

		f->name.data = kept + (f->name.data - from);
		f->value.data = kept + (f->value.data - from);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct window w = window_open(data, size < 65536 ? size : 65536);
	size_t len;

	decode(&whole, &w, (struct cut){ CUT_WHOLE, 0 });
	decode(&pieces, &w, (struct cut){ CUT_BYTES, 0 });
	claim_same(&whole, &pieces);
	decode(&pieces, &w, (struct cut){ CUT_RANDOM, fuzz_hash(data, size) });
	claim_same(&whole, &pieces);
	if (whole.verdict != VERDICT_DONE)
		return 0;
	window_show(&w, w.len);
	point_elsewhere(&whole.trailers, w.data, w.len);
	len = encode(&whole);
	w = window_open(written, len);
	decode(&again, &w, (struct cut){ CUT_WHOLE, 0 });
	FUZZ_CLAIM(again.verdict == VERDICT_DONE && again.used == len);
	FUZZ_CLAIM(again.content_len == whole.content_len);
	FUZZ_CLAIM(memcmp(again.content, whole.content, again.content_len) == 0);
	claim_trailers_again();
	return 0;
}
