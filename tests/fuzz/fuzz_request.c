/*
 * Request heads: whole, byte by byte, and in pieces, the parser says the same, and what it takes is
 * sound. The first byte of an input chooses the limits.
 */
#include "config.h"

#include "fuzz.h"
#include "http/request.h"

static const struct head_limits limits[] = {
	{ 32768, 100 },
	{ 256, 8 },
	{ 2048, FIELDS_MAX },
	{ 9000, 2 },
};

static struct request whole;
static struct request pieces;

/* Shows more and more of the window until the parser has decided. */
static enum parse_result parse_in_pieces(
	struct window *w, struct cut cut, const struct head_limits *limit)
{
	enum parse_result result = PARSE_PARTIAL;
	size_t seen = 0;

	while (result == PARSE_PARTIAL && seen < w->len) {
		window_show(w, seen + cut_next(&cut, w->len - seen));
		result = request_parse(&pieces, w->data, w->shown, seen, limit);
		fuzz_inside(pieces.line, w->data, w->shown);
		seen = w->shown;
	}
	return result;
}

/* Where the whole was refused and the pieces are not yet: then at the end of the head. */
static enum parse_result end_head(struct window *w, const struct head_limits *limit)
{
	window_show(w, w->len + WINDOW_END);
	return request_parse(&pieces, w->data, w->shown, w->len, limit);
}

static void claim_same(enum parse_result result)
{
	if (result == PARSE_BAD) {
		FUZZ_CLAIM(whole.status == pieces.status);
		return;
	}
	fuzz_same_slice(whole.line, pieces.line);
	fuzz_same_slice(whole.method_name, pieces.method_name);
	fuzz_same_slice(whole.target, pieces.target);
	fuzz_same_slice(whole.host, pieces.host);
	FUZZ_CLAIM(whole.upgrade == pieces.upgrade);
	fuzz_same_fields(&whole.fields, &pieces.fields);
	FUZZ_CLAIM(whole.method == pieces.method);
	FUZZ_CLAIM(whole.minor == pieces.minor);
	FUZZ_CLAIM(whole.body.kind == pieces.body.kind);
	FUZZ_CLAIM(whole.body.length == pieces.body.length);
	FUZZ_CLAIM(whole.max_forwards == pieces.max_forwards);
	FUZZ_CLAIM(whole.keep_alive == pieces.keep_alive);
	FUZZ_CLAIM(whole.expect_continue == pieces.expect_continue);
	FUZZ_CLAIM(whole.te_trailers == pieces.te_trailers);
	FUZZ_CLAIM(whole.head_len == pieces.head_len);
}

static void claim_refusal(const struct request *r)
{
	FUZZ_CLAIM(r->why != NULL && *r->why != '\0');
	FUZZ_CLAIM(r->status == 400 || r->status == 413 || r->status == 414 || r->status == 417 ||
		   r->status == 431 || r->status == 501 || r->status == 505);
}

static void claim_sound(
	const struct request *r, const char *data, size_t len, const struct head_limits *limit)
{
	FUZZ_CLAIM(r->head_len <= len && r->head_len <= limit->size);
	FUZZ_CLAIM(r->fields.count <= limit->count);
	fuzz_sound_fields(&r->fields, data, r->head_len);
	fuzz_inside(r->line, data, r->head_len);
	fuzz_inside(r->method_name, data, r->head_len);
	fuzz_inside(r->host, data, r->head_len);
	FUZZ_CLAIM(field_is_token(r->method_name));
	FUZZ_CLAIM(r->target.len > 0);
	for (size_t i = 0; i < r->target.len; i++)
		FUZZ_CLAIM(r->target.data[i] > ' ' && r->target.data[i] < 0x7f &&
			   r->target.data[i] != '#');
	for (size_t i = 0; i < r->host.len; i++)
		FUZZ_CLAIM(r->host.data[i] > ' ' && r->host.data[i] < 0x7f &&
			   strchr("@,/?#", r->host.data[i]) == NULL);
	FUZZ_CLAIM(r->minor == 0 || r->host.len > 0);
	FUZZ_CLAIM(r->body.kind != BODY_UNTIL_CLOSE);
	FUZZ_CLAIM(r->body.kind == BODY_LENGTH || r->body.length == 0);
	FUZZ_CLAIM(r->minor > 0 || r->body.kind != BODY_CHUNKED);
	FUZZ_CLAIM(!r->expect_continue || r->body.kind != BODY_NONE);
	FUZZ_CLAIM(memcmp(data + r->head_len - 4, "\r\n\r\n", 4) == 0);
}

static void try_pieces(
	struct window *w, enum parse_result result, struct cut cut, const struct head_limits *limit)
{
	enum parse_result in_pieces = parse_in_pieces(w, cut, limit);

	if (in_pieces == PARSE_PARTIAL && result == PARSE_BAD && w->len > 0)
		in_pieces = end_head(w, limit);
	FUZZ_CLAIM(in_pieces == result);
	if (w->len > 0 && result != PARSE_PARTIAL)
		claim_same(result);
	if (result == PARSE_DONE && cut.kind == CUT_BYTES)
		FUZZ_CLAIM(w->shown == whole.head_len);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = { data, size };
	const struct head_limits *limit = &limits[input_byte(&in) % 4];
	struct window w = window_open(in.at, in.left);
	enum parse_result result;

	window_show(&w, w.len);
	result = request_parse(&whole, w.data, w.len, 0, limit);
	fuzz_inside(whole.line, w.data, w.len);
	if (result == PARSE_BAD)
		claim_refusal(&whole);
	if (result == PARSE_DONE)
		claim_sound(&whole, w.data, w.len, limit);
	try_pieces(&w, result, (struct cut){ CUT_BYTES, 0 }, limit);
	try_pieces(&w, result, (struct cut){ CUT_RANDOM, fuzz_hash(data, size) }, limit);
	return 0;
}
