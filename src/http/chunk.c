/*
 * Decodes and writes the chunked coding. The decoder goes octet by octet through what is not
 * content and holds nothing back; extensions are counted and forgotten, quoting in them has no
 * meaning, and only CRLF ends a line. Trailers are trailer.c's.
 */
#include "config.h"

#include <assert.h>

#include "head.h"
#include "http/chunk.h"
#include "octet.h"

/* 16 digits are 64 bits; the rest of the program counts in signed ones. */
#define SIZE_DIGITS_MAX 16

/* All extensions of a message together. Nobody is known to use them but to confuse proxies. */
#define EXTENSION_MAX 1024

/* What may be spent on framing: some for nothing, then in proportion to the content. One octet a
 * chunk, the worst honest sender, costs five. (Go's CVE-2023-39326: 1 GB of extensions.) */
#define OVERHEAD_FREE        16384
#define OVERHEAD_PER_CONTENT 16

static enum chunk_state bad(struct chunk_decoder *d, const char *why)
{
	d->why = why;
	return CHUNK_STATE_BAD;
}

static int digit_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static enum chunk_state read_digit(struct chunk_decoder *d, int value)
{
	if (d->state == CHUNK_STATE_SIZE_FIRST) {
		d->digits = 0;
		d->left = 0;
	}
	if (++d->digits > SIZE_DIGITS_MAX)
		return bad(d, "chunk size is too long");
	d->left = d->left << 4 | (uint64_t)value;
	if (d->left > INT64_MAX)
		return bad(d, "chunk size is too large");
	return CHUNK_STATE_SIZE;
}

static enum chunk_state end_size(struct chunk_decoder *d, char c)
{
	switch (c) {
	case ';':
		return CHUNK_STATE_EXTENSION_NAME;
	case ' ':
	case '\t':
		return CHUNK_STATE_SIZE_SPACE;
	case '\r':
		if (d->state == CHUNK_STATE_SIZE)
			return CHUNK_STATE_SIZE_LF;
		break;
	default:
		break;
	}
	return bad(d, "bad chunk size");
}

static enum chunk_state read_size(struct chunk_decoder *d, char c)
{
	int value = digit_value(c);

	if (value >= 0 && d->state != CHUNK_STATE_SIZE_SPACE)
		return read_digit(d, value);
	if (d->state == CHUNK_STATE_SIZE_FIRST)
		return bad(d, "bad chunk size");
	return end_size(d, c);
}

static enum chunk_state read_extension(struct chunk_decoder *d, char c)
{
	bool blank = octet_is_blank(c);

	if (++d->extension > EXTENSION_MAX)
		return bad(d, "too many chunk extensions");
	if (d->state == CHUNK_STATE_EXTENSION_NAME) {
		if (blank)
			return d->state;
		return octet_is(c, OCTET_TOKEN) ? CHUNK_STATE_EXTENSION
						: bad(d, "bad chunk extension");
	}
	if (c == '\r')
		return CHUNK_STATE_SIZE_LF;
	if (!blank && (c <= ' ' || c >= 0x7f))
		return bad(d, "bad chunk extension");
	return d->state;
}

static enum chunk_state expect(struct chunk_decoder *d, char c, char wanted, enum chunk_state next)
{
	return c == wanted ? next : bad(d, "chunk line does not end with CRLF");
}

/* The state after an octet that is not content. */
static enum chunk_state step(struct chunk_decoder *d, char c)
{
	switch (d->state) {
	case CHUNK_STATE_SIZE_FIRST:
	case CHUNK_STATE_SIZE:
	case CHUNK_STATE_SIZE_SPACE:
		return read_size(d, c);
	case CHUNK_STATE_EXTENSION_NAME:
	case CHUNK_STATE_EXTENSION:
		return read_extension(d, c);
	case CHUNK_STATE_SIZE_LF:
		return expect(d, c, '\n', d->left > 0 ? CHUNK_STATE_DATA : CHUNK_STATE_TRAILER);
	case CHUNK_STATE_DATA_CR:
		return expect(d, c, '\r', CHUNK_STATE_DATA_LF);
	case CHUNK_STATE_DATA_LF:
		return expect(d, c, '\n', CHUNK_STATE_SIZE_FIRST);
	case CHUNK_STATE_DATA:
	case CHUNK_STATE_TRAILER:
	case CHUNK_STATE_BAD:
		break;
	}
	return d->state;
}

uint64_t chunk_content_left(const struct chunk_decoder *d)
{
	return d->state == CHUNK_STATE_DATA ? d->left : 0;
}

void chunk_skip_content(struct chunk_decoder *d, uint64_t len)
{
	assert(d->state == CHUNK_STATE_DATA && len <= d->left);
	d->left -= len;
	d->content += len;
	if (d->left == 0)
		d->state = CHUNK_STATE_DATA_CR;
}

static struct slice take_content(struct chunk_decoder *d, const char *data, size_t len)
{
	size_t n = len < d->left ? len : (size_t)d->left;

	chunk_skip_content(d, n);
	return slice_of(data, n);
}

static void take_overhead(struct chunk_decoder *d, char c)
{
	d->state = step(d, c);
	d->overhead++;
	if (d->overhead > OVERHEAD_FREE && d->state != CHUNK_STATE_BAD &&
		(d->overhead - OVERHEAD_FREE) / OVERHEAD_PER_CONTENT >= d->content)
		d->state = bad(d, "chunks are too small");
}

enum chunk_result chunk_decode(
	struct chunk_decoder *d, const char *data, size_t len, size_t *used, struct slice *content)
{
	size_t at = 0;

	for (;;) {
		*used = at;
		if (d->state == CHUNK_STATE_BAD)
			return CHUNK_BAD;
		if (d->state == CHUNK_STATE_TRAILER)
			return CHUNK_TRAILER;
		if (at == len)
			return CHUNK_MORE;
		if (d->state == CHUNK_STATE_DATA) {
			*content = take_content(d, data + at, len - at);
			*used += content->len;
			return CHUNK_DATA;
		}
		take_overhead(d, data[at]);
		at++;
	}
}

size_t chunk_write_line(char out[CHUNK_LINE_MAX], uint64_t size)
{
	static const char digits[] = "0123456789abcdef";
	char *to = out;
	int shift;

	assert(size > 0);
	/* From the highest digit that is not zero. */
	for (shift = 60 - (__builtin_clzll(size) & ~3); shift >= 0; shift -= 4)
		*to++ = digits[size >> shift & 15];
	*to++ = '\r';
	*to++ = '\n';
	return (size_t)(to - out);
}

void chunk_write_end(struct text *out, const struct fields *trailers)
{
	text_add_string(out, "0\r\n");
	for (unsigned i = 0; trailers != NULL && i < trailers->count; i++) {
		if (!trailers->list[i].dropped)
			head_write_field(out, &trailers->list[i]);
	}
	text_add_string(out, "\r\n");
}
