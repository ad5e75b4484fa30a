/*
 * Response heads: whole, byte by byte, and in pieces, the parser says the same, and what it takes
 * is sound. The first byte of an input chooses the method that is answered, and the limits.
 */
#include "config.h"

#include "fuzz.h"
#include "http/response.h"

static const struct head_limits limits[] = { { 32768, 100 }, { 256, 8 } };
static const enum method methods[] = { METHOD_GET, METHOD_HEAD, METHOD_POST, METHOD_OTHER };

static struct response whole;
static struct response pieces;

struct asked {
	enum method method;
	struct head_limits limits;
};

static enum parse_result parse_in_pieces(
	struct window *w, struct cut cut, const struct asked *asked)
{
	enum parse_result result = PARSE_PARTIAL;
	size_t seen = 0;

	while (result == PARSE_PARTIAL && seen < w->len) {
		window_show(w, seen + cut_next(&cut, w->len - seen));
		result = response_parse(
			&pieces, w->data, w->shown, seen, asked->method, &asked->limits);
		seen = w->shown;
	}
	return result;
}

/* Where the whole was refused and the pieces are not yet: then at the end of the head. */
static enum parse_result end_head(struct window *w, const struct asked *asked)
{
	window_show(w, w->len + WINDOW_END);
	return response_parse(&pieces, w->data, w->shown, w->len, asked->method, &asked->limits);
}

static void claim_same(void)
{
	fuzz_same_slice(whole.reason, pieces.reason);
	fuzz_same_fields(&whole.fields, &pieces.fields);
	FUZZ_CLAIM(whole.minor == pieces.minor);
	FUZZ_CLAIM(whole.status == pieces.status);
	FUZZ_CLAIM(whole.body.kind == pieces.body.kind);
	FUZZ_CLAIM(whole.body.length == pieces.body.length);
	FUZZ_CLAIM(whole.keep_alive == pieces.keep_alive);
	fuzz_same_slice(whole.upgrade, pieces.upgrade);
	FUZZ_CLAIM(whole.head_len == pieces.head_len);
}

static void claim_sound(const struct window *w, const struct asked *asked)
{
	const struct response *r = &whole;
	bool bodiless = r->status < 200 || r->status == 204 || r->status == 304 ||
			asked->method == METHOD_HEAD;

	FUZZ_CLAIM(r->head_len <= w->len && r->head_len <= asked->limits.size);
	FUZZ_CLAIM(r->fields.count <= asked->limits.count);
	fuzz_sound_fields(&r->fields, w->data, r->head_len);
	fuzz_inside(r->reason, w->data, r->head_len);
	FUZZ_CLAIM(r->status >= 100 && r->status <= 999);
	FUZZ_CLAIM(bodiless == (r->body.kind == BODY_NONE));
	FUZZ_CLAIM(r->body.kind == BODY_LENGTH || r->body.length == 0);
	FUZZ_CLAIM(r->body.kind != BODY_UNTIL_CLOSE || !r->keep_alive);
	FUZZ_CLAIM(r->minor > 0 || r->body.kind != BODY_CHUNKED || !r->keep_alive);
	FUZZ_CLAIM(slice_is_empty(r->upgrade) == (r->status != 101));
	FUZZ_CLAIM(r->status != 101 || !r->keep_alive);
	FUZZ_CLAIM(memcmp(w->data + r->head_len - 4, "\r\n\r\n", 4) == 0);
}

static void try_pieces(
	struct window *w, enum parse_result result, struct cut cut, const struct asked *asked)
{
	enum parse_result in_pieces = parse_in_pieces(w, cut, asked);

	if (in_pieces == PARSE_PARTIAL && result == PARSE_BAD && w->len > 0)
		in_pieces = end_head(w, asked);
	FUZZ_CLAIM(in_pieces == result);
	if (result == PARSE_DONE)
		claim_same();
	if (result == PARSE_DONE && cut.kind == CUT_BYTES)
		FUZZ_CLAIM(w->shown == whole.head_len);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = { data, size };
	unsigned choice = input_byte(&in);
	struct asked asked = { methods[choice % 4], limits[choice / 4 % 2] };
	struct window w = window_open(in.at, in.left);
	enum parse_result result;

	window_show(&w, w.len);
	result = response_parse(&whole, w.data, w.len, 0, asked.method, &asked.limits);
	if (result == PARSE_BAD)
		FUZZ_CLAIM(whole.why != NULL && *whole.why != '\0');
	if (result == PARSE_DONE)
		claim_sound(&w, &asked);
	try_pieces(&w, result, (struct cut){ CUT_BYTES, 0 }, &asked);
	try_pieces(&w, result, (struct cut){ CUT_RANDOM, fuzz_hash(data, size) }, &asked);
	return 0;
}
