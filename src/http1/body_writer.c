/* Frames content and writes it. */
#include "config.h"

#include "http1/body_writer.h"

#include <assert.h>

#include "http/chunk.h"
#include "net/connection_splice.h"

/* The last chunk and its trailers, which the parser holds to 8 KiB. */
#define LAST_SIZE 9216

/* Before the content the head and a chunk's line, behind it the chunk's end and the last chunk. */
#define FRAMING_PIECES 4

static char crlf[] = "\r\n";
static const char last_chunk[] = "0\r\n\r\n";

/* Each of these writes pieces at `at` and returns the place behind them. */
static struct iovec *add(struct iovec *at, const char *data, size_t len)
{
	at->iov_base = (void *)(uintptr_t)data;
	at->iov_len = len;
	return at + 1;
}

static struct iovec *add_content(struct iovec *at, const struct content *content)
{
	for (int i = 0; i < content->count; i++)
		*at++ = content->pieces[i];
	return at;
}

static struct iovec *add_chunk(
	struct iovec *at, char line[CHUNK_LINE_MAX], const struct content *content)
{
	at = add(at, line, chunk_write_line(line, content->len));
	at = add_content(at, content);
	return add(at, crlf, 2);
}

static struct iovec *add_last_chunk(
	struct iovec *at, char last[LAST_SIZE], const struct fields *trailers)
{
	struct text text = text_over(last, LAST_SIZE);

	if (trailers == NULL)
		return add(at, last_chunk, sizeof last_chunk - 1);
	chunk_write_end(&text, trailers);
	assert(!text.overflow);
	return add(at, last, text.len);
}

int body_writer_write(
	struct connection *to, enum body_kind out, struct slice head, const struct content *content)
{
	struct iovec pieces[CONTENT_PIECES + FRAMING_PIECES], *at = pieces;
	char line[CHUNK_LINE_MAX], last[LAST_SIZE];

	if (head.len > 0)
		at = add(at, head.data, head.len);
	if (out != BODY_CHUNKED)
		at = add_content(at, content);
	else if (content->len > 0)
		at = add_chunk(at, line, content);
	if (out == BODY_CHUNKED && content->end)
		at = add_last_chunk(at, last, content->trailers);
	return at > pieces ? connection_write(to, pieces, (int)(at - pieces)) : 0;
}

int body_writer_splice(struct connection *to, enum body_kind out, size_t len)
{
	char line[CHUNK_LINE_MAX];
	struct iovec before = { .iov_base = line }, behind = { .iov_base = crlf, .iov_len = 2 };
	bool failed;

	if (out != BODY_CHUNKED)
		return connection_splice_out(to, len);
	before.iov_len = chunk_write_line(line, len);
	failed = connection_write(to, &before, 1) == -1;
	failed |= connection_splice_out(to, len) == -1;
	return failed ? -1 : connection_write(to, &behind, 1);
}
